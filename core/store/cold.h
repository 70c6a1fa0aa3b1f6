/* Threads that read rows from disk before the owner does, so that it finds them in the kernel's page cache.
 *
 * A look-up in LMDB touches pages of a map, and one that is not in memory stops the thread that touches it; nothing tells beforehand which. So
 * while reads have waited for the disk lately (cold_suspects), the pages of each row are first touched here, in transactions of these threads'
 * own. Nothing of what they see is passed on, so nothing can be stale. When enough reads in a row have not waited, the owner goes back to
 * reading by itself. It watches the faults it takes: after the first that went to disk it has its rows read here again, and the next time
 * twice as many reads must go well first. */
#ifndef AIKV_STORE_COLD_H
#define AIKV_STORE_COLD_H

#include "store/disk.h"

#define COLD_KEYS_MAX 16384u /* more are not taken while so many wait */

struct cold;

/* What tests replace; NULL: nothing. */
struct cold_calls {
    void (*reading)(struct bytes key); /* a thread is about to read this row */
    void (*reading_alone)(struct bytes key); /* the owner is, by itself; or NULL */
    uint64_t (*faults)(void);          /* page faults of the calling thread that went to disk */
};

struct cold_options {
    const struct disk *disk;
    const struct cold_calls *calls; /* or NULL */
    void (*moved)(void *user);      /* on one of the threads: there is something to take */
    void *user;
    bool suspects; /* in the beginning */
};

struct cold *cold_new(const struct cold_options *options);
/* Errors: IO. */
int cold_start(struct cold *c, struct error *e);
/* Drops what waits, and ends the threads. NULL is fine. */
void cold_stop_and_free(struct cold *c);

/* ---- the owner ---- */

bool cold_suspects(const struct cold *c);
/* The owner is about to read this row by itself. */
void cold_note_read(const struct cold *c, struct bytes key);
/* These rows are to be read. Copies the keys. False: too many wait. */
bool cold_add(struct cold *c, const struct bytes *keys, size_t count, uint64_t token);
/* Whether half as many keys wait as may. */
bool cold_is_busy(const struct cold *c);
/* The same with the token COLD_DUE; and behind the rows, of the index of rows that expire, the entries from `entry` on. */
#define COLD_DUE UINT64_MAX
bool cold_add_due(struct cold *c, const struct bytes *keys, size_t count, struct bytes entry);
/* The end of a turn: hands what was added to the threads, with one wake-up. `reads`: rows that the owner has looked for on
 * disk by itself. */
void cold_end_turn(struct cold *c, uint64_t reads);
/* The token of the next rows that were read, if any. */
bool cold_take(struct cold *c, uint64_t *token);
void cold_statistics(const struct cold *c, uint64_t *begun, uint64_t *waiting);

#endif
