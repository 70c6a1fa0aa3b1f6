/* SCAN, and the keys of a slot.
 *
 * The order is (slot, hash). A cursor names the next place to look at: slot in the upper 14 of 53 bits, the upper 39
 * bits of the hash below (53, so that clients that keep numbers as doubles hold it). Keys whose hashes share those 39 bits are
 * given together, so no cursor stands between them. The order depends on nothing but the keys and the stored seed: a
 * cursor outlives writes and restarts. Empty slots are skipped by their counts, the other databases' rows by seeking.
 */
#include <assert.h>

#include "keyspace/keyspace_state.h"

#define CURSOR_HASH_BITS 39
#define HASH_SHIFT       (64 - CURSOR_HASH_BITS)
#define CURSOR_HASH_MAX  (((uint64_t)1 << CURSOR_HASH_BITS) - 1)

/* Expired keys are walked over but not given, so a call also ends after this many rows for each key asked for, and then
 * some. */
#define ROWS_PER_KEY 10
#define ROWS_LEAST   1000

typedef void visit_key(void *user, struct bytes key, const struct keyspace_entry *entry);

struct scan {
    struct keyspace *ks;
    size_t keys_left, rows_left;
    visit_key *visit;
    void *user;
};

struct store_iterator *keyspace_iterate_slot(struct keyspace *ks, unsigned slot, uint64_t hash)
{
    struct rowkey from, to;
    uint32_t id = ks->databases.list[ks->current].id;
    rowkey_bound(&from, slot, id, hash);
    rowkey_end(&to, slot, id);
    return store_iterate(ks->store, rowkey_bytes(&from), rowkey_bytes(&to));
}

bool keyspace_next_entry(struct store_iterator *it, struct rowkey_parts *at, struct entry *en)
{
    struct bytes name;
    struct store_value value;
    if (!store_iterator_next(it, &name, &value)) return false;
    bool readable = rowkey_parse(name, at) && entry_read(value.data, en);
    assert(readable); /* only this version writes here: open refuses other formats */
    (void)readable;
    if (en->has_key) at->key = en->key;
    return true;
}

static void give(struct scan *sc, struct bytes key, const struct entry *en)
{
    if (sc->rows_left) sc->rows_left--;
    if (entry_is_expired(en, sc->ks->now_ms)) return;
    if (sc->keys_left) sc->keys_left--;
    struct keyspace_entry entry = {en->type, en->expires_ms, en->form, en->payload, en->fields_ms};
    sc->visit(sc->user, key, &entry);
}

/* Gives the keys of a slot from a place on. Returns whether enough was given before its end: `prefix` is then where to
 * go on. */
static bool scan_slot(struct scan *sc, unsigned slot, uint64_t *prefix)
{
    struct store_iterator *it = keyspace_iterate_slot(sc->ks, slot, *prefix << HASH_SHIFT);
    struct rowkey_parts at;
    struct entry en;
    bool enough = false;
    uint64_t last = UINT64_MAX;
    while (!enough && keyspace_next_entry(it, &at, &en)) {
        *prefix = at.hash >> HASH_SHIFT;
        enough = *prefix != last && (sc->keys_left == 0 || sc->rows_left == 0);
        last = *prefix;
        if (!enough) give(sc, at.key, &en);
    }
    store_iterator_close(it);
    return enough;
}

uint64_t keyspace_scan(struct keyspace *ks, uint64_t cursor, size_t count, visit_key *visit, void *user)
{
    struct scan sc = {ks, count ? count : 1, ROWS_LEAST, visit, user};
    sc.rows_left = sc.keys_left > SIZE_MAX / ROWS_PER_KEY - ROWS_LEAST ? SIZE_MAX
                                                                       : sc.keys_left * ROWS_PER_KEY + ROWS_LEAST;
    keyspace_note(ks, ks->written); /* what is missing may be so because of it */
    uint64_t prefix = cursor & CURSOR_HASH_MAX;
    for (uint64_t slot = cursor >> CURSOR_HASH_BITS; slot < ROWKEY_SLOTS; slot++, prefix = 0) {
        if (!databases_slot(&ks->databases.list[ks->current], (unsigned)slot).keys) continue;
        if (scan_slot(&sc, (unsigned)slot, &prefix)) return slot << CURSOR_HASH_BITS | prefix;
    }
    return 0;
}

void keyspace_slot_keys(struct keyspace *ks, unsigned slot, size_t count, void (*visit)(void *user, struct bytes key),
                        void *user)
{
    if (!keyspace_slot_size(ks, slot)) return;
    struct store_iterator *it = keyspace_iterate_slot(ks, slot, 0);
    struct rowkey_parts at;
    struct entry en;
    while (count-- && keyspace_next_entry(it, &at, &en)) visit(user, at.key);
    store_iterator_close(it);
}
