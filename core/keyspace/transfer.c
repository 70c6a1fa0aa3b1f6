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

static void put(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    unsigned home = ks->current;
    struct keyspace_entry entry = keyspace_find(ks, from);
    turn_to(ks, to->database);
    keyspace_put_string(ks, to->key, entry.value, entry.expires_ms);
    turn_to(ks, home);
}

static bool is_itself(const struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    return to->database == ks->current && bytes_equal(from, to->key);
}

enum keyspace_transfer keyspace_copy(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    enum keyspace_transfer outcome = look(ks, from, to);
    if (outcome == KEYSPACE_TRANSFERRED && !is_itself(ks, from, to)) put(ks, from, to);
    return outcome;
}

enum keyspace_transfer keyspace_move(struct keyspace *ks, struct bytes from, const struct keyspace_destination *to)
{
    enum keyspace_transfer outcome = keyspace_copy(ks, from, to);
    if (outcome == KEYSPACE_TRANSFERRED && !is_itself(ks, from, to)) keyspace_delete(ks, from);
    return outcome;
}
