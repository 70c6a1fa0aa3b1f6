#include "store/history.h"

#include <string.h>

void history_add(struct store_history *h, uint64_t epoch, uint64_t first)
{
    if (h->count && epoch <= h->epochs[h->count - 1].epoch) return;
    if (h->count == STORE_EPOCHS_MAX) memmove(h->epochs, h->epochs + 1, --h->count * sizeof *h->epochs);
    h->epochs[h->count++] = (struct store_epoch){epoch, first};
}

struct store_position history_position(const struct store_history *h, uint64_t sequence)
{
    if (sequence == 0 || h->count == 0) return (struct store_position){0, 0};
    uint32_t i = h->count - 1;
    while (i && h->epochs[i].first > sequence) i--;
    return (struct store_position){h->epochs[i].epoch, sequence};
}

bool history_is_sound(const struct store_history *h)
{
    if (h->count > STORE_EPOCHS_MAX) return false;
    struct store_epoch before = {0, 0};
    for (uint32_t i = 0; i < h->count; before = h->epochs[i++])
        if (h->epochs[i].epoch <= before.epoch || h->epochs[i].first <= before.first) return false;
    return h->count == 0 || before.first <= h->last;
}

/* The last sequence of the i-th epoch. */
static uint64_t end_of(const struct store_history *h, uint32_t i)
{
    return i + 1 < h->count ? h->epochs[i + 1].first - 1 : h->last;
}

struct store_position store_common_position(const struct store_history *a, const struct store_history *b)
{
    uint32_t i = a->count, j = b->count;
    while (i && j) {
        const struct store_epoch *x = &a->epochs[i - 1], *y = &b->epochs[j - 1];
        if (x->epoch == y->epoch) {
            uint64_t end = end_of(a, i - 1) < end_of(b, j - 1) ? end_of(a, i - 1) : end_of(b, j - 1);
            if (end >= x->first && end >= y->first) return (struct store_position){x->epoch, end};
        }
        if (x->epoch >= y->epoch) i--;
        if (x->epoch <= y->epoch) j--;
    }
    return (struct store_position){0, 0};
}
