#include "keyspace/databases.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/rowkey.h"

static void *need(void *memory)
{
    if (memory) return memory;
    fprintf(stderr, "out of memory: databases\n");
    abort();
}

void databases_init(struct databases *d)
{
    *d = (struct databases){.next_id = 1};
}

void databases_release(struct databases *d)
{
    for (unsigned i = 0; i < d->count; i++) free(d->list[i].slots);
    free(d->list);
    free(d->by_id);
    databases_init(d);
}

/* Adds one number with an id greater than all others. */
static void append(struct databases *d, uint32_t id)
{
    d->list = need(realloc(d->list, (d->count + 1) * sizeof *d->list));
    d->by_id = need(realloc(d->by_id, (d->count + 1) * sizeof *d->by_id));
    d->list[d->count] = (struct database){.id = id};
    d->by_id[d->count] = d->count;
    d->count++;
}

void databases_grow(struct databases *d, unsigned count)
{
    while (d->count < count) append(d, d->next_id++);
}

/* Where in by_id the id is, or would be. */
static unsigned position_of(const struct databases *d, uint32_t id)
{
    unsigned low = 0, high = d->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (d->list[d->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct database *databases_find(const struct databases *d, uint32_t id)
{
    unsigned at = position_of(d, id);
    if (at == d->count) return NULL;
    struct database *db = &d->list[d->by_id[at]];
    return db->id == id ? db : NULL;
}

static void need_slots(struct database *db)
{
    if (!db->slots) db->slots = need(calloc(ROWKEY_SLOTS, sizeof *db->slots));
}

void databases_set_slot(struct databases *d, struct database *db, unsigned slot, struct keyspace_held held)
{
    need_slots(db);
    db->slots[slot] = held;
    db->size += held.keys;
    db->bytes += held.bytes;
    d->held.keys += held.keys;
    d->held.bytes += held.bytes;
}

void databases_set_expiring(struct databases *d, struct database *db, uint64_t expiring)
{
    db->expiring = expiring;
    d->expiring += expiring;
}

void databases_clear(struct databases *d, struct database *db)
{
    d->held.keys -= db->size;
    d->held.bytes -= db->bytes;
    d->expiring -= db->expiring;
    free(db->slots);
    *db = (struct database){.id = db->id, .changed = true};
}

void databases_count(struct databases *d, struct database *db, unsigned slot, int keys, int expiring, int64_t bytes)
{
    need_slots(db);
    struct keyspace_held *held = &db->slots[slot];
    db->changed = true;
    assert(keys >= 0 || held->keys > 0);
    assert(expiring >= 0 || db->expiring > 0);
    assert(bytes >= 0 || held->bytes >= (uint64_t)-bytes);
    held->keys += (uint64_t)(int64_t)keys;
    held->bytes += (uint64_t)bytes;
    db->size += (uint64_t)(int64_t)keys;
    db->expiring += (uint64_t)(int64_t)expiring;
    db->bytes += (uint64_t)bytes;
    d->held.keys += (uint64_t)(int64_t)keys;
    d->held.bytes += (uint64_t)bytes;
    d->expiring += (uint64_t)(int64_t)expiring;
}

struct keyspace_held databases_slot(const struct database *db, unsigned slot)
{
    return db->slots ? db->slots[slot] : (struct keyspace_held){0, 0};
}

void databases_swap(struct databases *d, unsigned a, unsigned b)
{
    unsigned at_a = position_of(d, d->list[a].id), at_b = position_of(d, d->list[b].id);
    struct database kept = d->list[a];
    d->list[a] = d->list[b];
    d->list[b] = kept;
    d->by_id[at_a] = b;
    d->by_id[at_b] = a;
}

void databases_write(struct buffer *b, const struct databases *d)
{
    write_u32(b, d->next_id);
    write_u32(b, d->count);
    for (unsigned i = 0; i < d->count; i++) write_u32(b, d->list[i].id);
}

static int compare_ids(const void *a, const void *b, void *list)
{
    const struct database *left = (const struct database *)list + *(const unsigned *)a;
    const struct database *right = (const struct database *)list + *(const unsigned *)b;
    return left->id < right->id ? -1 : left->id > right->id;
}

void databases_read(struct reader *r, struct databases *d)
{
    d->next_id = read_u32(r);
    uint32_t count = read_count(r, DATABASES_MAX, 4);
    for (uint32_t i = 0; i < count; i++) append(d, read_u32(r));
    if (count) qsort_r(d->by_id, count, sizeof *d->by_id, compare_ids, d->list);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = d->list[d->by_id[i]].id, before = i ? d->list[d->by_id[i - 1]].id : 0;
        if (id <= before || id >= d->next_id) r->failed = true;
    }
}
