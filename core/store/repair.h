/* A store that a start refuses, mended with a loss that somebody asked for: `aikv repair`. Nobody may have it open.
 * What is taken away is kept in a directory beside. */
#ifndef AIKV_STORE_REPAIR_H
#define AIKV_STORE_REPAIR_H

#include "store/store.h"

/* Where the log is cut: at its first damage. */
struct store_cut {
    struct store_position kept;    /* the last batch that stays, in the log or in the checkpoint */
    struct store_position lost_to; /* the last batch that can be told to have been there behind the cut; 0/0: none can */
    uint64_t lost_bytes;           /* that were in use behind the cut, as far as can be told */
    uint64_t segment, offset;      /* the cut; segment 0: the whole log goes, and the checkpoint alone stays */
    struct error damage;           /* what is wrong there */
};

/* Finds the cut for the log of the store in `dir`, whose checkpoint holds `at`, or, where one was interrupted, rows up
 * to `next`; both 0/0: there is none, and the log has to begin at the beginning. Changes nothing. Errors: NOT_FOUND:
 * the log needs no cut; FORMAT: cutting would not help, and why; IO; PERMISSION. */
int store_find_cut(const char *dir, struct store_position at, struct store_position next, struct store_cut *out,
                   struct error *e);

/* Cuts it there. Every file it changes or removes is in the directory `aside`, of the same file system, before. Should
 * it be interrupted, it can be found and done again. Errors: IO, PERMISSION, DISK. */
int store_cut_log(const char *dir, const struct store_cut *cut, const char *aside, struct error *e);

/* Makes the checkpoint anew from a log that is whole: the old one is moved into `aside` first. `expiry` is
 * store_options.expiry. Errors: those of
 * store_open. */
int store_rebuild_checkpoint(const char *dir, const char *aside, store_expiry *expiry, struct store_report *out, struct error *e);

#endif
