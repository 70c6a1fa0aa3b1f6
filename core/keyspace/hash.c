#include "keyspace/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "keyspace/hash_expiry.h"

/* ---- opening and closing ---- */

void hash_open_in(struct keyspace_hash *h, struct keyspace *ks, uint32_t database_id, struct bytes key, const struct keyspace_entry *found)
{
    *h = (struct keyspace_hash){.earliest_ms = found->fields_ms, .indexed = found->form == ENTRY_SORTED && found->type == KEYSPACE_HASH};
    dictionary_open_in(&h->fields, ks, database_id, key, KEYSPACE_HASH, found);
    if (!h->indexed) return;
    struct reader r = reader_of(bytes_of(found->payload.data + OBJECT_ROOT_SIZE, found->payload.len - OBJECT_ROOT_SIZE));
    bool whole = counted_tree_read(&r, database_id, &h->due);
    assert(whole); /* as it was written */
    (void)whole;
}

void keyspace_hash_open(struct keyspace_hash *h, struct keyspace *ks, struct bytes key, const struct keyspace_entry *found)
{
    hash_open_in(h, ks, ks->databases.list[ks->current].id, key, found);
}

/* The whole entry anew: what is more than a dictionary's is at both of its ends. */
static void put_entry(struct keyspace_hash *h)
{
    uint8_t roots[OBJECT_ROOT_SIZE + COUNTED_TREE_ROOT_SIZE];
    struct buffer b = {.data = roots, .cap = sizeof roots, .max = sizeof roots};
    struct entry en = h->fields.en;
    en.form = h->fields.form;
    en.payload = h->fields.packed;
    en.fields_ms = h->earliest_ms;
    if (en.form == ENTRY_HASHED) {
        object_root_write(&b, &h->fields.hash.root);
        if (h->earliest_ms) {
            counted_tree_write(&b, &h->due);
            en.form = ENTRY_SORTED;
        }
        en.payload = buffer_bytes(&b);
    }
    keyspace_put_entry(h->fields.ks, h->fields.name, &en);
}

/* No field is left but such as have expired. Objects that the key's row does not name yet are handed over here. */
static void drop(struct keyspace_hash *h)
{
    struct keyspace *ks = h->fields.ks;
    const struct object now[] = {h->fields.hash.root.object, h->due.root.object};
    unsigned count = h->indexed ? 2 : h->fields.form == ENTRY_HASHED;
    keyspace_go_to(ks, h->fields.name);
    for (unsigned i = 0; i < count; i++) {
        if (i < ks->place.object_count)
            ks->place.objects[i] = now[i];
        else
            objects_hand_over(&ks->objects, ks->store, &now[i]);
    }
    if (h->fields.exists) keyspace_drop(ks);
}

void keyspace_hash_close(struct keyspace_hash *h)
{
    bool expires = h->earliest_ms || h->fields.en.fields_ms;
    if (!h->fields.changed) return;
    if (!expires)
        dictionary_close(&h->fields);
    else if (keyspace_hash_len(h))
        put_entry(h);
    else
        drop(h);
}

bool keyspace_hash_is_large(const struct keyspace_entry *found)
{
    return found->form != ENTRY_WHOLE;
}

/* ---- one field ---- */

static struct keyspace_field field_of(const struct element *el)
{
    size_t head = el->mark ? DICTIONARY_MARKED : 0;
    return (struct keyspace_field){el->key, bytes_of(el->value.data + head, el->value.len - head), hash_element_expiry(el)};
}

uint64_t keyspace_hash_len(struct keyspace_hash *h)
{
    return dictionary_count(&h->fields) - hash_count_due(h);
}

bool keyspace_hash_get(const struct keyspace_hash *h, struct bytes name, struct keyspace_field *out)
{
    struct element el;
    if (!dictionary_get(&h->fields, name, &el) || !hash_is_alive(h, &el)) return false;
    *out = field_of(&el);
    return true;
}

static bool put_plain(struct keyspace_hash *h, const struct keyspace_field *field)
{
    return dictionary_put(&h->fields, &(struct element){field->name, field->value, false});
}

/* Memory for a moment: of so many bytes at most as a request may have. */
static uint8_t *need(size_t size)
{
    uint8_t *room = malloc(size);
    if (room) return room;
    fprintf(stderr, "out of memory: %zu bytes for a field\n", size);
    abort();
}

/* The time and the value in one piece. */
static void put_expiring(struct keyspace_hash *h, const struct keyspace_field *field)
{
    size_t len = DICTIONARY_MARKED + field->value.len;
    uint8_t *value = need(len);
    uint64_t ms = htole64((uint64_t)field->expires_ms);
    memcpy(value, &ms, DICTIONARY_MARKED);
    if (field->value.len) memcpy(value + DICTIONARY_MARKED, field->value.data, field->value.len);
    dictionary_put(&h->fields, &(struct element){field->name, bytes_of(value, len), true});
    free(value);
}

bool keyspace_hash_put(struct keyspace_hash *h, const struct keyspace_field *field)
{
    struct element old;
    bool expires = field->expires_ms != KEYSPACE_NO_EXPIRY;
    if (!h->earliest_ms && !expires) return put_plain(h, field);
    bool there = dictionary_get(&h->fields, field->name, &old), alive = there && hash_is_alive(h, &old);
    int64_t before = there ? hash_element_expiry(&old) : KEYSPACE_NO_EXPIRY;
    if (expires)
        put_expiring(h, field);
    else
        put_plain(h, field);
    hash_note_expiry(h, field->name, before, field->expires_ms);
    return !alive;
}

bool keyspace_hash_add(struct keyspace_hash *h, const struct keyspace_field *field)
{
    struct keyspace_field there;
    return !keyspace_hash_get(h, field->name, &there) && keyspace_hash_put(h, field);
}

void keyspace_hash_expire(struct keyspace_hash *h, const struct keyspace_field *field, int64_t expires_ms)
{
    uint8_t *copy = need(field->name.len + field->value.len + 1); /* it lies where it is about to be changed */
    uint8_t *value = copy + field->name.len;
    if (field->name.len) memcpy(copy, field->name.data, field->name.len);
    if (field->value.len) memcpy(value, field->value.data, field->value.len);
    keyspace_hash_put(h, &(struct keyspace_field){bytes_of(copy, field->name.len), bytes_of(value, field->value.len), expires_ms});
    free(copy);
}

bool keyspace_hash_remove(struct keyspace_hash *h, struct bytes name)
{
    struct element old;
    if (!h->earliest_ms) return dictionary_remove(&h->fields, name);
    if (!dictionary_get(&h->fields, name, &old)) return false;
    bool alive = hash_is_alive(h, &old);
    hash_note_expiry(h, name, hash_element_expiry(&old), KEYSPACE_NO_EXPIRY);
    dictionary_remove(&h->fields, name);
    return alive;
}

/* ---- many ---- */

bool keyspace_hash_next(const struct keyspace_hash *h, struct keyspace_hash_walk *w, struct keyspace_field *out)
{
    struct element el;
    do
        if (!dictionary_next(&h->fields, &w->fields, &el)) return false;
    while (!hash_is_alive(h, &el));
    *out = field_of(&el);
    return true;
}

struct visitor {
    const struct keyspace_hash *h;
    keyspace_hash_visit *visit;
    void *user;
};

static void visit_field(void *user, const struct element *el)
{
    const struct visitor *v = user;
    struct keyspace_field field = field_of(el);
    if (hash_is_alive(v->h, el)) v->visit(v->user, &field);
}

uint64_t keyspace_hash_scan(const struct keyspace_hash *h, uint64_t cursor, keyspace_hash_visit *visit, void *user)
{
    return dictionary_scan(&h->fields, cursor, visit_field, &(struct visitor){h, visit, user});
}

#define TRIES 100 /* where so many picks had expired, most have */

void keyspace_hash_random(struct keyspace_hash *h, uint64_t *random, struct keyspace_field *out)
{
    struct element el;
    unsigned tries = 0;
    do
        dictionary_random(&h->fields, random, &el);
    while (!hash_is_alive(h, &el) && ++tries < TRIES);
    *out = field_of(&el);
    struct keyspace_hash_walk w = {0};
    if (tries < TRIES) return;
    for (uint64_t n = random_below(random, keyspace_hash_len(h)) + 1; n; n--) keyspace_hash_next(h, &w, out);
}

/* All that have not expired, `count` of them. */
static const struct keyspace_field *gather(struct keyspace_hash *h, uint64_t count, struct arena *arena)
{
    struct keyspace_field *out = arena_alloc(arena, count * sizeof *out);
    struct keyspace_hash_walk w = {0};
    for (uint64_t n = 0; n < count && keyspace_hash_next(h, &w, &out[n]);) n++;
    return out;
}

void keyspace_hash_pick(struct keyspace_hash *h, uint64_t count, uint64_t *random, struct arena *arena,
                        bool (*visit)(void *user, const struct keyspace_field *field), void *user)
{
    /* Where most have expired, looking for one of the others each time would take as long as a walk. */
    uint64_t alive = keyspace_hash_len(h);
    const struct keyspace_field *gathered = hash_count_due(h) > alive ? gather(h, alive, arena) : NULL;
    struct keyspace_field field;
    for (bool more = true; more && count; count--) {
        if (gathered)
            field = gathered[random_below(random, alive)];
        else
            keyspace_hash_random(h, random, &field);
        more = visit(user, &field);
    }
}

/* As dictionary_sample walks. */
static void sample_walking(struct keyspace_hash *h, uint64_t count, uint64_t *random, keyspace_hash_visit *visit, void *user)
{
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    for (uint64_t left = keyspace_hash_len(h); count && keyspace_hash_next(h, &w, &field); left--) {
        if (random_below(random, left) >= count) continue;
        visit(user, &field);
        count--;
    }
}

void keyspace_hash_sample(struct keyspace_hash *h, uint64_t count, uint64_t *random, struct arena *arena, keyspace_hash_visit *visit, void *user)
{
    if (hash_count_due(h))
        sample_walking(h, count, random, visit, user);
    else
        dictionary_sample(&h->fields, count, random, arena, visit_field, &(struct visitor){h, visit, user});
}
