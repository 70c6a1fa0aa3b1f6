#include "keyspace/dictionary.h"

#include <assert.h>

#include "base/distinct.h"
#include "base/random.h"
#include "keyspace/keyspace_state.h"

#define UNKNOWN UINT64_MAX

/* ---- opening and closing ---- */

static struct linear_hash hash_in(const struct entry *en, uint32_t database_id)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    entry_roots(en, database_id, roots);
    return (struct linear_hash){roots[0]};
}

void dictionary_open_in(struct dictionary *d, struct keyspace *ks, uint32_t database_id, struct bytes name, enum keyspace_type type,
                        const struct keyspace_entry *found)
{
    bool exists = found->type != KEYSPACE_NONE;
    assert(!exists || found->type == type);
    *d = (struct dictionary){.ks = ks, .name = name, .exists = exists, .packed_count = UNKNOWN};
    d->en = (struct entry){type, ENTRY_WHOLE, found->expires_ms, rowkey_is_named_by_hash(name), name, bytes_of(NULL, 0), 0};
    if (exists) {
        d->en.form = found->form;
        d->en.payload = found->payload;
        d->en.fields_ms = found->fields_ms;
    }
    d->form = d->en.form == ENTRY_SORTED ? ENTRY_HASHED : d->en.form;
    if (d->form == ENTRY_HASHED)
        d->hash = hash_in(&d->en, database_id);
    else
        d->packed = d->en.payload;
}

void dictionary_open(struct dictionary *d, struct keyspace *ks, struct bytes name, enum keyspace_type type, const struct keyspace_entry *found)
{
    dictionary_open_in(d, ks, ks->databases.list[ks->current].id, name, type, found);
}

/* A new entry: of a new key, or because the form is another. */
static void put(struct dictionary *d)
{
    uint8_t root[OBJECT_ROOT_SIZE];
    struct buffer b = {.data = root, .cap = sizeof root, .max = sizeof root};
    struct entry en = d->en;
    en.form = d->form;
    if (d->form == ENTRY_HASHED) object_root_write(&b, &d->hash.root);
    en.payload = d->form == ENTRY_HASHED ? buffer_bytes(&b) : d->packed;
    keyspace_put_entry(d->ks, d->name, &en);
}

/* What of the root has changed: its end, from the number of nodes or the count on. */
static void splice_root(struct dictionary *d)
{
    uint8_t now[OBJECT_ROOT_SIZE];
    struct buffer b = {.data = now, .cap = sizeof now, .max = sizeof now};
    struct object_root was = hash_in(&d->en, d->hash.root.object.database_id).root;
    object_root_write(&b, &d->hash.root);
    size_t same = 0;
    while (same < OBJECT_ROOT_SIZE && now[same] == d->en.payload.data[same]) same++;
    if (same == OBJECT_ROOT_SIZE) {
        keyspace_tell_changed(d->ks);
        return;
    }
    keyspace_splice_payload(d->ks, &d->en, same, OBJECT_ROOT_SIZE - same, bytes_of(now + same, OBJECT_ROOT_SIZE - same),
                            (int64_t)(d->hash.root.bytes - was.bytes));
    d->ks->place.objects[0] = d->hash.root.object;
}

void dictionary_close(struct dictionary *d)
{
    if (!d->changed) return;
    keyspace_go_to(d->ks, d->name);
    if (!dictionary_count(d)) {
        if (d->exists) keyspace_drop(d->ks);
    } else if (!d->exists || d->form != d->en.form) {
        put(d);
    } else if (d->form == ENTRY_HASHED) {
        splice_root(d);
    } else {
        draft_splice(&d->draft, &d->en);
    }
}

/* ---- reading ---- */

static uint64_t count_packed(struct bytes packed)
{
    uint64_t n = 0;
    while (element_skip(&packed)) n++;
    return n;
}

uint64_t dictionary_count(struct dictionary *d)
{
    if (d->form == ENTRY_HASHED) return d->hash.root.count;
    if (d->packed_count == UNKNOWN) d->packed_count = count_packed(d->packed);
    return d->packed_count;
}

bool dictionary_get(const struct dictionary *d, struct bytes key, struct element *out)
{
    size_t at;
    return d->form == ENTRY_HASHED ? linear_hash_get(d->ks, &d->hash, key, out) : element_find(d->packed, key, out, &at);
}

/* ---- changing ---- */

static uint8_t *edit(struct dictionary *d, size_t at, size_t removed, size_t len)
{
    if (!d->draft.begun) draft_begin(&d->draft, d->ks, d->packed);
    uint8_t *room = draft_open(&d->draft, at, removed, len);
    d->packed = draft_bytes(&d->draft);
    d->changed = true;
    return room;
}

/* The packed elements become a linear hash's. */
static void enlarge(struct dictionary *d)
{
    struct bytes rest = d->packed; /* in the key's row, which is not written, or in the draft */
    struct element el;
    keyspace_go_to(d->ks, d->name);
    struct object object = keyspace_new_object(d->ks);
    linear_hash_init(&d->hash, &object);
    while (element_next(&rest, &el)) linear_hash_put(d->ks, &d->hash, &el);
    d->form = ENTRY_HASHED;
    d->changed = true;
}

/* Up to what a dictionary is packed: elements, and bytes of a key or value. */
struct bounds {
    size_t count, bytes;
};

static struct bounds bounds_of(const struct dictionary *d)
{
    const struct keyspace_small *small = &d->ks->small;
    if (d->en.type == KEYSPACE_HASH) return (struct bounds){small->hash_entries, small->hash_value};
    return (struct bounds){DICTIONARY_SET_ENTRIES, DICTIONARY_SET_MEMBER};
}

static bool is_within(const struct element *el, size_t bytes)
{
    size_t value_len = el->value.len - (el->mark ? DICTIONARY_MARKED : 0);
    return el->key.len <= bytes && value_len <= bytes;
}

static bool fits(struct dictionary *d, const struct element *el, bool is_new)
{
    struct bounds b = bounds_of(d);
    return is_within(el, b.bytes) && dictionary_count(d) + is_new <= b.count;
}

static void append(struct dictionary *d, const struct element *el)
{
    element_write(edit(d, d->packed.len, 0, element_size(el)), el);
    d->packed_count++;
}

bool dictionary_put(struct dictionary *d, const struct element *el)
{
    struct element old;
    size_t at;
    if (d->form != ENTRY_HASHED) {
        bool there = element_find(d->packed, el->key, &old, &at);
        if (there && fits(d, el, false)) {
            element_write(edit(d, at, element_size(&old), element_size(el)), el);
            return false;
        }
        if (!there && fits(d, el, true)) {
            append(d, el);
            return true;
        }
        enlarge(d);
    }
    d->changed = true;
    return linear_hash_put(d->ks, &d->hash, el);
}

bool dictionary_add(struct dictionary *d, const struct element *el)
{
    struct element old;
    size_t at;
    if (d->form != ENTRY_HASHED) {
        if (element_find(d->packed, el->key, &old, &at)) return false;
        if (fits(d, el, true)) {
            append(d, el);
            return true;
        }
        enlarge(d);
    }
    bool added = linear_hash_add(d->ks, &d->hash, el);
    d->changed |= added;
    return added;
}

bool dictionary_remove(struct dictionary *d, struct bytes key)
{
    struct element old;
    size_t at;
    if (d->form == ENTRY_HASHED) {
        bool there = linear_hash_remove(d->ks, &d->hash, key);
        d->changed |= there;
        return there;
    }
    if (!element_find(d->packed, key, &old, &at)) return false;
    d->packed_count = dictionary_count(d) - 1;
    edit(d, at, element_size(&old), 0);
    return true;
}

/* ---- many ---- */

bool dictionary_next(const struct dictionary *d, struct linear_hash_walk *w, struct element *out)
{
    if (d->form == ENTRY_HASHED) return linear_hash_next(d->ks, &d->hash, w, out);
    if (!w->bucket++) w->packed = d->packed;
    return element_next(&w->packed, out);
}

uint64_t dictionary_scan(const struct dictionary *d, uint64_t cursor, void (*visit)(void *user, const struct element *el), void *user)
{
    if (d->form == ENTRY_HASHED) return linear_hash_scan(d->ks, &d->hash, cursor, visit, user);
    struct bytes rest = d->packed;
    struct element el;
    while (element_next(&rest, &el)) visit(user, &el);
    return 0;
}

void dictionary_random(struct dictionary *d, uint64_t *random, struct element *out)
{
    if (d->form == ENTRY_HASHED) {
        linear_hash_random(d->ks, &d->hash, random, out);
        return;
    }
    struct bytes rest = d->packed;
    for (uint64_t n = random_below(random, dictionary_count(d)); n; n--) element_skip(&rest);
    element_next(&rest, out);
}

/* Of the elements that are left, each with the chance of those still wanted among them (Knuth's algorithm S). */
static void sample_walking(struct dictionary *d, uint64_t count, uint64_t *random, void (*visit)(void *user, const struct element *el), void *user)
{
    struct linear_hash_walk w = {0};
    struct element el;
    for (uint64_t left = dictionary_count(d); count && dictionary_next(d, &w, &el); left--) {
        if (random_below(random, left) >= count) continue;
        visit(user, &el);
        count--;
    }
}

/* One after the other; those that were had already do not count. */
static void sample_picking(struct dictionary *d, uint64_t count, uint64_t *random, struct arena *arena,
                           void (*visit)(void *user, const struct element *el), void *user)
{
    struct distinct had;
    distinct_init(&had, arena, random);
    while (count) {
        struct element el;
        dictionary_random(d, random, &el);
        if (!distinct_add(&had, el.key)) continue;
        visit(user, &el);
        count--;
    }
}

void dictionary_sample(struct dictionary *d, uint64_t count, uint64_t *random, struct arena *arena,
                       void (*visit)(void *user, const struct element *el), void *user)
{
    uint64_t all = dictionary_count(d);
    if (d->form == ENTRY_HASHED && count < all / 4)
        sample_picking(d, count, random, arena, visit, user);
    else
        sample_walking(d, count < all ? count : all, random, visit, user);
}

/* ---- what must hold ---- */

static int check_packed(struct bytes packed, const struct bounds *most, struct error *e)
{
    struct bytes rest = packed;
    struct element el, other;
    uint64_t count = 0;
    size_t at;
    while (element_next(&rest, &el)) {
        count++;
        if (!is_within(&el, most->bytes))
            return error_set(e, ERROR_FORMAT, "a value in its key's row has an element that is too large for it");
        if (element_find(rest, el.key, &other, &at)) return error_set(e, ERROR_FORMAT, "a value in its key's row has an element twice");
    }
    if (rest.len || !count || count > most->count)
        return error_set(e, ERROR_FORMAT, "a value in its key's row is damaged, or has none or too many elements");
    return 0;
}

int dictionary_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    static const struct bounds hash = {KEYSPACE_SMALL_HASH_ENTRIES, KEYSPACE_SMALL_HASH_VALUE}, set = {DICTIONARY_SET_ENTRIES, DICTIONARY_SET_MEMBER};
    if (en->form == ENTRY_WHOLE) return check_packed(en->payload, en->type == KEYSPACE_HASH ? &hash : &set, e);
    struct linear_hash h = hash_in(en, database_id);
    if (!h.root.count) return error_set(e, ERROR_FORMAT, "object %llu is empty", (unsigned long long)h.root.object.id);
    return linear_hash_check(ks, &h, e);
}
