#include "keyspace/set.h"

#include <endian.h>

#include "base/random.h"
#include "keyspace/keyspace_state.h"

/* ---- integers ---- */

static bool is_integers(const struct keyspace_set *s)
{
    return s->members.form == ENTRY_INTEGERS;
}

static int64_t integer_at(struct bytes packed, uint64_t i)
{
    uint64_t v;
    memcpy(&v, packed.data + 8 * i, 8);
    return (int64_t)le64toh(v);
}

/* How many are below `v`: its place. */
static uint64_t place_of(struct bytes packed, int64_t v, bool *there)
{
    uint64_t low = 0, high = packed.len / 8;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (integer_at(packed, middle) < v)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < packed.len / 8 && integer_at(packed, low) == v;
    return low;
}

static uint8_t *edit(struct dictionary *d, uint64_t place, size_t removed, size_t added)
{
    if (!d->draft.begun) draft_begin(&d->draft, d->ks, d->packed);
    uint8_t *room = draft_open(&d->draft, 8 * place, removed, added);
    d->packed = draft_bytes(&d->draft);
    d->packed_count = d->packed.len / 8;
    d->changed = true;
    return room;
}

static void insert_integer(struct dictionary *d, uint64_t place, int64_t v)
{
    uint64_t stored = htole64((uint64_t)v);
    memcpy(edit(d, place, 0, 8), &stored, 8);
}

static bool remove_integer(struct dictionary *d, int64_t v)
{
    bool there;
    uint64_t place = place_of(d->packed, v, &there);
    if (there) edit(d, place, 8, 0);
    return there;
}

static void format(struct keyspace_member *out, int64_t v)
{
    out->text = bytes_of(out->digits, number_format_integer(out->digits, v));
}

static bool add_text(struct dictionary *d, struct bytes member)
{
    return dictionary_add(d, &(struct element){.key = member});
}

/* The integers become members like others. */
static void become_texts(struct dictionary *d)
{
    uint8_t integers[8 * KEYSPACE_SMALL_SET_INTEGERS];
    struct bytes all = bytes_of(integers, d->packed.len);
    struct keyspace_member member;
    if (all.len) memcpy(integers, d->packed.data, all.len);
    d->form = ENTRY_WHOLE;
    draft_begin(&d->draft, d->ks, bytes_of(NULL, 0));
    d->packed = draft_bytes(&d->draft);
    d->packed_count = 0;
    for (uint64_t i = 0; i < all.len / 8; i++) {
        format(&member, integer_at(all, i));
        add_text(d, member.text);
    }
}

/* ---- opening and closing ---- */

void keyspace_set_open(struct keyspace_set *s, struct keyspace *ks, struct bytes key, const struct keyspace_entry *found)
{
    struct dictionary *d = &s->members;
    dictionary_open(d, ks, key, KEYSPACE_SET, found);
    if (!d->exists) d->form = ENTRY_INTEGERS;
    if (d->form == ENTRY_INTEGERS) d->packed_count = d->packed.len / 8;
}

void keyspace_set_close(struct keyspace_set *s)
{
    dictionary_close(&s->members);
}

bool keyspace_set_is_integers(const struct keyspace_entry *found)
{
    return found->form == ENTRY_INTEGERS;
}

/* ---- one member ---- */

uint64_t keyspace_set_count(struct keyspace_set *s)
{
    return dictionary_count(&s->members);
}

bool keyspace_set_has(const struct keyspace_set *s, struct bytes member)
{
    struct element el;
    int64_t v;
    bool there = false;
    if (!is_integers(s)) return dictionary_get(&s->members, member, &el);
    if (number_parse_integer(member, &v)) place_of(s->members.packed, v, &there);
    return there;
}

bool keyspace_set_add(struct keyspace_set *s, struct bytes member)
{
    struct dictionary *d = &s->members;
    int64_t v;
    if (is_integers(s)) {
        bool integer = number_parse_integer(member, &v), there = false;
        uint64_t place = integer ? place_of(d->packed, v, &there) : 0;
        if (there) return false;
        if (integer && d->packed_count < d->ks->small.set_integers) {
            insert_integer(d, place, v);
            return true;
        }
        become_texts(d);
    }
    return add_text(d, member);
}

bool keyspace_set_remove(struct keyspace_set *s, struct bytes member)
{
    int64_t v;
    if (!is_integers(s)) return dictionary_remove(&s->members, member);
    return number_parse_integer(member, &v) && remove_integer(&s->members, v);
}

/* ---- many ---- */

bool keyspace_set_next(const struct keyspace_set *s, struct keyspace_set_walk *w, struct keyspace_member *out)
{
    struct element el;
    if (is_integers(s)) {
        if (w->members.bucket >= s->members.packed.len / 8) return false;
        format(out, integer_at(s->members.packed, w->members.bucket++));
        return true;
    }
    if (!dictionary_next(&s->members, &w->members, &el)) return false;
    out->text = el.key;
    return true;
}

struct visitor {
    keyspace_set_visit *visit;
    void *user;
};

static void visit_member(void *user, const struct element *el)
{
    const struct visitor *v = user;
    v->visit(v->user, el->key);
}

uint64_t keyspace_set_scan(const struct keyspace_set *s, uint64_t cursor, keyspace_set_visit *visit, void *user)
{
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    if (!is_integers(s)) return dictionary_scan(&s->members, cursor, visit_member, &(struct visitor){visit, user});
    while (keyspace_set_next(s, &w, &member)) visit(user, member.text);
    return 0;
}

void keyspace_set_random(struct keyspace_set *s, uint64_t *random, struct keyspace_member *out)
{
    struct element el;
    if (is_integers(s)) {
        format(out, integer_at(s->members.packed, random_below(random, s->members.packed_count)));
        return;
    }
    dictionary_random(&s->members, random, &el);
    out->text = el.key;
}

/* As dictionary_sample walks. */
static void sample_integers(struct keyspace_set *s, uint64_t count, uint64_t *random, keyspace_set_visit *visit, void *user)
{
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    for (uint64_t left = keyspace_set_count(s); count && keyspace_set_next(s, &w, &member); left--) {
        if (random_below(random, left) >= count) continue;
        visit(user, member.text);
        count--;
    }
}

void keyspace_set_sample(struct keyspace_set *s, uint64_t count, uint64_t *random, struct arena *arena, keyspace_set_visit *visit, void *user)
{
    if (is_integers(s))
        sample_integers(s, count, random, visit, user);
    else
        dictionary_sample(&s->members, count, random, arena, visit_member, &(struct visitor){visit, user});
}

/* ---- what must hold ---- */

int keyspace_set_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    if (en->form != ENTRY_INTEGERS) return dictionary_check(ks, database_id, en, e);
    uint64_t count = en->payload.len / 8;
    bool right = count && count <= KEYSPACE_SMALL_SET_INTEGERS;
    for (uint64_t i = 1; right && i < count; i++) right = integer_at(en->payload, i - 1) < integer_at(en->payload, i);
    return right ? 0 : error_set(e, ERROR_FORMAT, "a set of integers is out of order, empty or too large");
}
