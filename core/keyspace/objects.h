/* Objects: values with rows of their own beside the key's, named by an id (rowkey.h). Where ids come from, and what becomes of the rows
 * when the value is gone.
 *
 * An id is an id space (24 bits, 0 until MetaRaft grants them) and a counter (40 bits) that never repeats. The counter's next value is kept in
 * a row under slot 0xffff, "objects", some thousand ahead, and that row is in the batch of the first id it covers: after a crash whoever
 * finds rows of an id finds its reservation too. What was reserved and not used is skipped.
 *
 * An object that nobody holds any more waits under "free" · slot(2) · database id(4) · object(8), with the number of nodes left(4); keyspace_reclaim()
 * deletes nodes, the last first, and says in the same batch how many are left. Those that a flush has dropped meanwhile are not there to be
 * deleted. */
#ifndef AIKV_KEYSPACE_OBJECTS_H
#define AIKV_KEYSPACE_OBJECTS_H

#include "base/codec.h"
#include "base/error.h"
#include "keyspace/rowkey.h"
#include "store/store.h"

struct object {
    unsigned slot; /* its rows', for good: that of the key it was made under */
    uint32_t database_id;
    uint64_t id;    /* 0: none */
    uint32_t nodes; /* its rows have numbers below this; not each number has one */
};

/* What a key's row has of an object that elements are packed into: object(8) · slot(2) · nodes(4) · count(8) · bytes(8). */
#define OBJECT_ROOT_SIZE 30
struct object_root {
    struct object object;
    uint64_t count; /* elements */
    uint64_t bytes; /* of the elements as they are packed; how rows are filled does not change it */
};
/* The id of the database is not in it. False: damaged. (Here, since each look at a large value reads several.) */
static inline bool object_root_read(struct reader *r, uint32_t database_id, struct object_root *out)
{
    uint64_t id, count, bytes;
    uint32_t nodes;
    uint16_t slot;
    if (r->failed || reader_left(r) < OBJECT_ROOT_SIZE) {
        r->failed = true;
        *out = (struct object_root){.object.database_id = database_id};
        return false;
    }
    const uint8_t *raw = r->data + r->at;
    r->at += OBJECT_ROOT_SIZE;
    memcpy(&id, raw, 8);
    memcpy(&slot, raw + 8, 2);
    memcpy(&nodes, raw + 10, 4);
    memcpy(&count, raw + 14, 8);
    memcpy(&bytes, raw + 22, 8);
    *out = (struct object_root){{le16toh(slot), database_id, le64toh(id), le32toh(nodes)}, le64toh(count), le64toh(bytes)};
    return id && nodes && out->object.slot < ROWKEY_SLOTS;
}
void object_root_write(struct buffer *b, const struct object_root *root);

struct objects {
    uint64_t next, reserved; /* ids from `next` to below `reserved` may be given out */
    struct object *waiting;  /* to be deleted, the newest last; each has its row too */
    size_t count, cap;
};

/* Reads what the rows say. Errors: FORMAT. */
int objects_open(struct objects *o, struct store *store, struct error *e);
void objects_release(struct objects *o);

/* An id that never was. In a batch. */
uint64_t objects_new_id(struct objects *o, struct store *store);
/* Nobody holds the object any more. In a batch. */
void objects_hand_over(struct objects *o, struct store *store, const struct object *object);
/* Deletes up to `nodes` of what waits; returns how many were looked at. In a batch. */
size_t objects_reclaim(struct objects *o, struct store *store, size_t nodes);

#endif
