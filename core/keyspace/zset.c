/* Sorted sets: opening and reading. */
#include "keyspace/zset.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/zset_key.h"

static void must(bool holds)
{
    assert(holds); /* only zset.c writes these rows */
    (void)holds;
}

void zset_key_make(struct zset_key *k, uint64_t order, struct bytes member)
{
    size_t len = ZSET_SCORE + member.len;
    k->heap = len > sizeof k->room ? malloc(len) : NULL;
    if (len > sizeof k->room && !k->heap) {
        fprintf(stderr, "out of memory: a member of a sorted set\n");
        abort();
    }
    uint8_t *out = k->heap ? k->heap : k->room;
    order = htobe64(order);
    memcpy(out, &order, ZSET_SCORE);
    if (member.len) memcpy(out + ZSET_SCORE, member.data, member.len);
    k->bytes = bytes_of(out, len);
}

void zset_key_release(struct zset_key *k)
{
    free(k->heap);
}

/* ---- opening ---- */

static uint64_t count_of(struct bytes packed)
{
    struct element el;
    uint64_t n = 0;
    for (; packed.len; n++) must(element_next(&packed, &el));
    return n;
}

static void read_roots(const struct entry *en, uint32_t database_id, struct keyspace_zset *out)
{
    struct reader r = reader_of(en->payload);
    bool whole = object_root_read(&r, database_id, &out->scores.root) && counted_tree_read(&r, database_id, &out->order);
    must(whole);
}

void keyspace_zset_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *found, struct keyspace_zset *out)
{
    bool exists = found->type != KEYSPACE_NONE;
    assert(!exists || found->type == KEYSPACE_ZSET);
    *out = (struct keyspace_zset){.ks = ks, .key = key, .exists = exists, .large = keyspace_zset_is_large(found)};
    out->en = (struct entry){KEYSPACE_ZSET, out->large ? ENTRY_SORTED : ENTRY_WHOLE, found->expires_ms, rowkey_is_named_by_hash(key), key, found->payload, 0};
    if (out->large) {
        read_roots(&out->en, ks->databases.list[ks->current].id, out);
        out->count = out->scores.root.count;
    } else {
        out->packed = found->payload;
        out->count = count_of(out->packed);
    }
}

bool keyspace_zset_is_large(const struct keyspace_entry *e)
{
    return e->type == KEYSPACE_ZSET && e->form == ENTRY_SORTED;
}

/* ---- one member ---- */

bool keyspace_zset_score(struct keyspace_zset *z, struct bytes member, double *out)
{
    struct element el;
    size_t at;
    bool there = z->large ? linear_hash_get(z->ks, &z->scores, member, &el) : element_find(z->packed, member, &el, &at);
    if (there) *out = zset_score_read(el.value);
    return there;
}

bool keyspace_zset_rank(struct keyspace_zset *z, struct bytes member, uint64_t *out)
{
    struct element el;
    double score;
    if (z->large) {
        struct zset_key k;
        bool equal;
        if (!keyspace_zset_score(z, member, &score)) return false;
        zset_key_make(&k, zset_order(score), member);
        *out = counted_tree_rank(z->ks, &z->order, k.bytes, &equal);
        zset_key_release(&k);
        must(equal);
        return true;
    }
    *out = 0;
    for (struct bytes rest = z->packed; rest.len; ++*out) {
        must(element_next(&rest, &el));
        if (bytes_equal(el.key, member)) return true;
    }
    return false;
}

/* ---- bounds ---- */

uint64_t keyspace_zset_below(struct keyspace_zset *z, double score, bool same)
{
    struct element el;
    uint64_t n = 0;
    if (isinf(score) && same == (score > 0)) return same ? z->count : 0; /* bounds that leave nothing out, as many requests have */
    if (z->large) {
        struct zset_key k;
        zset_key_make(&k, zset_order(score) + same, bytes_of(NULL, 0)); /* no score's order is the greatest number: those are NaNs' */
        n = counted_tree_rank(z->ks, &z->order, k.bytes, NULL);
        zset_key_release(&k);
        return n;
    }
    for (struct bytes rest = z->packed; rest.len; n++) {
        must(element_next(&rest, &el));
        double at = zset_score_read(el.value);
        if (same ? at > score : at >= score) break;
    }
    return n;
}

static uint64_t before_in_tree(struct keyspace_zset *z, struct bytes member, bool same)
{
    struct counted_tree_walk first = {0};
    struct element el;
    struct zset_key k;
    uint64_t order;
    bool equal;
    if (!counted_tree_next(z->ks, &z->order, &first, &el)) return 0;
    memcpy(&order, el.key.data, ZSET_SCORE);
    zset_key_make(&k, be64toh(order), member);
    uint64_t n = counted_tree_rank(z->ks, &z->order, k.bytes, &equal);
    zset_key_release(&k);
    return n + (same && equal);
}

uint64_t keyspace_zset_before(struct keyspace_zset *z, struct bytes member, bool same)
{
    struct element el;
    uint64_t n = 0;
    if (z->large) return before_in_tree(z, member, same);
    for (struct bytes rest = z->packed; rest.len; n++) {
        must(element_next(&rest, &el));
        int order = bytes_compare(el.key, member);
        if (same ? order > 0 : order >= 0) break;
    }
    return n;
}

/* ---- many ---- */

void keyspace_zset_walk(struct keyspace_zset *z, uint64_t position, bool backwards, struct keyspace_zset_walk *w)
{
    struct element el;
    if (z->large) {
        w->tree = (struct counted_tree_walk){.position = position, .backwards = backwards};
        return;
    }
    w->rest = position < z->count ? z->packed : bytes_of(NULL, 0);
    w->left = 0;
    if (!w->rest.len) return;
    for (uint64_t i = 0; i < position + backwards; i++) {
        w->at[i] = (uint16_t)(w->rest.data - z->packed.data);
        must(element_next(&w->rest, &el));
    }
    w->left = backwards ? (unsigned)position + 1 : 0;
    if (backwards) w->rest = bytes_of(NULL, 0);
}

bool keyspace_zset_next(struct keyspace_zset *z, struct keyspace_zset_walk *w, struct keyspace_scored *out)
{
    struct element el;
    if (z->large) {
        if (!counted_tree_next(z->ks, &z->order, &w->tree, &el)) return false;
        *out = zset_scored_of_key(&el);
        return true;
    }
    if (w->left) {
        size_t at = w->at[--w->left];
        w->rest = bytes_of(z->packed.data + at, z->packed.len - at);
        must(element_next(&w->rest, &el));
        w->rest = bytes_of(NULL, 0);
    } else if (w->rest.len) {
        must(element_next(&w->rest, &el));
    } else {
        return false;
    }
    *out = zset_scored(&el);
    return true;
}

void keyspace_zset_random(struct keyspace_zset *z, uint64_t *random, struct keyspace_scored *out)
{
    struct element el;
    assert(z->count);
    if (z->large) {
        linear_hash_random(z->ks, &z->scores, random, &el);
    } else {
        struct bytes rest = z->packed;
        for (uint64_t n = random_below(random, z->count) + 1; n; n--) must(element_next(&rest, &el));
    }
    *out = zset_scored(&el);
}

struct scan {
    void (*visit)(void *user, const struct keyspace_scored *s);
    void *user;
};

static void give(void *user, const struct element *el)
{
    const struct scan *sc = user;
    struct keyspace_scored s = zset_scored(el);
    sc->visit(sc->user, &s);
}

uint64_t keyspace_zset_scan(struct keyspace_zset *z, uint64_t cursor, void (*visit)(void *user, const struct keyspace_scored *s), void *user)
{
    struct scan sc = {visit, user};
    struct element el;
    if (z->large) return linear_hash_scan(z->ks, &z->scores, cursor, give, &sc);
    for (struct bytes rest = z->packed; rest.len;) {
        must(element_next(&rest, &el));
        give(&sc, &el);
    }
    return 0;
}

int keyspace_scored_compare(const struct keyspace_scored *a, const struct keyspace_scored *b)
{
    if (a->score != b->score) return a->score < b->score ? -1 : 1;
    return bytes_compare(a->member, b->member);
}

/* ---- what must hold ---- */

static int check_large(struct keyspace *ks, const struct keyspace_zset *z, struct error *e)
{
    struct counted_tree_walk w = {0};
    struct element el, found;
    int rc = linear_hash_check(ks, &z->scores, e);
    if (!rc) rc = counted_tree_check(ks, &z->order, true, e);
    if (!rc && z->scores.root.count != z->order.root.count)
        rc = error_set(e, ERROR_FORMAT, "a sorted set has %llu members with scores, %llu in order", (unsigned long long)z->scores.root.count,
                       (unsigned long long)z->order.root.count);
    while (!rc && counted_tree_next(ks, &z->order, &w, &el)) {
        if (el.key.len < ZSET_SCORE) return error_set(e, ERROR_FORMAT, "a member of a sorted set has no score in order");
        struct keyspace_scored s = zset_scored_of_key(&el);
        bool there = linear_hash_get(ks, &z->scores, s.member, &found) && found.value.len == ZSET_SCORE;
        double score = there ? zset_score_read(found.value) : NAN;
        if (score != s.score || !signbit(score) != !signbit(s.score))
            rc = error_set(e, ERROR_FORMAT, "a member of a sorted set has one score in order and another, or none, by name");
    }
    return rc;
}

static int check_small(struct bytes packed, struct error *e)
{
    struct keyspace_scored before, s;
    struct element el, other;
    size_t at;
    for (bool first = true; packed.len; first = false, before = s) {
        if (!element_next(&packed, &el) || el.value.len != ZSET_SCORE) return error_set(e, ERROR_FORMAT, "a sorted set's elements are damaged");
        s = zset_scored(&el);
        if (isnan(s.score) || (!first && keyspace_scored_compare(&before, &s) >= 0)) return error_set(e, ERROR_FORMAT, "a sorted set is out of order");
        if (element_find(packed, el.key, &other, &at)) return error_set(e, ERROR_FORMAT, "a sorted set has a member twice");
    }
    return 0;
}

int keyspace_zset_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    struct keyspace_zset z = {0};
    if (en->form == ENTRY_WHOLE) return check_small(en->payload, e);
    struct reader r = reader_of(en->payload);
    if (!object_root_read(&r, database_id, &z.scores.root) || !counted_tree_read(&r, database_id, &z.order) || !reader_done(&r))
        return error_set(e, ERROR_FORMAT, "a sorted set's roots are damaged");
    return check_large(ks, &z, e);
}
