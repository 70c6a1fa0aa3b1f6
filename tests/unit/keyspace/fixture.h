/* A keyspace in a directory of its own, for one test. */
#ifndef AIKV_TEST_KEYSPACE_FIXTURE_H
#define AIKV_TEST_KEYSPACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "files.h"
#include "keyspace/string.h"

#define DATABASES 4u

struct fixture {
    char dir[FILES_DIR_MAX]; /* made by fixture_begin; the store is in dir/lmdb */
    char store_dir[300];
    struct store *store;
    struct keyspace *ks;
    int64_t now_ms;
};

/* cmocka's setup and teardown: *state is the fixture, opened. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

void fixture_open_store(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);
/* Flushes and waits until all is durable. */
void fixture_settle(struct fixture *f);

/* One command each. */
struct store_position put(struct fixture *f, unsigned database, const char *key, const char *value, int64_t expires_ms);
/* What a key holds must be `value`; NULL: there must be none. */
struct store_position expect(struct fixture *f, unsigned database, const char *key, const char *value);
/* Whether a string has just these bytes. */
bool holds(struct fixture *f, const struct keyspace_entry *en, struct bytes value);
bool delete_key(struct fixture *f, unsigned database, const char *key);
bool expire_key(struct fixture *f, unsigned database, const char *key, int64_t expires_ms);
void flush(struct fixture *f, unsigned database);
/* keyspace_sweep(), until it has found so many or there are no more: rows on disk may have to be waited for. */
size_t sweep(struct fixture *f, size_t keys, int64_t now_ms);

/* AIKV_SEED, or a new one; printed. */
uint64_t test_seed(const char *test);

int run_key_tests(void);
int run_database_tests(void);
int run_transfer_tests(void);
int run_random_tests(void);
int run_position_tests(void);
int run_scan_tests(void);
int run_sweep_tests(void);
int run_usage_tests(void);
int run_evict_tests(void);
int run_format_tests(void);
int run_counts_tests(void);
int run_string_tests(void);
int run_string_model_tests(void);
int run_element_tests(void);
int run_linear_hash_tests(void);
int run_counted_tree_tests(void);
int run_hash_model_tests(void);
int run_zset_tests(void);
int run_stream_entry_tests(void);
int run_stream_tests(void);
int run_stream_groups_tests(void);
int run_hash_sweep_tests(void);
int run_set_model_tests(void);
int run_list_tests(void);
int run_listen_tests(void);
int run_model_tests(void);

#endif
