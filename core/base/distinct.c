#include "base/distinct.h"

#include "base/random.h"
#include "base/siphash.h"

#define FIRST 64 /* slots */

static struct distinct_entry *slots_new(struct arena *arena, size_t cap)
{
    struct distinct_entry *slots = arena_alloc(arena, cap * sizeof *slots);
    memset(slots, 0, cap * sizeof *slots);
    return slots;
}

void distinct_init(struct distinct *d, struct arena *arena, uint64_t *random)
{
    *d = (struct distinct){.arena = arena, .cap = FIRST, .slots = slots_new(arena, FIRST)};
    d->seed[0] = random_next(random);
    d->seed[1] = random_next(random);
}

/* Where it is, or the free slot where it goes. */
static struct distinct_entry *locate(const struct distinct *d, struct bytes b)
{
    size_t at = siphash(d->seed, b.data, b.len) & (d->cap - 1);
    while (d->slots[at].bytes.data && !bytes_equal(d->slots[at].bytes, b)) at = (at + 1) & (d->cap - 1);
    return &d->slots[at];
}

static void grow(struct distinct *d)
{
    struct distinct_entry *old = d->slots;
    size_t old_cap = d->cap;
    d->cap *= 2;
    d->slots = slots_new(d->arena, d->cap);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].bytes.data) *locate(d, old[i].bytes) = old[i];
}

struct distinct_entry *distinct_enter(struct distinct *d, struct bytes b, bool *is_new)
{
    if (!b.data) b = bytes_of("", 0);
    struct distinct_entry *entry = locate(d, b);
    *is_new = !entry->bytes.data;
    if (!*is_new) return entry;
    if (2 * (d->count + 1) > d->cap) {
        grow(d);
        entry = locate(d, b);
    }
    *entry = (struct distinct_entry){b, d->count++};
    return entry;
}

bool distinct_add(struct distinct *d, struct bytes b)
{
    bool is_new;
    distinct_enter(d, b, &is_new);
    return is_new;
}
