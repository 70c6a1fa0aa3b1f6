/* Sorted sets: what changes them. */
#include <assert.h>
#include <math.h>

#include "keyspace/keyspace_state.h"
#include "keyspace/zset_key.h"

#define ROOTS_SIZE (OBJECT_ROOT_SIZE + COUNTED_TREE_ROOT_SIZE)

static void must(bool holds)
{
    assert(holds); /* only this file writes these rows */
    (void)holds;
}

/* ---- small ---- */

/* In place of `removed` bytes of the packed elements at `at` come `len` others, which the caller fills in. */
static uint8_t *edit(struct keyspace_zset *z, size_t at, size_t removed, size_t len)
{
    if (!z->draft.begun) draft_begin(&z->draft, z->ks, z->packed);
    uint8_t *room = draft_open(&z->draft, at, removed, len);
    z->packed = draft_bytes(&z->draft);
    z->changed = true;
    return room;
}

/* A packed zero has no sign: so it is in Redis, which writes it as an integer. */
static double packed_score(double score)
{
    return score == 0 ? 0 : score;
}

/* Where in the packed elements this one belongs. */
static size_t place_of(struct bytes packed, const struct keyspace_scored *s)
{
    struct element el;
    for (struct bytes rest = packed; rest.len;) {
        size_t at = packed.len - rest.len;
        must(element_next(&rest, &el));
        struct keyspace_scored other = zset_scored(&el);
        if (keyspace_scored_compare(s, &other) < 0) return at;
    }
    return packed.len;
}

static void put_small(struct keyspace_zset *z, const struct keyspace_scored *s)
{
    uint8_t score[ZSET_SCORE];
    struct element el = {.key = s->member, .value = zset_score_write(score, packed_score(s->score))}, old;
    size_t old_at, size = element_size(&el);
    bool there = element_find(z->packed, s->member, &old, &old_at);
    size_t at = place_of(z->packed, s);
    if (there && (at == old_at || at == old_at + size)) { /* an element's size is its member's */
        memcpy(edit(z, old_at + size - ZSET_SCORE, ZSET_SCORE, ZSET_SCORE), score, ZSET_SCORE);
        return;
    }
    if (there) {
        edit(z, old_at, size, 0);
        if (at > old_at) at -= size;
    }
    element_write(edit(z, at, 0, size), &el);
    z->count += !there;
}

static void remove_small(struct keyspace_zset *z, uint64_t position, uint64_t count)
{
    struct element el;
    struct bytes rest = z->packed;
    for (uint64_t i = 0; i < position; i++) must(element_next(&rest, &el));
    size_t at = z->packed.len - rest.len;
    for (uint64_t i = 0; i < count; i++) must(element_next(&rest, &el));
    edit(z, at, z->packed.len - rest.len - at, 0);
    z->count -= count;
}

/* ---- large ---- */

static struct element tree_element(const struct zset_key *k, double score)
{
    return (struct element){.key = k->bytes, .mark = score == 0 && signbit(score)};
}

/* Into the tree; `old`: the score that the member had, or NULL. */
static void tree_put(struct keyspace_zset *z, const struct keyspace_scored *s, const double *old)
{
    struct zset_key k, was;
    zset_key_make(&k, zset_order(s->score), s->member);
    struct element el = tree_element(&k, s->score);
    if (!old) {
        counted_tree_put(z->ks, &z->order, &el);
    } else {
        zset_key_make(&was, zset_order(*old), s->member);
        counted_tree_move(z->ks, &z->order, was.bytes, &el);
        zset_key_release(&was);
    }
    zset_key_release(&k);
}

static void put_large(struct keyspace_zset *z, const struct keyspace_scored *s)
{
    uint8_t score[ZSET_SCORE], before[ZSET_SCORE];
    struct element el = {.key = s->member, .value = zset_score_write(score, s->score)};
    bool is_new = linear_hash_exchange(z->ks, &z->scores, &el, before);
    if (!is_new && memcmp(before, score, ZSET_SCORE) == 0) return;
    double old = is_new ? 0 : zset_score_read(bytes_of(before, ZSET_SCORE));
    tree_put(z, s, is_new ? NULL : &old);
    z->count = z->scores.root.count;
    z->changed = true;
}

static struct bytes write_roots(const struct keyspace_zset *z, uint8_t out[ROOTS_SIZE])
{
    struct buffer b = {.data = out, .cap = ROOTS_SIZE, .max = ROOTS_SIZE};
    object_root_write(&b, &z->scores.root);
    counted_tree_write(&b, &z->order);
    assert(!b.failed);
    return buffer_bytes(&b);
}

static void begin_large(struct keyspace_zset *z)
{
    keyspace_go_to(z->ks, z->key);
    struct object scores = keyspace_new_object(z->ks), order = keyspace_new_object(z->ks);
    linear_hash_init(&z->scores, &scores);
    counted_tree_init(&z->order, &order);
    z->large = z->changed = true;
    z->count = 0;
}

/* Members in order, all new: the tree is built in one piece. */
#define BUILD_MEMBERS 64 /* at a time */
static void add_in_order(struct keyspace_zset *z, const struct keyspace_scored *members, size_t count)
{
    struct zset_key keys[BUILD_MEMBERS];
    struct element els[BUILD_MEMBERS];
    for (size_t i = 0, n; i < count; i += n) {
        n = count - i < BUILD_MEMBERS ? count - i : BUILD_MEMBERS;
        for (size_t k = 0; k < n; k++) {
            const struct keyspace_scored *s = &members[i + k];
            uint8_t score[ZSET_SCORE];
            zset_key_make(&keys[k], zset_order(s->score), s->member);
            els[k] = tree_element(&keys[k], s->score);
            linear_hash_put(z->ks, &z->scores, &(struct element){.key = s->member, .value = zset_score_write(score, s->score)});
        }
        counted_tree_insert(z->ks, &z->order, z->order.root.count, els, n);
        for (size_t k = 0; k < n; k++) zset_key_release(&keys[k]);
    }
    z->count = z->scores.root.count;
}

static void convert(struct keyspace_zset *z)
{
    struct keyspace_scored members[KEYSPACE_SMALL_ZSET_ENTRIES];
    struct element el;
    size_t n = 0;
    for (struct bytes rest = z->packed; rest.len;) {
        must(element_next(&rest, &el));
        members[n++] = zset_scored(&el);
    }
    begin_large(z);
    add_in_order(z, members, n);
}

/* ---- closing ---- */

/* The key's row anew: of a new key, or of another form. */
static void put_row(struct keyspace_zset *z)
{
    uint8_t roots[ROOTS_SIZE];
    struct entry en = z->en;
    en.form = z->large ? ENTRY_SORTED : ENTRY_WHOLE;
    en.payload = z->large ? write_roots(z, roots) : z->packed;
    keyspace_put_entry(z->ks, z->key, &en);
}

static void splice_roots(struct keyspace_zset *z)
{
    uint8_t roots[ROOTS_SIZE];
    struct object_root was[ENTRY_ROOTS_MAX];
    entry_roots(&z->en, 0, was);
    uint64_t held = z->scores.root.bytes + z->order.root.bytes;
    keyspace_splice_payload(z->ks, &z->en, 0, ROOTS_SIZE, write_roots(z, roots), (int64_t)(held - was[0].bytes - was[1].bytes));
    z->ks->place.objects[0] = z->scores.root.object;
    z->ks->place.objects[1] = z->order.root.object;
}

void keyspace_zset_close(struct keyspace_zset *z)
{
    if (!z->changed) return;
    keyspace_go_to(z->ks, z->key);
    if (!z->count) {
        if (z->exists) keyspace_drop(z->ks);
    } else if (!z->exists || z->large != (z->en.form == ENTRY_SORTED)) {
        put_row(z);
    } else if (z->large) {
        splice_roots(z);
    } else {
        draft_splice(&z->draft, &z->en);
    }
}

/* ---- verbs ---- */

void keyspace_zset_put(struct keyspace_zset *z, const struct keyspace_scored *s)
{
    double old;
    assert(!isnan(s->score) && s->member.len <= KEYSPACE_ZSET_MEMBER_MAX);
    if (!z->large) {
        const struct keyspace_small *small = &z->ks->small;
        bool fits = z->count < small->zset_entries && s->member.len <= small->zset_value;
        if (fits || keyspace_zset_score(z, s->member, &old)) {
            put_small(z, s);
            return;
        }
        convert(z);
    }
    put_large(z, s);
}

static void forget_score(void *user, const struct element *el)
{
    struct keyspace_zset *z = user;
    linear_hash_remove(z->ks, &z->scores, zset_scored_of_key(el).member);
}

void keyspace_zset_remove_range(struct keyspace_zset *z, uint64_t position, uint64_t count)
{
    assert(position <= z->count && count <= z->count - position);
    if (!count) return;
    if (z->large && count == z->count) { /* its objects go with the key, or with the row that is put */
        z->large = false;
        z->packed = bytes_of(NULL, 0);
        z->draft.begun = false;
        z->changed = true;
        z->count = 0;
        return;
    }
    if (!z->large) {
        remove_small(z, position, count);
        return;
    }
    counted_tree_remove(z->ks, &z->order, position, count, &(struct counted_tree_listener){forget_score, z});
    z->count -= count;
    z->changed = true;
}

static bool remove_large(struct keyspace_zset *z, struct bytes member)
{
    struct zset_key k;
    double score;
    if (!keyspace_zset_score(z, member, &score)) return false;
    zset_key_make(&k, zset_order(score), member);
    linear_hash_remove(z->ks, &z->scores, member);
    must(counted_tree_take(z->ks, &z->order, k.bytes));
    zset_key_release(&k);
    z->count--;
    z->changed = true;
    return true;
}

bool keyspace_zset_remove(struct keyspace_zset *z, struct bytes member)
{
    uint64_t position;
    if (z->large && z->count > 1) return remove_large(z, member);
    if (!keyspace_zset_rank(z, member, &position)) return false;
    keyspace_zset_remove_range(z, position, 1);
    return true;
}

static bool fits_small(const struct keyspace_small *small, const struct keyspace_scored *members, size_t count)
{
    if (count > small->zset_entries) return false;
    for (size_t i = 0; i < count; i++)
        if (members[i].member.len > small->zset_value) return false;
    return true;
}

static void pack(struct keyspace_zset *z, const struct keyspace_scored *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t score[ZSET_SCORE];
        struct element el = {.key = members[i].member, .value = zset_score_write(score, packed_score(members[i].score))};
        element_write(edit(z, z->packed.len, 0, element_size(&el)), &el);
    }
    z->count = count;
}

void keyspace_zset_store(struct keyspace *ks, struct bytes key, const struct keyspace_scored *members, size_t count)
{
    struct keyspace_entry none = {.type = KEYSPACE_NONE, .expires_ms = KEYSPACE_NO_EXPIRY};
    struct keyspace_zset z;
    if (!count) {
        keyspace_delete(ks, key);
        return;
    }
    keyspace_zset_open(ks, key, &none, &z);
    if (fits_small(&ks->small, members, count)) {
        pack(&z, members, count);
    } else {
        begin_large(&z);
        add_in_order(&z, members, count);
    }
    keyspace_zset_close(&z);
}

void keyspace_zset_drop_signs(const struct keyspace *ks, struct keyspace_scored *members, size_t count, bool backwards, bool known)
{
    if (known && count > ks->small.zset_entries) return;
    for (size_t i = 0; i < count && i < ks->small.zset_entries; i++) {
        struct keyspace_scored *s = &members[backwards ? count - 1 - i : i];
        if (s->member.len > ks->small.zset_value) return;
        s->score = packed_score(s->score);
    }
}
