#include "keyspace/objects.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define RESERVE      4096 /* ids at a time */
#define COUNTER_BITS 40

#define FREE_HEAD 6 /* "\xff\xff" "free" */
#define FREE_SIZE (FREE_HEAD + 14)

static struct bytes counter_name(void)
{
    return bytes_of("\xff\xff"
                    "objects",
                    9);
}

/* Read for each command on a large value: in one piece. */
void object_root_write(struct buffer *b, const struct object_root *root)
{
    uint8_t raw[OBJECT_ROOT_SIZE];
    uint64_t id = htole64(root->object.id), count = htole64(root->count), bytes = htole64(root->bytes);
    uint32_t nodes = htole32(root->object.nodes);
    uint16_t slot = htole16((uint16_t)root->object.slot);
    memcpy(raw, &id, 8);
    memcpy(raw + 8, &slot, 2);
    memcpy(raw + 10, &nodes, 4);
    memcpy(raw + 14, &count, 8);
    memcpy(raw + 22, &bytes, 8);
    buffer_append(b, raw, sizeof raw);
}

/* ---- ids ---- */

uint64_t objects_new_id(struct objects *o, struct store *store)
{
    if (o->next == o->reserved) {
        o->reserved += RESERVE;
        assert(o->reserved >> COUNTER_BITS == 0); /* a million million large values */
        uint64_t stored = htole64(o->reserved);
        store_put(store, counter_name(), bytes_of(&stored, sizeof stored));
    }
    return o->next++;
}

static int open_counter(struct objects *o, struct store *store, struct error *e)
{
    struct store_value value;
    o->next = o->reserved = 1;
    if (!store_get(store, counter_name(), &value)) return 0;
    struct reader r = reader_of(value.data);
    o->next = o->reserved = read_u64(&r);
    if (reader_done(&r) && o->next > 0 && o->next >> COUNTER_BITS == 0) return 0;
    return error_set(e, ERROR_FORMAT, "the keyspace's count of objects is damaged");
}

/* ---- what waits ---- */

static struct bytes free_name(uint8_t out[FREE_SIZE], const struct object *object)
{
    uint16_t slot = htobe16((uint16_t)object->slot);
    uint32_t database = htobe32(object->database_id);
    uint64_t id = htobe64(object->id);
    memcpy(out, "\xff\xff" "free", FREE_HEAD);
    memcpy(out + FREE_HEAD, &slot, 2);
    memcpy(out + FREE_HEAD + 2, &database, 4);
    memcpy(out + FREE_HEAD + 6, &id, 8);
    return bytes_of(out, FREE_SIZE);
}

static bool free_parse(struct bytes name, struct bytes value, struct object *out)
{
    uint16_t slot;
    uint32_t database;
    uint64_t id;
    if (name.len != FREE_SIZE) return false;
    memcpy(&slot, name.data + FREE_HEAD, 2);
    memcpy(&database, name.data + FREE_HEAD + 2, 4);
    memcpy(&id, name.data + FREE_HEAD + 6, 8);
    struct reader r = reader_of(value);
    *out = (struct object){be16toh(slot), be32toh(database), be64toh(id), read_u32(&r)};
    return reader_done(&r) && out->slot < ROWKEY_SLOTS && out->id && out->nodes;
}

static void write_mark(struct store *store, const struct object *object)
{
    uint8_t name[FREE_SIZE];
    uint32_t nodes = htole32(object->nodes);
    if (object->nodes)
        store_put(store, free_name(name, object), bytes_of(&nodes, sizeof nodes));
    else
        store_delete(store, free_name(name, object));
}

static void push(struct objects *o, const struct object *object)
{
    if (o->count == o->cap) {
        o->cap = o->cap ? 2 * o->cap : 16;
        o->waiting = realloc(o->waiting, o->cap * sizeof *o->waiting);
        if (!o->waiting) {
            fprintf(stderr, "out of memory: objects to be deleted\n");
            abort();
        }
    }
    o->waiting[o->count++] = *object;
}

static int open_waiting(struct objects *o, struct store *store, struct error *e)
{
    struct bytes name;
    struct store_value value;
    int rc = 0;
    struct store_iterator *it = store_iterate(store, bytes_of("\xff\xff" "free", FREE_HEAD), bytes_of("\xff\xff" "fref", FREE_HEAD));
    while (!rc && store_iterator_next(it, &name, &value)) {
        struct object object;
        if (free_parse(name, value.data, &object))
            push(o, &object);
        else
            rc = error_set(e, ERROR_FORMAT, "a row that names an object to be deleted is damaged");
    }
    store_iterator_close(it);
    return rc;
}

void objects_hand_over(struct objects *o, struct store *store, const struct object *object)
{
    assert(object->id && object->nodes);
    write_mark(store, object);
    push(o, object);
}

/* Nodes of the object that was handed over last. */
static size_t reclaim_last(struct objects *o, struct store *store, size_t nodes)
{
    struct object *object = &o->waiting[o->count - 1];
    uint8_t name[ROWKEY_NODE_SIZE];
    size_t looked = object->nodes < nodes ? object->nodes : nodes;
    for (size_t i = 0; i < looked; i++) {
        struct rowkey_node node = {object->slot, object->database_id, object->id, --object->nodes};
        struct bytes row = rowkey_node_name(name, &node);
        if (store_is_cold(store, row) || store_has(store, row)) store_delete(store, row); /* better one mark too many than a wait for the disk */
    }
    write_mark(store, object);
    if (!object->nodes) o->count--;
    return looked;
}

size_t objects_reclaim(struct objects *o, struct store *store, size_t nodes)
{
    size_t looked = 0;
    while (looked < nodes && o->count) looked += reclaim_last(o, store, nodes - looked);
    return looked;
}

/* ---- opening ---- */

int objects_open(struct objects *o, struct store *store, struct error *e)
{
    int rc = open_counter(o, store, e);
    return rc ? rc : open_waiting(o, store, e);
}

void objects_release(struct objects *o)
{
    free(o->waiting);
    *o = (struct objects){0};
}
