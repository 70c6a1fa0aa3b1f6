/* Rows that will be looked up soon: their hashes, computed once, their way into the processor's caches, and into the kernel's.
 *
 * A look-up in a large table waits for memory three times: directory, slots, row. Those of a whole pipeline wait together. */
#include "store/store_state.h"

/* ---- names that were asked for lately ---- */

/* Names of a length that most have: of a large value's nodes, and of short keys. */
static inline bool is_kept(struct bytes key)
{
    return key.len >= 16 && key.len <= 24;
}

static inline struct recent_name name_of(struct bytes key)
{
    struct recent_name name = {.len = key.len};
    memcpy(&name.words[0], key.data, 8);
    memcpy(&name.words[1], key.data + 8, 8);
    memcpy(&name.words[2], key.data + key.len - 8, 8);
    return name;
}

static inline bool is_same(const struct recent_name *a, const struct recent_name *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2] && a->len == b->len;
}

/* Its place: a node's number is at its name's end. */
static inline struct recent_name *recent_place(struct store *s, const struct recent_name *name)
{
    return &s->recent[(name->words[2] * 0x9e3779b97f4a7c15u) >> (64 - RECENT_BITS)];
}

/* ---- names that were told of ---- */

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
static uint64_t announced_hash(struct store *s, struct bytes key)
{
    struct ahead *a = &s->ahead;
    for (size_t i = a->at; i < a->count && i < a->at + AHEAD_TRIES; i++) {
        if (!bytes_equal(bytes_of(a->keys[i].bytes, a->keys[i].len), key)) continue;
        a->at = i;
        return a->keys[i].hash;
    }
    return table_hash(&s->table, key);
}

uint64_t store_hash(struct store *s, struct bytes key)
{
    if (!is_kept(key)) return announced_hash(s, key);
    struct recent_name name = name_of(key), *place = recent_place(s, &name);
    if (is_same(place, &name)) return place->hash;
    name.hash = announced_hash(s, key);
    *place = name;
    return name.hash;
}

/* ---- rows on disk ---- */

bool store_reads_wait(const struct store *s)
{
    return cold_suspects(s->cold);
}

bool store_is_cold(struct store *s, struct bytes key)
{
    if (!store_reads_wait(s) || key.len == 0 || key.len > STORE_KEY_MAX) return false;
    return !table_find(&s->table, store_hash(s, key), key) && !store_dead_on_disk(s, key);
}

bool store_warm(struct store *s, const struct bytes *keys, size_t count, uint64_t token)
{
    return cold_add(s->cold, keys, count, token);
}

bool store_warm_is_busy(const struct store *s)
{
    return cold_is_busy(s->cold);
}

void store_on_warm(struct store *s, void (*warm)(void *user, uint64_t token), void *user)
{
    s->on_warm = warm;
    s->warm_user = user;
}

void store_tell_warm(struct store *s)
{
    uint64_t token;
    cold_end_turn(s->cold, s->disk_reads);
    s->disk_reads = 0;
    while (cold_take(s->cold, &token))
        if (token == COLD_DUE)
            store_due_is_near(s);
        else if (s->on_warm) s->on_warm(s->warm_user, token);
}
