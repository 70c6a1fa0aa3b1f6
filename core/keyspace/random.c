/* RANDOMKEY: a slot, each as likely as it has keys; in it a place by hash, and from there some keys on.
 *
 * The gap in front of a key decides how likely it is to be the first behind a random hash. Going on by a random number
 * of keys evens that out: exactly where the slot has no more than STEPS, nearly where it has. */
#include <assert.h>

#include "base/random.h"
#include "keyspace/keyspace_state.h"

#define STEPS 32
#define TRIES 100

/* The slot of the key with this number, counted through all slots. */
static unsigned slot_of(const struct database *db, uint64_t number)
{
    unsigned slot = 0;
    while (number >= databases_slot(db, slot).keys) number -= databases_slot(db, slot++).keys;
    return slot;
}

/* Appends a key of a slot that has some. */
static void pick(struct keyspace *ks, unsigned slot, uint64_t *random, struct buffer *key)
{
    uint64_t size = databases_slot(&ks->databases.list[ks->current], slot).keys;
    uint64_t steps = random_below(random, size < STEPS ? size : STEPS);
    struct store_iterator *it = keyspace_iterate_slot(ks, slot, random_next(random));
    struct rowkey_parts at;
    struct entry en;
    do {
        if (keyspace_next_entry(it, &at, &en)) continue;
        store_iterator_close(it); /* past the last: the first comes next */
        it = keyspace_iterate_slot(ks, slot, 0);
        bool any = keyspace_next_entry(it, &at, &en);
        assert(any);
        (void)any;
    } while (steps--);
    buffer_append(key, at.key.data, at.key.len);
    store_iterator_close(it);
}

bool keyspace_random(struct keyspace *ks, uint64_t random, struct buffer *key)
{
    const struct database *db = &ks->databases.list[ks->current];
    keyspace_note(ks, ks->written); /* which keys there are depends on all of it */
    for (int tries = 0; tries < TRIES && db->size; tries++) {
        buffer_clear(key);
        pick(ks, slot_of(db, random_below(&random, db->size)), &random, key);
        if (key->failed || keyspace_find(ks, buffer_bytes(key)).type != KEYSPACE_NONE) return true;
    }
    return false;
}
