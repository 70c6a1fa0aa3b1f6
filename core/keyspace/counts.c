#include "keyspace/counts.h"

#include <endian.h>

#include "keyspace/rowkey.h"

#define COUNTS_FORMAT 3
#define NAME_SIZE     12

static struct bytes name_of(uint8_t out[NAME_SIZE], uint32_t id)
{
    memcpy(out, "\xff\xff" "counts", 8);
    uint32_t id_be = htobe32(id);
    memcpy(out + 8, &id_be, 4);
    return bytes_of(out, NAME_SIZE);
}

/* ---- writing ---- */

static void put_row(struct store *store, uint32_t id, const struct buffer *b)
{
    uint8_t name[NAME_SIZE];
    store_put(store, name_of(name, id), buffer_bytes(b));
}

/* Of a database that is empty. */
static void drop_row(struct store *store, uint32_t id)
{
    uint8_t name[NAME_SIZE];
    struct store_value value;
    if (store_get(store, name_of(name, id), &value)) store_delete(store, name_of(name, id));
}

static void write_held(struct buffer *b, struct keyspace_held held)
{
    write_varint(b, held.keys);
    if (held.keys) write_varint(b, held.bytes);
}

void counts_write(struct store *store, struct databases *d, uint64_t sequence)
{
    struct buffer b;
    buffer_init(&b, 8 + 2 * (size_t)CODEC_VARINT_MAX * ROWKEY_SLOTS);
    for (unsigned n = 0; n < d->count; n++) {
        struct database *db = &d->list[n];
        if (!db->changed) continue;
        db->changed = false;
        if (!db->size) {
            drop_row(store, db->id);
            continue;
        }
        buffer_clear(&b);
        write_u64(&b, db->expiring);
        for (unsigned slot = 0; slot < ROWKEY_SLOTS; slot++) write_held(&b, databases_slot(db, slot));
        if (b.failed) break; /* no memory: without the head these do not count */
        put_row(store, db->id, &b);
    }
    bool whole = !b.failed;
    buffer_clear(&b);
    write_u8(&b, COUNTS_FORMAT);
    write_u64(&b, whole ? sequence : 0);
    if (!b.failed) put_row(store, 0, &b);
    buffer_release(&b);
}

/* ---- reading ---- */

/* The counts of the database with this id. */
static bool read_database(struct store *store, struct databases *d, struct database *db)
{
    uint8_t name[NAME_SIZE];
    struct bytes value;
    if (!store_get_base(store, name_of(name, db->id), &value)) return true; /* it held nothing */
    struct reader r = reader_of(value);
    databases_set_expiring(d, db, read_u64(&r));
    for (unsigned slot = 0; slot < ROWKEY_SLOTS; slot++) {
        struct keyspace_held held = {.keys = read_varint(&r)};
        if (!held.keys) continue;
        held.bytes = read_varint(&r);
        databases_set_slot(d, db, slot, held);
    }
    return reader_done(&r) && db->expiring <= db->size;
}

bool counts_read(struct store *store, const struct databases *base, struct databases *now)
{
    uint8_t name[NAME_SIZE];
    struct bytes head;
    if (!store_get_base(store, name_of(name, 0), &head)) return false;
    struct reader r = reader_of(head);
    uint8_t format = read_u8(&r);
    uint64_t sequence = read_u64(&r);
    bool good = reader_done(&r) && format == COUNTS_FORMAT && sequence == store_base_sequence(store);
    for (unsigned n = 0; good && n < base->count; n++) {
        struct database *db = databases_find(now, base->list[n].id);
        good = db && read_database(store, now, db);
    }
    return good;
}
