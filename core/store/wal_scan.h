/* Reading a log from disk: hands over its records and finds its end. Changes nothing.
 *
 * The end is where the records stop that are intact and in order. What lies behind it is the remains of a crash if
 * nothing says that it had been synced; it is damage if a record behind it does (`synced`, wal_record.h). A crash may
 * tear several segments, since the next one is begun without waiting for the sync of the last. Where the log is to be cut
 * off, what lies behind was written and synced, and is to go all the same. */
#ifndef AIKV_STORE_WAL_SCAN_H
#define AIKV_STORE_WAL_SCAN_H

#include "store/wal_segment.h"

struct wal_scan {
    const char *dir;
    const struct wal_calls *calls;
    bool all; /* every record there is, wherever the log begins; else those after the checkpoint, and it must begin
                 before that */
    struct store_position checkpoint;
    struct store_position until; /* the end must be here, and what lies behind goes; 0/0: wherever it is */
    wal_replay replay; /* may be NULL */
    void *user;

    struct wal_segment *segments; /* given; their `extent` is set where there are remains */

    /* found */
    struct wal_segment *end; /* the segment that has the end; NULL: none is begun */
    size_t end_at;
    uint64_t end_offset; /* the same as a log offset */
    bool remains;        /* whether there is anything behind it */
    struct wal_report report;
};

int wal_scan_run(struct wal_scan *s, struct error *e);

#endif
