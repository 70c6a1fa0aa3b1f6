#include "keyspace/candidates.h"

#include <assert.h>

static size_t lowest(const struct candidates *c)
{
    size_t at = 0;
    for (size_t i = 1; i < c->count; i++)
        if (c->rank[i] < c->rank[at]) at = i;
    return at;
}

static size_t highest(const struct candidates *c)
{
    size_t at = 0;
    for (size_t i = 1; i < c->count; i++)
        if (c->rank[i] > c->rank[at]) at = i;
    return at;
}

static void set(struct candidates *c, size_t at, uint64_t rank, struct bytes name)
{
    assert(name.len <= ROWKEY_MAX);
    c->rank[at] = rank;
    c->name[at].len = (uint16_t)name.len;
    memcpy(c->name[at].bytes, name.data, name.len);
}

void candidates_offer(struct candidates *c, uint64_t rank, struct bytes name)
{
    bool full = c->count == CANDIDATES_MAX;
    size_t at = full ? lowest(c) : c->count++;
    if (!full || rank > c->rank[at]) set(c, at, rank, name);
}

struct bytes candidates_take(struct candidates *c, uint8_t out[ROWKEY_MAX])
{
    assert(c->count > 0);
    size_t at = highest(c), len = c->name[at].len, last = --c->count;
    memcpy(out, c->name[at].bytes, len);
    if (at != last) set(c, at, c->rank[last], bytes_of(c->name[last].bytes, c->name[last].len));
    return bytes_of(out, len);
}
