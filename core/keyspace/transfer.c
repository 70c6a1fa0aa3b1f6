/* COPY, MOVE, RENAME: a value and its expiry from one key to another, in another database or slot too. */
#include <assert.h>

#include "keyspace/keyspace_state.h"

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

/* The rows of a value once more, for the key at ks->place. Returns the object, and its payload in `room`. */
static struct object copy_object(struct keyspace *ks, const struct chunks *from, uint8_t room[CHUNKS_PAYLOAD], struct bytes *payload)
{
    struct chunks to = chunks_of(keyspace_new_object(ks), from->len);
    chunks_copy(ks, from, &to);
    *payload = chunks_payload(room, &to);
    return to.object;
}

/* Puts what `from` holds, which is there, at `to`. Returns whether the value's own rows, if it has any, are those of `from`. */
static bool put(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to, bool moves)
{
    unsigned home = ks->current;
    uint8_t payload[CHUNKS_PAYLOAD];
    struct entry en;
    bool there = keyspace_find_entry(ks, from, &en);
    assert(there);
    (void)there;
    struct object object = ks->place.object;
    bool shared = moves && to->database == home; /* rows carry the database's id: they cannot follow into another */
    turn_to(ks, to->database);
    if (object.id && !shared) {
        struct chunks c;
        chunks_parse(en.payload, object.database_id, &c);
        keyspace_go_to(ks, to->key);
        object = copy_object(ks, &c, payload, &en.payload);
    }
    keyspace_put_entry(ks, to->key, &en, object.id ? &object : NULL);
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
    if (shared) ks->place.object.id = 0;
    keyspace_drop(ks);
    return outcome;
}
