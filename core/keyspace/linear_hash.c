#include "keyspace/linear_hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/siphash.h"
#include "keyspace/keyspace_state.h"

/* ---- where an element is ---- */

static uint64_t hash_of(const struct keyspace *ks, struct bytes key)
{
    return siphash(ks->seed.hash, key.data, key.len);
}

static uint8_t tag_of(uint64_t hash)
{
    return (uint8_t)(1 + (hash >> 32) % 255); /* the low bits tell the bucket */
}

/* L: 2^L <= buckets < 2^(L+1). */
static unsigned level_of(uint32_t buckets)
{
    return 31u - (unsigned)__builtin_clz(buckets);
}

/* How many bits of the hash the number of the bucket is made of that a hash leads to. */
static unsigned bits_of(uint32_t buckets, uint64_t hash)
{
    unsigned level = level_of(buckets);
    uint64_t half = (uint64_t)1 << level;
    return (hash & (half - 1)) + half < buckets ? level + 1 : level; /* whether it is split already */
}

static uint32_t bucket_of(uint32_t buckets, uint64_t hash)
{
    return (uint32_t)(hash & (((uint64_t)1 << bits_of(buckets, hash)) - 1));
}

uint32_t linear_hash_origin(uint32_t last)
{
    return last & ~((uint32_t)1 << level_of(last));
}

/* ---- buckets ---- */

struct bucket {
    struct bytes row; /* empty: no row */
    size_t count;     /* elements, and tags; the zero is behind these */
};

static struct bucket bucket_read(struct keyspace *ks, const struct linear_hash *h, uint32_t number)
{
    struct bucket b = {.row = node_get(ks, &h->root.object, number)};
    if (!b.row.len) return b;
    const uint8_t *zero = memchr(b.row.data, 0, b.row.len);
    assert(zero); /* rows come back as they were written */
    b.count = (size_t)(zero - b.row.data);
    return b;
}

static struct bytes bucket_elements(const struct bucket *b)
{
    return b->row.len ? bytes_of(b->row.data + b->count + 1, b->row.len - b->count - 1) : b->row;
}

/* An element within a row. */
struct place {
    uint32_t bucket;
    size_t tag_at, at, size;
    struct element el;
};

static bool find(const struct bucket *b, uint8_t tag, struct bytes key, struct place *out)
{
    if (!b->count || !memchr(b->row.data, tag, b->count)) return false;
    struct bytes rest = bucket_elements(b);
    const uint8_t *tags = b->row.data + b->count;
    while (rest.len) {
        const uint8_t *begin = rest.data;
        bool candidate = *--tags == tag, whole = candidate ? element_next(&rest, &out->el) : element_skip(&rest);
        assert(whole);
        if (!candidate || !bytes_equal(out->el.key, key)) continue;
        out->tag_at = (size_t)(tags - b->row.data);
        out->at = (size_t)(begin - b->row.data);
        out->size = (size_t)(rest.data - begin);
        return true;
    }
    return false;
}

static uint8_t *need(size_t size)
{
    uint8_t *room = malloc(size);
    if (room) return room;
    fprintf(stderr, "out of memory: %zu bytes for a bucket\n", size);
    abort();
}

/* ---- splitting and joining ---- */

/* One of the two that a bucket is split into. Tags grow to the front, elements to the end, from where they meet. */
struct half {
    uint8_t *room;
    size_t tags_at, end;
};

static void half_add(struct half *half, uint8_t tag, struct bytes element)
{
    half->room[--half->tags_at] = tag;
    memcpy(half->room + half->end, element.data, element.len);
    half->end += element.len;
}

static void half_put(struct keyspace *ks, const struct linear_hash *h, uint32_t number, const struct half *half)
{
    node_put(ks, &h->root.object, number, bytes_of(half->room + half->tags_at, half->end - half->tags_at));
}

/* Elements of `b` whose hash leads to `number`, now that there is one of that number, go to `moved`, the others to `kept`. */
static void divide(struct keyspace *ks, const struct linear_hash *h, const struct bucket *b, uint32_t number, struct half *kept, struct half *moved)
{
    struct bytes rest = bucket_elements(b);
    const uint8_t *tags = b->row.data + b->count;
    struct element el;
    while (rest.len) {
        const uint8_t *begin = rest.data;
        bool whole = element_next(&rest, &el);
        assert(whole);
        (void)whole;
        bool moves = bucket_of(h->root.object.nodes, hash_of(ks, el.key)) == number;
        half_add(moves ? moved : kept, *--tags, bytes_of(begin, (size_t)(rest.data - begin)));
    }
}

static void split(struct keyspace *ks, struct linear_hash *h)
{
    uint32_t number = h->root.object.nodes++, origin = linear_hash_origin(number);
    struct bucket b = bucket_read(ks, h, origin);
    if (!b.count) return;
    uint8_t *room = need(2 * b.row.len);
    struct half kept = {room, b.count, b.count + 1}, moved = {room + b.row.len, b.count, b.count + 1};
    kept.room[b.count] = moved.room[b.count] = 0;
    divide(ks, h, &b, number, &kept, &moved);
    if (moved.tags_at < b.count) {
        half_put(ks, h, number, &moved);
        if (kept.tags_at < b.count)
            half_put(ks, h, origin, &kept);
        else
            node_delete(ks, &h->root.object, origin);
    }
    free(room);
}

static void join(struct keyspace *ks, struct linear_hash *h)
{
    const struct object *object = &h->root.object;
    uint32_t number = --h->root.object.nodes, origin = linear_hash_origin(number);
    struct bucket last = bucket_read(ks, h, number), first = bucket_read(ks, h, origin);
    if (!last.count) return;
    struct bytes elements = bucket_elements(&last);
    size_t len = last.count + (first.count ? first.row.len : 1) + elements.len;
    uint8_t *out = node_put_open(ks, object, origin, len);
    memcpy(out, last.row.data, last.count);
    out += last.count;
    *out = 0;
    if (first.count) memcpy(out, first.row.data, first.row.len);
    memcpy(out + (first.count ? first.row.len : 1), elements.data, elements.len);
    node_delete(ks, object, number);
}

/* As many buckets as bytes or elements fill, but no more than there are elements. */
static uint64_t wanted_buckets(const struct linear_hash *h)
{
    uint64_t by_bytes = h->root.bytes / LINEAR_HASH_FILL, by_count = h->root.count / LINEAR_HASH_ELEMENTS;
    uint64_t full = by_bytes > by_count ? by_bytes : by_count;
    return 1 + (full < h->root.count ? full : h->root.count);
}

/* A step towards them, after each change. An element that goes may be all that one bucket was wanted for, so LINEAR_HASH_SPARE buckets too many go with it: with
 * fewer, large elements that are removed would leave their buckets behind, through which walks and random picks then have to look for the rest. */
static void adjust(struct keyspace *ks, struct linear_hash *h)
{
    uint64_t wanted = wanted_buckets(h);
    if (h->root.object.nodes < wanted && h->root.object.nodes < UINT32_MAX) {
        split(ks, h);
        return;
    }
    for (unsigned i = 0; i < LINEAR_HASH_SPARE && h->root.object.nodes > LINEAR_HASH_SPARE * wanted; i++) join(ks, h);
}

/* ---- for who has rows read ahead ---- */

uint64_t linear_hash_wanted(const struct linear_hash *h)
{
    return wanted_buckets(h);
}

uint32_t linear_hash_bucket(const struct keyspace *ks, const struct linear_hash *h, struct bytes key)
{
    return bucket_of(h->root.object.nodes, hash_of(ks, key));
}

/* ---- one element ---- */

void linear_hash_init(struct linear_hash *h, const struct object *object)
{
    *h = (struct linear_hash){.root.object = *object};
    h->root.object.nodes = 1;
}

bool linear_hash_get(struct keyspace *ks, const struct linear_hash *h, struct bytes key, struct element *out)
{
    uint64_t hash = hash_of(ks, key);
    struct bucket b = bucket_read(ks, h, bucket_of(h->root.object.nodes, hash));
    struct place p;
    if (!find(&b, tag_of(hash), key, &p)) return false;
    *out = p.el;
    return true;
}

#define ROOM 2048 /* bytes; what is larger is put together on the heap */

/* Where tags and elements meet. */
static void insert(struct keyspace *ks, const struct linear_hash *h, uint32_t number, const struct bucket *b, uint8_t tag, const struct element *el)
{
    size_t len = 2 + element_size(el);
    uint8_t room[ROOM], *out = len > ROOM ? need(len) : room;
    out[0] = tag;
    out[1] = 0;
    element_write(out + 2, el);
    node_splice(ks, &h->root.object, number, b->count, b->count ? 1 : 0, bytes_of(out, len));
    if (out != room) free(out);
}

/* The value alone where its length stays; nothing where it stays as it is. */
static void replace(struct keyspace *ks, const struct linear_hash *h, const struct place *p, const struct element *el, size_t len)
{
    if (p->el.mark == el->mark && p->el.value.len == el->value.len) {
        if (bytes_equal(p->el.value, el->value)) return;
        node_splice(ks, &h->root.object, p->bucket, p->at + p->size - el->value.len, el->value.len, el->value);
        return;
    }
    uint8_t room[ROOM], *out = len > ROOM ? need(len) : room;
    element_write(out, el);
    node_splice(ks, &h->root.object, p->bucket, p->at, p->size, bytes_of(out, len));
    if (out != room) free(out);
}

/* `over`: in place of one that is there, whose value is copied into `before` if that is not NULL. */
static bool put(struct keyspace *ks, struct linear_hash *h, const struct element *el, bool over, uint8_t *before)
{
    uint64_t hash = hash_of(ks, el->key);
    struct place p = {.bucket = bucket_of(h->root.object.nodes, hash)};
    struct bucket b = bucket_read(ks, h, p.bucket);
    bool there = find(&b, tag_of(hash), el->key, &p);
    if (there && !over) return false;
    if (there && before) memcpy(before, p.el.value.data, p.el.value.len);
    size_t len = element_size(el);
    h->root.bytes += len;
    if (there) {
        h->root.bytes -= p.size;
        replace(ks, h, &p, el, len);
    } else {
        h->root.count++;
        insert(ks, h, p.bucket, &b, tag_of(hash), el);
    }
    if (!there || len != p.size) adjust(ks, h);
    return !there;
}

bool linear_hash_put(struct keyspace *ks, struct linear_hash *h, const struct element *el)
{
    return put(ks, h, el, true, NULL);
}

bool linear_hash_exchange(struct keyspace *ks, struct linear_hash *h, const struct element *el, uint8_t *before)
{
    return put(ks, h, el, true, before);
}

bool linear_hash_add(struct keyspace *ks, struct linear_hash *h, const struct element *el)
{
    return put(ks, h, el, false, NULL);
}

bool linear_hash_remove(struct keyspace *ks, struct linear_hash *h, struct bytes key)
{
    uint64_t hash = hash_of(ks, key);
    const struct object *object = &h->root.object;
    struct place p = {.bucket = bucket_of(object->nodes, hash)};
    struct bucket b = bucket_read(ks, h, p.bucket);
    if (!find(&b, tag_of(hash), key, &p)) return false;
    if (b.count == 1) {
        node_delete(ks, object, p.bucket);
    } else {
        node_splice(ks, object, p.bucket, p.at, p.size, bytes_of(NULL, 0));
        node_splice(ks, object, p.bucket, p.tag_at, 1, bytes_of(NULL, 0));
    }
    h->root.count--;
    h->root.bytes -= p.size;
    adjust(ks, h);
    return true;
}

/* ---- many ---- */

bool linear_hash_next(struct keyspace *ks, const struct linear_hash *h, struct linear_hash_walk *w, struct element *out)
{
    while (!w->packed.len) {
        if (w->bucket == h->root.object.nodes) return false;
        struct bucket b = bucket_read(ks, h, w->bucket++);
        w->packed = bucket_elements(&b);
    }
    bool whole = element_next(&w->packed, out);
    assert(whole);
    return whole;
}

static uint64_t reverse(uint64_t v)
{
    v = (v >> 1 & 0x5555555555555555u) | (v & 0x5555555555555555u) << 1;
    v = (v >> 2 & 0x3333333333333333u) | (v & 0x3333333333333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0fu) | (v & 0x0f0f0f0f0f0f0f0fu) << 4;
    return __builtin_bswap64(v);
}

/* Hashes with their bits reversed are a line, of which every bucket has one piece; a split divides a piece, a join puts two back together. The cursor
 * is where the next piece begins (reversed, so that it is a small number): what lies before it was given. */
static uint64_t behind(uint32_t buckets, uint64_t cursor)
{
    unsigned bits = bits_of(buckets, cursor);
    if (!bits) return 0; /* one bucket: all of the line */
    uint64_t piece = (uint64_t)1 << (64 - bits);
    return reverse((reverse(cursor) & ~(piece - 1)) + piece); /* 0 behind the last */
}

uint64_t linear_hash_scan(struct keyspace *ks, const struct linear_hash *h, uint64_t cursor,
                          void (*visit)(void *user, const struct element *el), void *user)
{
    uint32_t buckets = h->root.object.nodes;
    struct bucket b = bucket_read(ks, h, bucket_of(buckets, cursor));
    struct bytes rest = bucket_elements(&b);
    struct element el;
    while (element_next(&rest, &el)) visit(user, &el);
    return behind(buckets, cursor);
}

uint32_t linear_hash_scanned(const struct linear_hash *h, uint64_t *cursor)
{
    uint32_t bucket = bucket_of(h->root.object.nodes, *cursor);
    *cursor = behind(h->root.object.nodes, *cursor);
    return bucket;
}

void linear_hash_random(struct keyspace *ks, const struct linear_hash *h, uint64_t *random, struct element *out)
{
    /* A hash leads to a bucket not split yet twice as often as to one that is, which has half as many elements; and a bucket is taken with the
     * chance of its fill, by what hardly any passes: three deviations above the mean. */
    uint32_t buckets = h->root.object.nodes;
    unsigned level = level_of(buckets);
    uint64_t most_split = (h->root.count >> level) * 3 / 4 + 6, hash, most;
    struct bucket b;
    assert(h->root.count);
    do {
        hash = random_next(random);
        most = bits_of(buckets, hash) > level ? most_split : 2 * most_split;
        b = bucket_read(ks, h, bucket_of(buckets, hash));
    } while (random_below(random, most) >= b.count);
    struct bytes rest = bucket_elements(&b);
    for (uint64_t n = random_below(random, b.count); n; n--) element_skip(&rest);
    element_next(&rest, out);
}

/* ---- what must hold ---- */

static int wrong(const struct linear_hash *h, uint32_t number, const char *what, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "bucket %u of object %llu: %s", number, (unsigned long long)h->root.object.id, what);
}

static bool has_key_twice(struct bytes rest)
{
    struct element el, other;
    size_t at;
    while (element_next(&rest, &el))
        if (element_find(rest, el.key, &other, &at)) return true;
    return false;
}

/* Counts what is there in `found`. */
static int check_bucket(struct keyspace *ks, const struct linear_hash *h, uint32_t number, struct object_root *found, struct error *e)
{
    struct bytes row = node_get(ks, &h->root.object, number);
    if (!row.len) return 0;
    const uint8_t *tags = memchr(row.data, 0, row.len);
    if (!tags) return wrong(h, number, "its tags have no end", e);
    struct bytes elements = bytes_of(tags + 1, row.len - (size_t)(tags + 1 - row.data)), rest = elements;
    struct element el;
    while (element_next(&rest, &el)) {
        uint64_t hash = hash_of(ks, el.key);
        if (tags == row.data || *--tags != tag_of(hash)) return wrong(h, number, "an element has another's tag", e);
        if (bucket_of(h->root.object.nodes, hash) != number) return wrong(h, number, "an element belongs elsewhere", e);
        found->count++;
    }
    found->bytes += elements.len;
    if (rest.len || tags != row.data) return wrong(h, number, "it is damaged", e);
    return has_key_twice(elements) ? wrong(h, number, "a key is there twice", e) : 0;
}

int linear_hash_check(struct keyspace *ks, const struct linear_hash *h, struct error *e)
{
    struct object_root found = {.count = 0};
    int rc = 0;
    for (uint32_t n = 0; !rc && n < h->root.object.nodes; n++) rc = check_bucket(ks, h, n, &found, e);
    if (rc || (found.count == h->root.count && found.bytes == h->root.bytes)) return rc;
    return error_set(e, ERROR_FORMAT, "object %llu: its root says %llu elements of %llu bytes, but there are %llu of %llu",
                     (unsigned long long)h->root.object.id, (unsigned long long)h->root.count, (unsigned long long)h->root.bytes,
                     (unsigned long long)found.count, (unsigned long long)found.bytes);
}
