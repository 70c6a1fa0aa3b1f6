#include "store/drop.h"

#include <assert.h>

#include "store/memory.h"

void drop_list_release(struct drop_list *l)
{
    free(l->drops);
    *l = (struct drop_list){0};
}

/* Whether every row of `inner` is one of `outer`. */
static bool contains(const struct store_range *outer, const struct store_range *inner)
{
    if (outer->first_slot > inner->first_slot || outer->last_slot < inner->last_slot) return false;
    return !outer->one_database || (inner->one_database && inner->database == outer->database);
}

void drop_list_add(struct drop_list *l, const struct store_range *range, uint64_t sequence)
{
    assert(range->first_slot <= range->last_slot && sequence >= drop_list_last(l));
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (!contains(range, &l->drops[i].range)) l->drops[kept++] = l->drops[i];
    l->count = kept;
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 4;
        l->drops = memory_resize(l->drops, l->cap * sizeof *l->drops);
    }
    l->drops[l->count++] = (struct drop){*range, sequence};
}

void drop_list_add_newer(struct drop_list *l, const struct drop_list *from, uint64_t sequence)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->drops[i].sequence > sequence) drop_list_add(l, &from->drops[i].range, from->drops[i].sequence);
}

void drop_list_forget(struct drop_list *l, uint64_t sequence)
{
    size_t old = 0;
    while (old < l->count && l->drops[old].sequence <= sequence) old++;
    l->count -= old;
    if (old && l->count) memmove(l->drops, l->drops + old, l->count * sizeof *l->drops);
}

static uint64_t slot_of(uint64_t group)
{
    return group >> 32;
}

static bool covers(const struct store_range *r, uint64_t group)
{
    uint64_t slot = slot_of(group);
    return slot >= r->first_slot && slot <= r->last_slot && (!r->one_database || (uint32_t)group == r->database);
}

const struct drop *drop_find(const struct drop_list *l, struct bytes key)
{
    uint64_t group = row_group(key);
    for (size_t i = l->count; i--;)
        if (covers(&l->drops[i].range, group)) return &l->drops[i];
    return NULL;
}

/* The first group from `group` on that the range covers; ROW_GROUPS: none. */
static uint64_t next_covered(const struct store_range *r, uint64_t group)
{
    uint64_t slot = slot_of(group);
    if (slot < r->first_slot) {
        slot = r->first_slot;
        group = slot << 32;
    }
    if (r->one_database) {
        if ((uint32_t)group > r->database) slot++;
        group = slot << 32 | r->database;
    }
    return slot <= r->last_slot ? group : ROW_GROUPS;
}

uint64_t drop_next_group(const struct drop_list *l, uint64_t group)
{
    uint64_t first = ROW_GROUPS;
    for (size_t i = 0; i < l->count; i++) {
        uint64_t next = next_covered(&l->drops[i].range, group);
        if (next < first) first = next;
    }
    return first;
}

uint64_t drop_end(const struct drop *d, uint64_t group)
{
    return d->range.one_database ? group + 1 : ((uint64_t)d->range.last_slot + 1) << 32;
}
