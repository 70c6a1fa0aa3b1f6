/* A log on a simulated disk, and what should be in it. */
#ifndef AIKV_TEST_STORE_WAL_WORLD_H
#define AIKV_TEST_STORE_WAL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "files.h"
#include "wal_disk.h"

struct expected {
    struct store_position first;
    uint64_t last, seed; /* of its bytes */
    size_t len;
};

struct world {
    char dir[FILES_DIR_MAX], log_dir[300];
    struct sim sim;
    uint64_t random;
    struct wal_options options;
    struct wal *wal; /* NULL: closed */
    struct wal_report report;
    struct error error;
    struct expected *records; /* all that were ever appended, without those that were lost */
    size_t count, cap;
    size_t seen; /* by replay: the index of the record that must come next */
    struct store_position checkpoint;
    char wrong[200]; /* what replay was given that it should not have been */
};

#define WORLD_SEGMENT ((size_t)16 << 10)

void world_begin(struct world *w, uint64_t seed);
void world_end(struct world *w);
/* wal_open after the checkpoint. What is replayed must be the expected records, in order; what comes after the last of
 * these is forgotten. */
int world_open(struct world *w);
void world_open_ok(struct world *w);
void world_close(struct world *w);
/* Appends a record of `len` bytes and 1 to 20 batches, once there is room. False: it failed. */
bool world_append_len(struct world *w, size_t len);
/* ... of a random length. */
bool world_append(struct world *w);
/* Waits until there is room for `len`, or the log has failed or is full. */
bool world_wait_for_room(struct world *w, size_t len);
void world_wait_for_reserve(struct world *w);
bool world_wait_durable(struct world *w);
/* Moves the checkpoint on to some durable record. */
void world_trim(struct world *w);
/* How many of the expected records end at or before p. */
size_t world_records_up_to(const struct world *w, struct store_position p);
/* Whether these are the bytes of that record. */
bool world_is_record(const struct expected *r, struct store_position first, uint64_t last, struct bytes batches);
void world_path(const struct world *w, uint64_t number, char out[400]);

/* AIKV_SEED, or a new one; printed. */
uint64_t world_seed(const char *test);

int wal_record_tests(void);
int wal_segment_tests(void);
int wal_crash_tests(void);
int wal_failure_tests(void);
int wal_damage_tests(void);
int wal_truncate_tests(void);
int wal_reader_tests(void);
int wal_tests(void);

#endif
