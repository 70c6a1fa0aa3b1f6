/* What a store is made of. All of it is the owner's but for what disk.h and writer.h say. */
#ifndef AIKV_STORE_STORE_STATE_H
#define AIKV_STORE_STORE_STATE_H

#include "store/disk.h"
#include "store/pending.h"
#include "store/store.h"
#include "store/writer.h"

struct store {
    struct disk disk;
    struct writer *writer;
    struct pending pending;

    struct turn *turn;    /* what the next flush hands over; NULL: nothing yet */
    struct row *replaced; /* a version of this turn that was overwritten; callers may still look at its value */
    struct turn *done;    /* durable turns that are about to be settled */
    uint64_t sequence;    /* of the last batch */
    uint64_t handed_over; /* ... of the last one flushed */
    uint64_t settled;     /* ... of the last one that is out of `pending`, being in the snapshot */
    bool in_batch, batch_has_rows;
    unsigned iterators; /* open ones */

    size_t pending_max;
    uint64_t bytes_written; /* rows written since open; less writer_durable_bytes(): what waits */
    size_t pending_bytes;   /* versions in memory, superseded ones included */
    uint64_t batches, flushes;
};

/* store_open with some of LMDB replaced, for tests that let it fail. NULL: nothing. */
int store_open_with(const struct store_options *options, const struct disk_calls *calls, struct store **out,
                    struct store_report *report, struct error *e);

/* The position of a version, 0/0 once it is durable. */
struct store_position store_row_position(const struct store *s, const struct row *r);

#endif
