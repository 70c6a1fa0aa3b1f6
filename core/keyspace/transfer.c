/* COPY, MOVE, RENAME: a value and its expiry from one key to another, in another database or slot too. */
#include <assert.h>

#include "keyspace/keyspace_state.h"
#include "keyspace/node.h"

/* What follows is about another database. */
static void turn_to(struct keyspace *ks, unsigned database)
{
    assert(database < ks->usable);
    ks->current = database;
    ks->place.known = false;
}

static bool is_there(struct keyspace *ks, struct bytes key)
{
    return keyspace_find(ks, key).type != KEYSPACE_NONE;
}

/* Looks before anything is put: looking deletes an expired key, and a change ends the life of what was found before. */
static enum keyspace_transfer look(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    unsigned home = ks->current;
    if (!is_there(ks, from)) return KEYSPACE_NO_SOURCE;
    turn_to(ks, to->database);
    bool occupied = is_there(ks, to->key);
    turn_to(ks, home);
    return occupied && !to->replace ? KEYSPACE_OCCUPIED : KEYSPACE_TRANSFERRED;
}

/* The rows of the value `en`, whose objects are `from`, once more, for the key at ks->place. Its new payload is in `room`. */
static void copy_objects(struct keyspace *ks, struct entry *en, const struct object *from, unsigned count, uint8_t room[ENTRY_ROOTED_MAX])
{
    struct object to[ENTRY_ROOTS_MAX];
    assert(en->payload.len <= ENTRY_ROOTED_MAX);
    for (unsigned i = 0; i < count; i++) {
        to[i] = keyspace_new_object(ks);
        to[i].nodes = from[i].nodes;
        node_copy_all(ks, &from[i], &to[i]);
    }
    memcpy(room, en->payload.data, en->payload.len);
    entry_set_objects(en, room, to);
    en->payload = bytes_of(room, en->payload.len);
}

/* What was put last was used like this. */
static void set_usage(struct keyspace *ks, uint32_t usage)
{
    struct store_value v;
    if (store_get(ks->store, rowkey_bytes(&ks->place.row), &v) && v.stamp) *v.stamp = usage;
}

/* Puts what `from` holds, which is there, at `to`. Returns whether the value's own rows, if it has any, are those of `from`. */
static bool put(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to, bool moves)
{
    unsigned home = ks->current;
    uint8_t payload[ENTRY_ROOTED_MAX];
    struct entry en;
    bool only_looks = ks->only_looks;
    ks->only_looks = true; /* look() has used both */
    bool there = keyspace_find_entry(ks, from, &en);
    assert(there);
    (void)there;
    struct object objects[ENTRY_ROOTS_MAX];
    unsigned count = ks->place.object_count;
    uint32_t usage = moves && ks->place.usage ? *ks->place.usage : usage_first(&ks->usage, ks->clock_s);
    memcpy(objects, ks->place.objects, sizeof objects);
    bool shared = moves && to->database == home; /* rows carry the database's id: they cannot follow into another */
    turn_to(ks, to->database);
    if (count && !shared) {
        keyspace_go_to(ks, to->key);
        copy_objects(ks, &en, objects, count, payload);
    }
    keyspace_put_entry(ks, to->key, &en);
    set_usage(ks, usage);
    ks->only_looks = only_looks;
    turn_to(ks, home);
    return shared;
}

static bool is_itself(const struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    return to->database == ks->current && bytes_equal(from, to->key);
}

enum keyspace_transfer keyspace_copy(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    enum keyspace_transfer outcome = look(ks, from, to);
    if (outcome == KEYSPACE_TRANSFERRED && !is_itself(ks, from, to)) put(ks, from, to, false);
    return outcome;
}

enum keyspace_transfer keyspace_move(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    enum keyspace_transfer outcome = look(ks, from, to);
    if (outcome != KEYSPACE_TRANSFERRED || is_itself(ks, from, to)) return outcome;
    bool shared = put(ks, from, to, true);
    keyspace_go_to(ks, from);
    if (shared) ks->place.object_count = 0;
    keyspace_drop(ks);
    return outcome;
}
