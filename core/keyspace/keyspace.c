/* Opening, the meta row, and what concerns a command or a database as a whole. */
#include "keyspace/keyspace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc.h"
#include "base/random.h"
#include "keyspace/counts.h"
#include "keyspace/draft.h"
#include "keyspace/keyspace_state.h"

/* The one row that belongs to no slot: format(4) · seed(16) · databases. */
static struct bytes meta_name(void)
{
    return bytes_of("\xff\xff"
                    "keyspace",
                    10);
}

struct bytes keyspace_rows_end(void)
{
    return bytes_of("\xff\xff", 2);
}

/* ---- the meta row ---- */

void keyspace_write_meta(struct keyspace *ks)
{
    struct buffer b;
    buffer_init(&b, 4 * (size_t)DATABASES_MAX + 64);
    write_u32(&b, KEYSPACE_FORMAT);
    write_u64(&b, ks->seed_bytes[0]);
    write_u64(&b, ks->seed_bytes[1]);
    databases_write(&b, &ks->databases);
    assert(!b.failed);
    store_put(ks->store, meta_name(), buffer_bytes(&b));
    buffer_release(&b);
}

static int read_meta(struct bytes row, uint64_t seed[2], struct databases *d, struct error *e)
{
    struct reader r = reader_of(row);
    uint32_t format = read_u32(&r);
    if (!r.failed && format != KEYSPACE_FORMAT)
        return error_set(e, ERROR_FORMAT, "the keys have format %u, this version of AiKv reads %d", format,
                         KEYSPACE_FORMAT);
    seed[0] = read_u64(&r);
    seed[1] = read_u64(&r);
    databases_read(&r, d);
    return reader_done(&r) ? 0 : error_set(e, ERROR_FORMAT, "the keyspace's own row is damaged");
}

static bool has_rows(struct keyspace *ks)
{
    struct bytes key;
    struct store_value value;
    struct store_iterator *it = store_iterate(ks->store, bytes_of(NULL, 0), bytes_of(NULL, 0));
    bool any = store_iterator_next(it, &key, &value);
    store_iterator_close(it);
    return any;
}

/* ---- opening ---- */

/* Reads the meta row, or makes one, and adds databases that are new. */
static int open_meta(struct keyspace *ks, struct error *e)
{
    struct store_value meta;
    if (store_get(ks->store, meta_name(), &meta)) {
        int rc = read_meta(meta.data, ks->seed_bytes, &ks->databases, e);
        if (rc) return rc;
    } else if (has_rows(ks)) {
        return error_set(e, ERROR_FORMAT, "there are rows but not the keyspace's own");
    } else {
        random_bytes(ks->seed_bytes, sizeof ks->seed_bytes);
    }
    rowkey_seed_init(&ks->seed, ks->seed_bytes);
    if (ks->databases.count < ks->usable) {
        databases_grow(&ks->databases, ks->usable);
        store_begin(ks->store);
        keyspace_write_meta(ks);
        ks->written = store_commit(ks->store);
    }
    return 0;
}

/* Counts a row, or, with -1, one that is no more. Rows of parts of values do not count. */
static int count_row(struct keyspace *ks, struct bytes name, struct bytes value, int rows, struct error *e)
{
    struct rowkey_parts at;
    struct rowkey_node node;
    struct entry en;
    if (rowkey_node_parse(name, &node)) return 0;
    if (!rowkey_parse(name, &at))
        return error_set(e, ERROR_FORMAT, "a row has a name of %zu bytes that is no key's", name.len);
    if (!entry_read(value, &en))
        return error_set(e, ERROR_FORMAT,
                         "a row of slot %u is damaged, or of a type that this version of AiKv does not know", at.slot);
    struct database *db = databases_find(&ks->databases, at.database_id);
    if (!db) return error_set(e, ERROR_FORMAT, "a row of slot %u is of database id %u, which there is none of", at.slot, at.database_id);
    databases_count(&ks->databases, db, at.slot, rows, entry_has_expiry(&en) ? rows : 0, rows * (int64_t)keyspace_row_bytes(name.len, &en));
    return 0;
}

/* Counts each row. */
static int count_rows(struct keyspace *ks, struct error *e)
{
    for (unsigned n = 0; n < ks->databases.count; n++) databases_clear(&ks->databases, &ks->databases.list[n]);
    struct store_iterator *it = store_iterate(ks->store, bytes_of(NULL, 0), keyspace_rows_end());
    struct bytes name;
    struct store_value value;
    int rc = 0;
    while (!rc && store_iterator_next(it, &name, &value)) rc = count_row(ks, name, value.data, 1, e);
    store_iterator_close(it);
    return rc;
}

struct recount {
    struct keyspace *ks;
    struct error *e;
};

#define RECOUNT (-1) /* what was dropped cannot be told from the counts */

/* Whole databases are dropped here. */
static int count_drop(void *user, const struct store_range *range)
{
    struct recount *rc = user;
    struct databases *d = &rc->ks->databases;
    if (range->first_slot > 0 || range->last_slot < ROWKEY_SLOTS - 1) return RECOUNT;
    for (unsigned n = 0; n < d->count; n++)
        if (!range->one_database || d->list[n].id == range->database) databases_clear(d, &d->list[n]);
    return 0;
}

static int count_change(void *user, struct bytes name, const struct bytes *before, const struct bytes *now)
{
    struct recount *rc = user;
    if (bytes_compare(name, keyspace_rows_end()) >= 0) return 0;
    int code = before ? count_row(rc->ks, name, *before, -1, rc->e) : 0;
    return code || !now ? code : count_row(rc->ks, name, *now, 1, rc->e);
}

/* The log may hold counts too, of a checkpoint that a crash cut short. They are old now, and are all written anew with the next one. */
static void distrust_logged_counts(struct keyspace *ks)
{
    struct store_statistics st;
    store_statistics(ks->store, &st);
    if (st.last.sequence == store_base_sequence(ks->store)) return;
    for (unsigned n = 0; n < ks->databases.count; n++) ks->databases.list[n].changed = true;
}

/* The counts that came with the checkpoint, corrected by what the log changed since; without any, each row is counted. */
static int open_counts(struct keyspace *ks, struct error *e)
{
    struct databases base;
    struct bytes meta;
    uint64_t seed[2];
    databases_init(&base);
    bool known = store_get_base(ks->store, meta_name(), &meta) && !read_meta(meta, seed, &base, NULL) &&
                 counts_read(ks->store, &base, &ks->databases);
    databases_release(&base);
    int rc = known ? store_each_changed(ks->store, count_drop, count_change, &(struct recount){ks, e}) : RECOUNT;
    if (rc == RECOUNT) rc = count_rows(ks, e);
    distrust_logged_counts(ks);
    return rc;
}

/* Just before a checkpoint begins, and at the end: the counts go with it. */
static void write_counts(void *user)
{
    struct keyspace *ks = user;
    struct store_statistics st;
    store_statistics(ks->store, &st);
    store_begin(ks->store);
    counts_write(ks->store, &ks->databases, st.last.sequence + 1);
    ks->written = store_commit(ks->store);
    ks->counted = ks->written.sequence;
}

static int check_usable(struct keyspace *ks, struct error *e)
{
    for (unsigned n = ks->usable; n < ks->databases.count; n++) {
        if (ks->databases.list[n].size)
            return error_set(e, ERROR_CONFIG, "database %u holds %llu keys, but only %u databases are configured", n,
                             (unsigned long long)ks->databases.list[n].size, ks->usable);
    }
    return 0;
}

static void keyspace_free(struct keyspace *ks)
{
    databases_release(&ks->databases);
    objects_release(&ks->objects);
    buffer_release(&ks->draft);
    free(ks);
}

/* Nothing is written unless there are fewer than `databases`. */
static int load(struct store *store, unsigned databases, struct keyspace **out, struct error *e)
{
    struct keyspace *ks = calloc(1, sizeof *ks);
    if (!ks) return error_set(e, ERROR_OOM, "no memory for the keyspace");
    ks->store = store;
    ks->usable = databases;
    ks->clock_from_ms = ks->clock_ms = INT64_MAX; /* until it is told the time */
    random_bytes(&ks->random, sizeof ks->random);
    databases_init(&ks->databases);
    buffer_init(&ks->draft, DRAFT_MAX);
    int rc = open_meta(ks, e);
    if (!rc) rc = objects_open(&ks->objects, store, e);
    if (!rc) rc = open_counts(ks, e);
    if (rc)
        keyspace_free(ks);
    else
        *out = ks;
    return rc;
}

int keyspace_open(struct store *store, unsigned databases, struct keyspace **out, struct error *e)
{
    if (databases == 0 || databases > DATABASES_MAX)
        return error_set(e, ERROR_CONFIG, "%u databases are configured; 1 to %u are possible", databases,
                         DATABASES_MAX);
    struct keyspace *ks;
    int rc = load(store, databases, &ks, e);
    if (rc) return rc;
    if ((rc = check_usable(ks, e))) {
        keyspace_free(ks);
        return rc;
    }
    ks->small = (struct keyspace_small){KEYSPACE_SMALL_HASH_ENTRIES, KEYSPACE_SMALL_HASH_VALUE, KEYSPACE_SMALL_SET_INTEGERS,
                                        KEYSPACE_SMALL_ZSET_ENTRIES, KEYSPACE_SMALL_ZSET_VALUE};
    store_on_checkpoint(store, write_counts, ks);
    store_flush(store);
    *out = ks;
    return 0;
}

int keyspace_open_read_only(struct store *store, struct keyspace **out, struct error *e)
{
    int rc = load(store, 0, out, e);
    if (!rc) (*out)->usable = (*out)->databases.count;
    return rc;
}

void keyspace_close(struct keyspace *ks)
{
    if (!ks) return;
    struct store_statistics st;
    store_statistics(ks->store, &st);
    if (st.last.sequence != st.checkpoint.sequence && st.last.sequence != ks->counted && store_writable(ks->store, NULL)) write_counts(ks);
    store_on_checkpoint(ks->store, NULL, NULL);
    keyspace_free(ks);
}

static size_t lower(size_t a, size_t b)
{
    return a < b ? a : b;
}

void keyspace_set_small(struct keyspace *ks, const struct keyspace_small *small)
{
    ks->small = (struct keyspace_small){.hash_entries = lower(small->hash_entries, KEYSPACE_SMALL_HASH_ENTRIES),
                                        .hash_value = lower(small->hash_value, KEYSPACE_SMALL_HASH_VALUE),
                                        .set_integers = lower(small->set_integers, KEYSPACE_SMALL_SET_INTEGERS),
                                        .zset_entries = lower(small->zset_entries, KEYSPACE_SMALL_ZSET_ENTRIES),
                                        .zset_value = lower(small->zset_value, KEYSPACE_SMALL_ZSET_VALUE)};
}

/* ---- a command ---- */

void keyspace_begin(struct keyspace *ks, unsigned database, int64_t now_ms)
{
    assert(database < ks->usable);
    ks->current = database;
    ks->place.known = false;
    ks->only_looks = false;
    ks->used = 0;
    if (ks->depth++) return;
    ks->now_ms = now_ms;
    keyspace_see_time(ks, now_ms);
    ks->seen = ks->flushed;
    ks->flushes = false;
    store_begin(ks->store);
}

struct store_position keyspace_end(struct keyspace *ks)
{
    assert(ks->depth > 0);
    if (--ks->depth) return (struct store_position){0, 0};
    struct store_position p = store_commit(ks->store);
    if (p.sequence) ks->written = p;
    if (ks->flushes) ks->flushed = p;
    keyspace_note(ks, p);
    bool released = store_position_compare(ks->seen, store_released(ks->store)) <= 0;
    return released ? (struct store_position){0, 0} : ks->seen;
}

struct store_position keyspace_written(const struct keyspace *ks)
{
    return ks->written;
}

void keyspace_listen(struct keyspace *ks, const struct keyspace_listener *listener)
{
    ks->listener = listener ? *listener : (struct keyspace_listener){0};
}

void keyspace_touch(const struct keyspace *ks, struct bytes key)
{
    keyspace_tell(ks, ks->current, key, KEYSPACE_CHANGED);
}

const char *keyspace_type_name(enum keyspace_type type)
{
    static const char *const names[KEYSPACE_TYPES] = {"none", "string", "hash", "list", "set", "zset", "stream"};
    return names[type];
}

/* ---- whole databases ---- */

/* Numbers made of all keys depend on all that was written. */
static const struct database *see_whole(struct keyspace *ks, unsigned database)
{
    assert(database < ks->usable);
    keyspace_note(ks, ks->written);
    return &ks->databases.list[database];
}

uint64_t keyspace_size(struct keyspace *ks, unsigned database)
{
    return see_whole(ks, database)->size;
}

uint64_t keyspace_expiring(struct keyspace *ks, unsigned database)
{
    return see_whole(ks, database)->expiring;
}

/* The rows of one database, or of all. */
static void drop_rows(struct keyspace *ks, const struct database *one)
{
    struct store_range range = {0, ROWKEY_SLOTS - 1, one != NULL, one ? one->id : 0};
    store_drop(ks->store, &range);
    ks->flushes = true;
    ks->place.known = false;
}

void keyspace_flush(struct keyspace *ks, unsigned database)
{
    assert(database < ks->usable);
    struct database *db = &ks->databases.list[database];
    keyspace_note(ks, ks->written); /* that there is nothing to do may be so because of it */
    if (!db->size) return;
    databases_clear(&ks->databases, db);
    drop_rows(ks, db);
}

void keyspace_flush_all(struct keyspace *ks)
{
    uint64_t keys = 0;
    keyspace_note(ks, ks->written);
    for (unsigned n = 0; n < ks->usable; n++) keys += ks->databases.list[n].size;
    if (!keys) return;
    for (unsigned n = 0; n < ks->usable; n++) databases_clear(&ks->databases, &ks->databases.list[n]);
    drop_rows(ks, NULL);
}

/* ---- slots ---- */

unsigned keyspace_slot(struct bytes key)
{
    const uint8_t *open = key.len ? memchr(key.data, '{', key.len) : NULL;
    if (open) {
        size_t left = key.len - (size_t)(open + 1 - key.data);
        const uint8_t *close = left ? memchr(open + 1, '}', left) : NULL;
        if (close && close != open + 1) key = bytes_of(open + 1, (size_t)(close - open - 1));
    }
    return crc16(key.data, key.len) % ROWKEY_SLOTS;
}

uint64_t keyspace_slot_size(struct keyspace *ks, unsigned slot)
{
    return slot < ROWKEY_SLOTS ? databases_slot(see_whole(ks, ks->current), slot).keys : 0;
}

void keyspace_slots_held(const struct keyspace *ks, unsigned first, size_t count, struct keyspace_held *out)
{
    assert(first <= ROWKEY_SLOTS && count <= ROWKEY_SLOTS - first);
    memset(out, 0, count * sizeof *out);
    for (unsigned n = 0; n < ks->usable; n++) {
        const struct database *db = &ks->databases.list[n];
        if (!db->size) continue;
        for (size_t i = 0; i < count; i++) {
            out[i].keys += db->slots[first + i].keys;
            out[i].bytes += db->slots[first + i].bytes;
        }
    }
}

/* ---- upkeep ---- */

size_t keyspace_reclaim(struct keyspace *ks, size_t rows)
{
    if (!ks->objects.count || !store_writable(ks->store, NULL)) return 0;
    store_begin(ks->store);
    size_t looked = objects_reclaim(&ks->objects, ks->store, rows);
    struct store_position p = store_commit(ks->store);
    if (p.sequence) ks->written = p;
    return looked;
}

size_t keyspace_reclaim_waiting(const struct keyspace *ks)
{
    return ks->objects.count;
}

uint64_t keyspace_expired_total(const struct keyspace *ks)
{
    return ks->expired_total;
}
