/* The thread that brings a frozen generation into LMDB: in key order, in transactions that are short enough not to be felt.
 *
 * The owner begins a checkpoint and learns of its end by asking; it never waits. What both see is under one mutex or atomic. Nothing is
 * written before the log is durable up to the generation's end: else a power loss between two transactions could leave rows of two positions
 * and no log to tell; nor before it is committed up to there: the log may still be cut off behind what is. A full disk is waited for, a second at a time. */
#ifndef AIKV_STORE_CHECKPOINT_H
#define AIKV_STORE_CHECKPOINT_H

#include "store/disk.h"
#include "store/generation.h"

struct checkpoint;

struct checkpoint_options {
    struct disk *disk;
    /* Up to where the log is durable and committed; whether it will never be durable any more. */
    uint64_t (*may_write)(void *user);
    bool (*log_failed)(void *user);
    void (*moved)(void *user); /* a transaction was committed, or failed */
    void *user;
    size_t rows_max; /* of a transaction, written or deleted */
};

/* No thread yet: checkpoint_poke() may be called from here on. */
struct checkpoint *checkpoint_new(const struct checkpoint_options *options);
/* Errors: IO. */
int checkpoint_start(struct checkpoint *c, struct error *e);
/* Gives up what is not written yet and ends the thread. */
void checkpoint_stop(struct checkpoint *c);
/* After this nobody may poke it. NULL is fine for both. */
void checkpoint_free(struct checkpoint *c);
/* The log's durable or committed position rose, or the log failed. Any thread. */
void checkpoint_poke(struct checkpoint *c);

/* Rows of a transaction from now on, 1 to options.rows_max. LMDB keeps a copy of every page that one changes. The owner. */
void checkpoint_set_rows_max(struct checkpoint *c, size_t rows);
/* Brings `g` into LMDB, rows and drops, which goes by it from what it holds (`from`, copied) to from->next. What is done already (a crash
 * interrupted this checkpoint) is not done again. Not while one runs. */
void checkpoint_begin(struct checkpoint *c, const struct generation *g, const struct disk_state *from);
/* Whether the one begun last is in LMDB, whole. */
bool checkpoint_is_done(const struct checkpoint *c);
/* Waits until it is done or cannot be: the log has failed, LMDB has, or the disk is full. True: done. */
bool checkpoint_wait(struct checkpoint *c);

/* Transactions committed since the start. */
uint64_t checkpoint_commits(const struct checkpoint *c);
/* Whether the last try failed (and why): it is tried again each second unless `for_good`. */
bool checkpoint_is_stuck(struct checkpoint *c, bool *for_good, struct error *e);
uint64_t checkpoint_last_ms(const struct checkpoint *c); /* how long the last whole one took */

#endif
