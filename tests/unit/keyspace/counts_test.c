/* How many keys there are must be right after any end of the process, without looking at every row. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/counts.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/string.h"

#define NEVER KEYSPACE_NO_EXPIRY

/* A value of any of the sizes that are held in different ways: in the row, and in rows of its own. */
static void put_some(struct fixture *f, unsigned database, const char *key, uint64_t random, int64_t expires_ms)
{
    static const size_t sizes[] = {0, 1, 30, 300, 65536, 65537, 100000};
    static uint8_t value[100000];
    keyspace_begin(f->ks, database, f->now_ms);
    keyspace_string_put(f->ks, bytes_text(key), bytes_of(value, sizes[random % 7]), expires_ms);
    keyspace_end(f->ks);
}

/* Appends, or writes within, or behind the end. */
static void write_some(struct fixture *f, unsigned database, const char *key, uint64_t random)
{
    static const size_t offsets[] = {0, 5, 290, 65530, 99999, 200000};
    keyspace_begin(f->ks, database, f->now_ms);
    keyspace_string_write(f->ks, bytes_text(key), offsets[random % 6], bytes_text("some bytes that are new"));
    keyspace_end(f->ks);
}

static void move_some(struct fixture *f, unsigned database, const char *key, uint64_t random)
{
    char other[16];
    snprintf(other, sizeof other, "k%d", (int)(random % 300));
    struct keyspace_destination to = {(unsigned)(random >> 20) % 3, bytes_text(other), random & 1 << 19};
    keyspace_begin(f->ks, database, f->now_ms);
    (random & 1 << 18 ? keyspace_move : keyspace_copy)(f->ks, bytes_text(key), &to);
    keyspace_end(f->ks);
}

static void random_command(struct fixture *f, uint64_t *random)
{
    char key[16];
    unsigned database = (unsigned)random_below(random, 3);
    snprintf(key, sizeof key, "k%d", (int)random_below(random, 300));
    switch (random_below(random, 12)) {
    case 0:
    case 1: delete_key(f, database, key); break;
    case 2: put(f, database, key, "v", f->now_ms + 1000000); break;
    case 3: expire_key(f, database, key, NEVER); break;
    case 4: expire_key(f, database, key, f->now_ms + 2000000); break;
    case 5: put_some(f, database, key, random_next(random), f->now_ms + 1); break;
    case 6: put_some(f, database, key, random_next(random), NEVER); break;
    case 7: write_some(f, database, key, random_next(random)); break;
    case 8: move_some(f, database, key, random_next(random)); break;
    case 9:
        if (random_below(random, 10) == 0) f->now_ms++;
        if (random_below(random, 2) == 0) keyspace_sweep(f->ks, 5, f->now_ms, NULL);
        break;
    default: put(f, database, key, "w", NEVER); break;
    }
    if (random_below(random, 150) == 0) flush(f, database);
    if (random_below(random, 30) == 0) store_flush(f->store);
    if (random_below(random, 200) == 0) store_checkpoint_soon(f->store);
}

/* Another process opens it, does the work and ends without closing it. */
static void in_another_process(struct fixture *f, void (*work)(struct fixture *f, void *user), void *user)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_open(f);
        work(f, user);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void run(struct fixture *f, uint64_t *random)
{
    for (uint64_t n = 200 + random_below(random, 2000); n; n--) random_command(f, random);
}

static void run_and_close(struct fixture *f, void *random)
{
    run(f, random);
    fixture_close(f);
}

/* Ends without a word, perhaps within a checkpoint. */
static void run_and_vanish(struct fixture *f, void *random)
{
    run(f, random);
    if (random_below(random, 3)) store_checkpoint_soon(f->store);
    store_flush(f->store);
    usleep((useconds_t)random_below(random, 8000));
}

struct found {
    uint64_t keys, expiring;
};

static void count_key(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct found *found = user;
    (void)key;
    found->keys++;
    found->expiring += entry->expires_ms != NEVER;
}

static void check_counts(struct fixture *f)
{
    for (unsigned database = 0; database < 3; database++) {
        struct found found = {0, 0};
        uint64_t cursor = 0, in_slots = 0;
        keyspace_begin(f->ks, database, f->now_ms);
        do {
            cursor = keyspace_scan(f->ks, cursor, 100, count_key, &found);
        } while (cursor);
        for (unsigned slot = 0; slot < 16384; slot++) in_slots += keyspace_slot_size(f->ks, slot);
        assert_int_equal(keyspace_size(f->ks, database), found.keys);
        assert_int_equal(keyspace_expiring(f->ks, database), found.expiring);
        assert_int_equal(in_slots, found.keys);
        keyspace_end(f->ks);
    }
    struct error e;
    if (keyspace_check(f->ks, &e)) fail_msg("%s", e.text); /* keys and bytes of each slot, from the rows themselves */
}

static void test_counts_are_right_after_any_end(void **state)
{
    struct fixture *f = *state;
    uint64_t random = test_seed("keyspace counts");
    fixture_close(f);
    for (int round = 0; round < 12; round++) {
        uint64_t seed = random_next(&random);
        in_another_process(f, round % 3 == 0 ? run_and_close : run_and_vanish, &seed);
        fixture_open(f);
        check_counts(f);
        fixture_close(f);
    }
    fixture_open(f);
}

static void write_counts_for_a_checkpoint_to_come(struct fixture *f, void *user)
{
    (void)user;
    struct store_statistics st;
    put(f, 1, "k", "v", NEVER);
    put(f, 2, "k", "v", NEVER);
    store_statistics(f->store, &st);
    store_begin(f->store);
    counts_write(f->store, &f->ks->databases, st.last.sequence + 1);
    store_commit(f->store);
    delete_key(f, 1, "k");
    store_flush(f->store);
}

/* In the log there are counts for a checkpoint that never ended, of a database that is empty when the next one begins. */
static void test_counts_for_a_checkpoint_that_never_ended_do_not_stay(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", NEVER);
    fixture_close(f);
    in_another_process(f, write_counts_for_a_checkpoint_to_come, NULL);
    fixture_open(f);
    flush(f, 2);
    fixture_reopen(f);
    check_counts(f);
}

static void drop_half_of_the_slots(struct fixture *f, void *user)
{
    (void)user;
    store_begin(f->store);
    store_drop(f->store, &(struct store_range){.first_slot = 0, .last_slot = 8000});
    store_commit(f->store);
    store_flush(f->store);
}

static void test_rows_are_counted_anew_where_a_part_of_a_database_was_dropped(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        put(f, (unsigned)i % 2, key, "v", i % 3 ? NEVER : f->now_ms + 1000000);
    }
    fixture_close(f);
    in_another_process(f, drop_half_of_the_slots, NULL);
    fixture_open(f);
    check_counts(f);
    assert_in_range(keyspace_size(f->ks, 0), 1, 149);
}

static void test_a_start_reads_no_rows_of_keys(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        put(f, 0, key, "v", NEVER);
    }
    fixture_close(f);
    fixture_open(f);
    struct store_statistics st;
    store_statistics(f->store, &st);
    assert_int_equal(keyspace_size(f->ks, 0), 1000);
    assert_int_equal(st.last.sequence, st.checkpoint.sequence); /* and writes nothing */
    fixture_reopen(f);
    store_statistics(f->store, &st);
    assert_int_equal(st.last.sequence, st.checkpoint.sequence);
    assert_false(f->ks->databases.list[0].changed); /* its counts were read, not made */
}

/* What the slot of `key` holds in all databases. */
static struct keyspace_held held(struct fixture *f, const char *key)
{
    struct keyspace_held out;
    keyspace_slots_held(f->ks, keyspace_slot(bytes_text(key)), 1, &out);
    return out;
}

static void test_bytes_of_a_slot_are_those_of_its_keys(void **state)
{
    struct fixture *f = *state;
    uint64_t head = 2 + 4 + 1 + 8 + 3; /* of the row's name, and of its value */
    assert_int_equal(held(f, "k").bytes, 0);
    put(f, 0, "k", "0123456789", NEVER);
    assert_int_equal(held(f, "k").bytes, head + 1 + 10);
    put(f, 2, "k", "x", NEVER);
    assert_int_equal(held(f, "k").bytes, 2 * (head + 1) + 11);
    assert_int_equal(held(f, "k").keys, 2);
    put(f, 0, "k", "", f->now_ms + 1000);
    assert_int_equal(held(f, "k").bytes, 2 * (head + 1) + 1 + 8); /* and the expiry */
    delete_key(f, 2, "k");
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_write(f->ks, bytes_text("k"), 999999, bytes_text("x"));
    keyspace_end(f->ks);
    assert_int_equal(held(f, "k").bytes, head + 1 + 8 + CHUNKS_PAYLOAD + 1000000); /* though most of it is zeros that are nowhere */
    fixture_reopen(f);
    assert_int_equal(held(f, "k").bytes, head + 1 + 8 + CHUNKS_PAYLOAD + 1000000);
    flush(f, 0);
    assert_int_equal(held(f, "k").bytes + held(f, "k").keys, 0);
}

int run_counts_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_counts_are_right_after_any_end),
        FIXTURE_TEST(test_counts_for_a_checkpoint_that_never_ended_do_not_stay),
        FIXTURE_TEST(test_rows_are_counted_anew_where_a_part_of_a_database_was_dropped),
        FIXTURE_TEST(test_a_start_reads_no_rows_of_keys),
        FIXTURE_TEST(test_bytes_of_a_slot_are_those_of_its_keys),
    };
    return cmocka_run_group_tests_name("keyspace counts", tests, NULL, NULL);
}
