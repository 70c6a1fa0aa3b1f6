/* A disk that can be told to fail, to stop, and to forget: wal_calls on real files, with a memory of what had been
 * synced.
 *
 * What is in the files is what the kernel would have in memory. sim_lose_power() puts into them what a disk may have:
 * of each 512-byte sector that was written and not synced the old content, the new, or zeroes; of the changes of the
 * directory that were not synced, the first few. */
#ifndef AIKV_TEST_STORE_WAL_DISK_H
#define AIKV_TEST_STORE_WAL_DISK_H

#include <pthread.h>

#include "store/wal.h"

struct sim_image {
    uint64_t inode;
    uint8_t *data; /* as synced */
    size_t len;
};

struct sim_op {      /* a change of the directory */
    char *from, *to; /* from NULL: made `to`; to NULL: removed `from` */
    char *kept;      /* where the file is that was removed or replaced */
};

enum sim_fault { SIM_FAIL, SIM_SHORT, SIM_INTERRUPT };

struct sim {
    struct wal_calls calls;
    pthread_mutex_t lock;
    char graveyard[300];
    uint64_t random;
    struct sim_image *images;
    size_t image_count;
    struct sim_op *ops;
    size_t op_count;
    unsigned buried;

    uint64_t count;     /* calls so far */
    uint64_t fault_at;  /* the number of the call that fails; 0: none */
    uint64_t fault_for; /* ... and how many more from there on */
    enum sim_fault fault;
    int fault_errno;
    bool faulted, writes_only;
    uint64_t stop_at; /* from this call on nothing happens any more; 0: never */
    bool stopped;
    int64_t space; /* bytes files may still grow by; negative: any */
};

/* `graveyard` is made. */
void sim_init(struct sim *s, const char *graveyard, uint64_t seed);
void sim_release(struct sim *s);
/* After the process "died": the disk is as a loss of power may leave it. */
void sim_lose_power(struct sim *s, const char *dir);
/* Works again, with the files as they are; what was not synced still is not. */
void sim_restart(struct sim *s);
uint64_t sim_count(struct sim *s);
void sim_stop_now(struct sim *s);
void sim_set_space(struct sim *s, int64_t space);

#endif
