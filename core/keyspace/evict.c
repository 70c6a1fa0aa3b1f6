/* Which keys go when there are too many; and the clock by which it is known how they are used. */
#include <assert.h>

#include "base/random.h"
#include "keyspace/keyspace_state.h"

#define ROUNDS     8  /* of looking, where few keys may go */
#define SLOT_TRIES 16

/* Of a key that has expired, and of one that is on disk only: not used for longest. */
#define RANK_EXPIRED UINT64_MAX
#define RANK_ON_DISK (UINT64_MAX - 1)

/* ---- how keys are used ---- */

void keyspace_set_clock(struct keyspace *ks, int64_t now_ms)
{
    if (ks->clock_from_ms == INT64_MAX) ks->clock_from_ms = now_ms;
    int64_t s = now_ms > ks->clock_from_ms ? (now_ms - ks->clock_from_ms) / 1000 : 0;
    ks->clock_s = s < UINT32_MAX - USAGE_BEGINNING_S ? USAGE_BEGINNING_S + (uint32_t)s : UINT32_MAX;
    ks->clock_ms = ks->clock_from_ms + s * 1000;
    store_set_stamp(ks->store, usage_first(&ks->usage, ks->clock_s));
    ks->candidates.count = 0; /* what was known of them is of the second before */
}

void keyspace_only_look(struct keyspace *ks, bool only)
{
    ks->only_looks = only;
}

uint32_t keyspace_idle_s(const struct keyspace *ks)
{
    return ks->place.usage ? usage_idle_s(*ks->place.usage, ks->clock_s) : 0;
}

unsigned keyspace_frequency(const struct keyspace *ks)
{
    return ks->place.usage ? usage_frequency(&ks->usage, *ks->place.usage, ks->clock_s) : USAGE_FREQUENCY_FIRST;
}

static void tell(struct keyspace *ks, struct bytes key, uint64_t idle_s, unsigned frequency)
{
    if (keyspace_find(ks, key).type != KEYSPACE_NONE && ks->place.usage)
        *ks->place.usage = usage_told(&ks->usage, ks->clock_s, idle_s, frequency);
}

void keyspace_set_idle(struct keyspace *ks, struct bytes key, uint64_t idle_s)
{
    if (!ks->usage.counts) tell(ks, key, idle_s, 0);
}

void keyspace_set_frequency(struct keyspace *ks, struct bytes key, unsigned frequency)
{
    if (ks->usage.counts) tell(ks, key, 0, frequency);
}

void keyspace_set_eviction(struct keyspace *ks, const struct keyspace_eviction *eviction)
{
    assert(eviction->samples <= KEYSPACE_SAMPLES_MAX);
    ks->eviction = *eviction;
    ks->usage = (struct usage_rules){eviction->order == KEYSPACE_LEAST_OFTEN, eviction->lfu_log_factor, eviction->lfu_decay_min};
    store_set_stamp(ks->store, usage_first(&ks->usage, ks->clock_s));
    ks->candidates.count = 0;
}

/* ---- looking at some ---- */

struct search {
    struct keyspace *ks;
    int64_t now_ms;
    size_t found; /* keys that may go */
};

static uint64_t rank_of(struct search *s, const struct store_sample *sample, const struct entry *en)
{
    struct keyspace *ks = s->ks;
    if (entry_is_expired(en, s->now_ms)) return RANK_EXPIRED;
    if (ks->eviction.order == KEYSPACE_ANY) return random_next(&ks->random) >> 1;
    if (ks->eviction.order == KEYSPACE_DUE_FIRST) return RANK_ON_DISK - (uint64_t)en->expires_ms; /* which is not before 1970 */
    if (!sample->in_memory) return RANK_ON_DISK;
    if (!ks->usage.counts) return usage_idle_s(sample->stamp, ks->clock_s);
    return USAGE_FREQUENCY_MAX - usage_frequency(&ks->usage, sample->stamp, ks->clock_s);
}

static bool consider(void *user, const struct store_sample *sample)
{
    struct search *s = user;
    struct entry en;
    bool readable = entry_read(sample->value, &en);
    assert(readable); /* as when it is looked up */
    (void)readable;
    if (s->ks->eviction.expiring_only && !entry_has_expiry(&en)) return false;
    candidates_offer(&s->ks->candidates, rank_of(s, sample, &en), sample->key);
    s->found++;
    return true;
}

static void consider_any(void *user, const struct store_sample *sample)
{
    consider(user, sample);
}

/* A database, each as likely as it has keys. */
static const struct database *pick_database(struct keyspace *ks)
{
    const struct database *db = ks->databases.list;
    for (uint64_t number = random_below(&ks->random, ks->databases.held.keys); number >= db->size; db++) number -= db->size;
    return db;
}

/* One of its slots that has keys, of which there is one. */
static unsigned pick_slot(struct keyspace *ks, const struct database *db)
{
    unsigned slot = 0;
    for (int i = 0; i < SLOT_TRIES; i++) {
        slot = (unsigned)random_below(&ks->random, ROWKEY_SLOTS);
        if (db->slots[slot].keys) return slot;
    }
    while (!db->slots[slot].keys) slot = (slot + 1) % ROWKEY_SLOTS;
    return slot;
}

/* From a random hash on; behind the last comes the first. */
static void look_at_slot(struct search *s, size_t count)
{
    struct keyspace *ks = s->ks;
    const struct database *db = pick_database(ks);
    unsigned slot = pick_slot(ks, db);
    struct rowkey from, to;
    size_t before = s->found;
    rowkey_bound(&from, slot, db->id, random_next(&ks->random));
    rowkey_end(&to, slot, db->id);
    store_sample_disk(ks->store, rowkey_bytes(&from), rowkey_bytes(&to), count, consider_any, s);
    if (s->found > before) return;
    rowkey_bound(&from, slot, db->id, 0);
    store_sample_disk(ks->store, rowkey_bytes(&from), rowkey_bytes(&to), count, consider_any, s);
}

/* Slots may have few keys, and some of them may be gone. */
static void look_on_disk(struct search *s, size_t count)
{
    size_t before = s->found;
    for (int i = 0; i < ROUNDS && s->found < before + count; i++) look_at_slot(s, count - (s->found - before));
}

/* In memory or on disk, each as likely as it has rows. */
static void look(struct search *s, size_t count)
{
    struct keyspace *ks = s->ks;
    struct store_whereabouts rows;
    store_whereabouts(ks->store, &rows);
    uint64_t all = rows.in_memory + rows.on_disk;
    if (all && random_below(&ks->random, all) >= rows.in_memory)
        look_on_disk(s, count);
    else
        store_sample(ks->store, random_next(&ks->random), count, consider_any, s);
}

/* Where few keys have an expiry, none may be found among any; the store knows those that come first. */
static void find_candidates(struct search *s)
{
    const struct keyspace_eviction *ev = &s->ks->eviction;
    size_t wanted = ev->order == KEYSPACE_ANY ? 1 : ev->samples, looks = ev->expiring_only ? STORE_SAMPLE_MAX : wanted;
    if (ev->order != KEYSPACE_DUE_FIRST)
        for (int i = 0; i < ROUNDS && s->found < wanted; i++) look(s, looks);
    if (s->found == 0 && ev->expiring_only) store_sample_due(s->ks->store, wanted, consider, s);
}

/* ---- deleting one ---- */

/* False: there is no such key any more, or it may not go. */
static bool evict(struct keyspace *ks, struct bytes name, int64_t now_ms)
{
    struct rowkey_parts at;
    struct store_value value;
    struct entry en;
    if (!rowkey_parse(name, &at) || !store_get(ks->store, name, &value) || !entry_read(value.data, &en)) return false;
    if (ks->eviction.expiring_only && !entry_has_expiry(&en)) return false;
    store_begin(ks->store);
    keyspace_delete_row(ks, name, &at, &en, entry_is_expired(&en, now_ms) ? KEYSPACE_EXPIRED : KEYSPACE_EVICTED);
    ks->written = store_commit(ks->store);
    return true;
}

enum keyspace_evicted keyspace_evict(struct keyspace *ks, int64_t now_ms)
{
    uint8_t name[ROWKEY_MAX];
    assert(ks->depth == 0);
    if (!(ks->eviction.expiring_only ? ks->databases.expiring : ks->databases.held.keys)) return KEYSPACE_NONE_MAY_GO;
    keyspace_see_time(ks, now_ms);
    find_candidates(&(struct search){.ks = ks, .now_ms = now_ms});
    while (ks->candidates.count)
        if (evict(ks, candidates_take(&ks->candidates, name), now_ms)) return KEYSPACE_MADE_ROOM;
    return KEYSPACE_NOT_FOUND;
}

uint64_t keyspace_evicted_total(const struct keyspace *ks)
{
    return ks->evicted_total;
}

uint64_t keyspace_data_bytes(const struct keyspace *ks)
{
    return ks->databases.held.bytes + ks->databases.held.keys * KEYSPACE_KEY_COSTS;
}

bool keyspace_sampled(struct bytes name)
{
    struct rowkey_parts at;
    return rowkey_parse(name, &at);
}
