#include "store/row.h"

#include "store/memory.h"

struct row *row_new(struct bytes key, size_t value_len, uint64_t sequence)
{
    struct row *r = memory_resize(NULL, sizeof *r + key.len + value_len);
    *r = (struct row){.sequence = sequence, .value_len = value_len, .key_len = (uint16_t)key.len};
    memcpy(r->bytes, key.data, key.len);
    return r;
}

int row_compare(const struct row *a, const struct row *b)
{
    int order = bytes_compare(row_key(a), row_key(b));
    return order ? order : a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int compare_places(const void *a, const void *b)
{
    return row_compare(*(struct row *const *)a, *(struct row *const *)b);
}

void row_sort(struct row **rows, size_t count)
{
    if (count > 1) qsort(rows, count, sizeof(struct row *), compare_places);
}

struct turn *turn_new(void)
{
    return memory_zeroed(1, sizeof(struct turn));
}

void turn_add(struct turn *t, struct row *r)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        t->rows = memory_resize(t->rows, t->cap * sizeof(struct row *));
    }
    r->place = t->count;
    t->rows[t->count++] = r;
    t->size_bytes += row_size(r);
}

void turn_replace(struct turn *t, struct row *old, struct row *fresh)
{
    fresh->place = old->place;
    t->rows[fresh->place] = fresh;
    t->size_bytes += row_size(fresh) - row_size(old);
}

void turn_free_all(struct turn *first)
{
    while (first) {
        struct turn *next = first->next;
        for (size_t i = 0; i < first->count; i++) free(first->rows[i]);
        free(first->rows);
        free(first);
        first = next;
    }
}
