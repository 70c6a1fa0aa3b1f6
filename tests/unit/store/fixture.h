/* A store in a directory of its own, for one test. */
#ifndef AIKV_TEST_STORE_FIXTURE_H
#define AIKV_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "files.h"
#include "store/store_state.h"

struct fixture {
    char dir[FILES_DIR_MAX]; /* made by fixture_begin; the store is in dir/store */
    char store_dir[300];
    struct store *store;
    struct store_report report;
    struct store_options options; /* for the next opening; as are these: */
    struct store_calls calls;
};

void fixture_begin(struct fixture *f); /* makes the directory, opens nothing */
void fixture_end(struct fixture *f);   /* closes and removes */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);
/* Flushes and waits until all is released (or writing has failed). */
void fixture_settle(struct fixture *f);
/* Flushes and brings all of it into the checkpoint, until every row in memory is clean. */
void fixture_checkpoint(struct fixture *f);
/* Waits until on_durable is called, a little at most. */
void fixture_pause(void);
/* Waits until on_durable was called and what it tells is at least this, or writing has failed. */
void fixture_wait(struct fixture *f, struct store_position p);

/* For options.expiry: a value that begins with '@' and a number is due then. */
int64_t test_expiry(struct bytes key, struct bytes value);
/* LMDB's index must hold what its rows say, and nothing else. */
void fixture_check_index(struct fixture *f);

/* A batch of one change. */
struct store_position put(struct fixture *f, const char *key, const char *value);
struct store_position remove_row(struct fixture *f, const char *key);
/* What a row holds must be `value`; NULL: there must be none. Returns its position. */
struct store_position expect(struct fixture *f, const char *key, const char *value);

/* AIKV_SEED, or a new one; printed. */
uint64_t test_seed(const char *test);

int run_row_tests(void);
int run_record_tests(void);
int run_table_tests(void);
int run_replay_tests(void);
int run_iterator_tests(void);
int run_drop_tests(void);
int run_due_tests(void);
int run_sample_tests(void);
int run_gate_tests(void);
int run_failure_tests(void);
int run_model_tests(void);
int run_crash_tests(void);
int run_cold_tests(void);
int run_hash_tests(void);
int run_epoch_tests(void);
int run_snapshot_tests(void);
int run_reader_tests(void);
int run_truncate_tests(void);
int run_inspect_tests(void);

#endif
