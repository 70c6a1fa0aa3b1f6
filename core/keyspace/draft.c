#include "keyspace/draft.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/keyspace_state.h"

static void reserve(struct buffer *b, size_t len)
{
    if (buffer_reserve(b, len)) return;
    fprintf(stderr, "out of memory: %zu bytes for a value\n", len);
    abort();
}

void draft_begin(struct draft *d, struct keyspace *ks, struct bytes payload)
{
    struct buffer *b = &ks->draft;
    *d = (struct draft){.ks = ks, .begun = true, .was = payload.len, .front = payload.len, .back = payload.len};
    buffer_clear(b);
    reserve(b, payload.len);
    if (payload.len) memcpy(b->data, payload.data, payload.len);
    b->len = payload.len;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

uint8_t *draft_open(struct draft *d, size_t at, size_t removed, size_t len)
{
    struct buffer *b = &d->ks->draft;
    assert(at <= b->len && removed <= b->len - at);
    size_t behind = b->len - at - removed;
    reserve(b, len);
    memmove(b->data + at + len, b->data + at + removed, behind);
    b->len = at + len + behind;
    d->front = least(d->front, at);
    d->back = least(d->back, behind);
    return b->data + at;
}

struct bytes draft_bytes(const struct draft *d)
{
    return buffer_bytes(&d->ks->draft);
}

void draft_splice(struct draft *d, const struct entry *en)
{
    struct bytes now = draft_bytes(d);
    keyspace_splice_payload(d->ks, en, d->front, d->was - d->front - d->back, bytes_of(now.data + d->front, now.len - d->front - d->back), 0);
}
