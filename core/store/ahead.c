/* Rows that will be looked up soon: their hashes, computed once, and their way into the processor's caches.
 *
 * A look-up in a large table waits for memory three times: directory, slots, row. Those of a whole pipeline wait together. */
#include "store/store_state.h"

void store_prefetch(struct store *s, const struct bytes *keys, size_t count)
{
    struct ahead *a = &s->ahead;
    a->at = a->count = 0;
    for (size_t i = 0; i < count && a->count < STORE_AHEAD_MAX; i++) {
        if (keys[i].len == 0 || keys[i].len > AHEAD_KEY_MAX) continue;
        struct ahead_key *k = &a->keys[a->count++];
        memcpy(k->bytes, keys[i].data, keys[i].len);
        k->len = keys[i].len;
        k->hash = table_hash(&s->table, keys[i]);
        table_prefetch_slots(&s->table, k->hash);
    }
    for (size_t i = 0; i < a->count; i++) table_prefetch_row(&s->table, a->keys[i].hash);
}

/* The keys come in the order in which they were announced, each perhaps several times; some may be left out. */
uint64_t store_hash(struct store *s, struct bytes key)
{
    struct ahead *a = &s->ahead;
    for (size_t i = a->at; i < a->count && i < a->at + AHEAD_TRIES; i++) {
        if (!bytes_equal(bytes_of(a->keys[i].bytes, a->keys[i].len), key)) continue;
        a->at = i;
        return a->keys[i].hash;
    }
    return table_hash(&s->table, key);
}
