/* The log as others read it: replicas, slot moves, backup. (design: replication.md, migration.md)
 *
 * A reader gives the records after a position, whole, in order, and byte for byte as they were written. It is opened by the store's owner,
 * then used by one thread at a time, whichever that is, beside the owner, who goes on writing. While it is open the log from the record it
 * has given last on is kept, up to store_options.log_keep_max beyond what the checkpoint needs; less if the disk is full, since writes go
 * first. Past that the log is trimmed all the same and the reader has fallen behind: start anew from a snapshot (store/snapshot.h). */
#ifndef AIKV_STORE_READER_H
#define AIKV_STORE_READER_H

#include "store/store.h"

struct store_reader;

/* The batches of one turn, all of one epoch. A log that gets these records, in this order, is the same log. */
struct store_record {
    struct store_position before; /* the last batch of the record before it; 0/0: it is the first */
    struct store_position first;
    uint64_t last;        /* sequence of its last batch */
    struct bytes batches; /* until the next call */
};

enum store_reach { STORE_WRITTEN, STORE_DURABLE, STORE_COMMITTED };

/* Opens a reader of what comes after `from`. The owner's call; reads nothing from the disk. Errors: NOT_FOUND, if the log does not hold that
 * position (any more), or holds it in another epoch; the text says which. */
int store_reader_open(struct store *s, struct store_position from, struct store_reader **out, struct error *e);
/* The next record that is `reach` up to its end, if there is one: out->last is 0 if not. Never waits but for the disk. One thread at a time; not
 * the owner's, which should not wait even for that. Errors: NOT_FOUND, if the reader has fallen behind, or `from` was within a record;
 * FORMAT, with file and offset, for damage; IO. After an error close it: it will give no more. */
int store_reader_next(struct store_reader *r, enum store_reach reach, struct store_record *out, struct error *e);
/* Any thread, but not while another one uses it; before the store is closed. NULL is fine. */
void store_reader_close(struct store_reader *r);

/* ---- what a record says ---- */

enum store_operation_code {
    STORE_OPERATION_PUT = 1,
    STORE_OPERATION_DELETE,
    STORE_OPERATION_SPLICE,
    STORE_OPERATION_DROP_SLOTS,
    STORE_OPERATION_DROP_DATABASE /* within slots */
};

/* A change as store.h's calls of these names make it. */
struct store_operation {
    uint64_t sequence; /* of its batch */
    enum store_operation_code code;
    struct bytes key, value; /* of a splice: what is inserted */
    size_t offset, removed;  /* of a splice */
    struct store_range range; /* of a drop, which has no key */
};

/* Calls `visit` for each operation of a record's batches, in order; stops when it returns another value than 0, and returns that. What it is
 * given lives as long as the batches. Pure, any thread. Errors: FORMAT. */
typedef int store_visit_operation(void *user, const struct store_operation *o, struct error *e);
int store_read_record(struct bytes batches, store_visit_operation *visit, void *user, struct error *e);

#endif
