/* A store's files looked at one by one, while nobody has it open: `aikv check`. Nothing here changes a byte; what a
 * start makes of them all together is seen with store_open and `read_only`.
 *
 * LMDB's pages have no checksums (rows have), and damaged ones lead it to wherever they say: who reads the checkpoint must expect
 * SIGSEGV, SIGBUS and the end of the process with EXIT_FORMAT, so it is best done in a process of its own. The log is
 * safe to read whatever is in it. */
#ifndef AIKV_STORE_INSPECT_H
#define AIKV_STORE_INSPECT_H

#include "store/reader.h"

/* ---- the log ---- */

struct store_log_report {
    uint64_t segments, records, batches, bytes; /* bytes: of the batches */
    uint64_t puts, deletes, splices, drops;
    uint64_t torn_bytes;               /* behind the end: remains of a crash, which a start drops */
    struct store_position first, last; /* batch; 0/0: none */
};

/* Reads all of the log of the store in `dir`, what a start would skip too, and calls `visit` (or NULL) for each
 * operation, in order. Errors: FORMAT for what is damaged (file, offset, and up to which position the log is intact), a
 * missing segment or another version; IO; PERMISSION; what `visit` returns. `out` then has what was read until there.
 * Without a log there are no segments. */
typedef int store_inspect_visit(void *user, uint64_t epoch, const struct store_operation *o, struct error *e);
int store_inspect_log(const char *dir, store_inspect_visit *visit, void *user, struct store_log_report *out,
                      struct error *e);

/* ---- the checkpoint ---- */

struct store_checkpoint_report {
    struct store_position at; /* what it holds */
    struct store_position
        next; /* later than `at`: a checkpoint of this position was interrupted, which a start finishes */
    uint64_t rows, expiring, key_bytes, value_bytes, value_max_bytes;
    uint64_t page_bytes, pages, free_pages;            /* of the file; each of page_bytes */
    uint64_t branch_pages, leaf_pages, overflow_pages; /* of the tree of rows */
    unsigned depth;                                    /* of that tree */
};

/* Reads every row of the checkpoint of the store in `dir`, the index of rows that expire (`expiry` is
 * store_options.expiry; NULL: it is not looked at), and the list of free pages. Errors: FORMAT (damaged,
 * missing, or of another version), IO, PERMISSION. */
int store_inspect_checkpoint(const char *dir, store_expiry *expiry, struct store_checkpoint_report *out, struct error *e);

#endif
