/* Rows on disk: who looks for them is told when they are in memory. What is cold, and how long reading takes, is made up. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/random.h"
#include "fixture.h"

/* ---- the disk, made up ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held; /* reads do not begin */
    unsigned begun, ended;
    atomic_bool slow; /* each read goes to disk */
} made_up = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void reading(struct bytes key)
{
    assert_true(key.len > 0);
    pthread_mutex_lock(&made_up.lock);
    made_up.begun++;
    pthread_cond_broadcast(&made_up.changed);
    while (made_up.held) pthread_cond_wait(&made_up.changed, &made_up.lock);
    made_up.ended++;
    pthread_mutex_unlock(&made_up.lock);
}

static uint64_t faults(void)
{
    static _Thread_local uint64_t count;
    return count += atomic_load(&made_up.slow);
}

static void hold(bool held)
{
    pthread_mutex_lock(&made_up.lock);
    made_up.held = held;
    pthread_cond_broadcast(&made_up.changed);
    pthread_mutex_unlock(&made_up.lock);
}

static void wait_for_begun(unsigned reads)
{
    pthread_mutex_lock(&made_up.lock);
    while (made_up.begun < reads) pthread_cond_wait(&made_up.changed, &made_up.lock);
    pthread_mutex_unlock(&made_up.lock);
}

static unsigned reads_ended(void)
{
    pthread_mutex_lock(&made_up.lock);
    unsigned ended = made_up.ended;
    pthread_mutex_unlock(&made_up.lock);
    return ended;
}

/* ---- a store whose rows are on disk ---- */

#define ROWS 100

static const struct cold_calls calls = {.reading = reading, .faults = faults};
static uint64_t told[64]; /* tokens, in order */
static size_t told_count;

static void on_warm(void *user, uint64_t token)
{
    (void)user;
    if (told_count < 64) told[told_count] = token;
    told_count++;
}

static char name[32];
static const char *key_of(unsigned i)
{
    snprintf(name, sizeof name, "key:%03u", i);
    return name;
}

static void begin(struct fixture *f)
{
    fixture_begin(f);
    f->calls.cold = &calls;
    made_up.held = false;
    made_up.begun = made_up.ended = 0;
    atomic_store(&made_up.slow, true);
    told_count = 0;
    fixture_open(f);
    for (unsigned i = 0; i < ROWS; i++) put(f, key_of(i), "value");
    fixture_checkpoint(f);
    fixture_reopen(f);
    store_on_warm(f->store, on_warm, NULL);
}

static void end(struct fixture *f)
{
    hold(false);
    fixture_end(f);
}

static bool warm(struct fixture *f, unsigned i, uint64_t token)
{
    struct bytes key = bytes_text(key_of(i));
    return store_warm(f->store, &key, 1, token);
}

static void wait_for_told(struct fixture *f, size_t count)
{
    while (told_count < count) {
        store_flush(f->store);
        if (told_count < count) fixture_pause();
    }
    assert_int_equal(told_count, count);
}

static uint64_t waiting(struct fixture *f)
{
    struct store_statistics s;
    store_statistics(f->store, &s);
    return s.cold_waiting;
}

/* ---- tests ---- */

static void test_what_is_in_memory_is_not_cold(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_true(store_reads_wait(f.store));
    assert_true(store_is_cold(f.store, bytes_text("key:001")));
    assert_true(store_is_cold(f.store, bytes_text("key:none"))); /* only the disk knows */
    expect(&f, "key:001", "value");
    assert_false(store_is_cold(f.store, bytes_text("key:001")));
    put(&f, "key:002", "new");
    remove_row(&f, "key:003");
    assert_false(store_is_cold(f.store, bytes_text("key:002")));
    assert_false(store_is_cold(f.store, bytes_text("key:003")));
    end(&f);
}

static void test_an_empty_store_waits_for_no_disk(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    fixture_open(&f);
    assert_false(store_reads_wait(f.store));
    assert_false(store_is_cold(f.store, bytes_text("k")));
    fixture_end(&f);
}

static void test_who_waits_is_told_once_all_rows_are_read(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    hold(true);
    struct bytes keys[] = {bytes_text("key:001"), bytes_text("key:002"), bytes_text("key:none")};
    assert_true(store_warm(f.store, keys, 3, 7));
    assert_int_equal(waiting(&f), 3);
    store_flush(f.store);
    wait_for_begun(3); /* at the same time */
    store_flush(f.store);
    assert_int_equal(told_count, 0);
    hold(false);
    wait_for_told(&f, 1);
    assert_int_equal(told[0], 7);
    assert_int_equal(reads_ended(), 3);
    assert_int_equal(waiting(&f), 0);
    assert_true(store_is_cold(f.store, bytes_text("key:001"))); /* only its pages are in memory */
    expect(&f, "key:001", "value");
    expect(&f, "key:none", NULL);
    store_flush(f.store);
    assert_int_equal(told_count, 1);
    end(&f);
}

static void test_others_read_and_write_meanwhile(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    hold(true);
    warm(&f, 1, 1);
    warm(&f, 2, 2);
    store_flush(f.store);
    wait_for_begun(2);
    put(&f, "key:001", "new");
    remove_row(&f, "key:002");
    expect(&f, "key:003", "value");
    fixture_checkpoint(&f);
    hold(false);
    wait_for_told(&f, 2);
    expect(&f, "key:001", "new");
    expect(&f, "key:002", NULL);
    fixture_reopen(&f);
    expect(&f, "key:001", "new");
    expect(&f, "key:002", NULL);
    end(&f);
}

static void test_no_more_are_taken_than_may_wait(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    hold(true);
    for (unsigned i = 0; i < COLD_KEYS_MAX; i++) assert_true(warm(&f, i % ROWS, i));
    assert_false(warm(&f, 1, 1));
    store_flush(f.store);
    assert_false(warm(&f, 1, 1));
    hold(false);
    wait_for_told(&f, COLD_KEYS_MAX);
    assert_true(warm(&f, 1, 1));
    wait_for_told(&f, COLD_KEYS_MAX + 1);
    end(&f);
}

static void test_closing_drops_what_waits(void **state)
{
    (void)state;
    for (unsigned reads = 0; reads < 40; reads += 13) {
        struct fixture f;
        begin(&f);
        for (unsigned i = 0; i < 2000; i++) warm(&f, i % ROWS, i);
        store_flush(f.store);
        wait_for_begun(reads);
        warm(&f, 1, 1); /* not handed out */
        told_count = 0;
        fixture_close(&f);
        assert_int_equal(told_count, 0);
        end(&f);
    }
}

/* Has `reads` rows read, all of them from memory. */
static void read_without_waiting(struct fixture *f, unsigned reads)
{
    told_count = 0;
    for (unsigned i = 0; i < reads; i++) warm(f, i % ROWS, i);
    wait_for_told(f, reads);
}

static void test_reading_without_help_begins_and_ends_by_what_happens(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    atomic_store(&made_up.slow, false);
    read_without_waiting(&f, 1000);
    assert_true(store_reads_wait(f.store));
    atomic_store(&made_up.slow, true); /* one that waits: counting begins anew */
    warm(&f, 1, 1);
    wait_for_told(&f, 1001);
    atomic_store(&made_up.slow, false);
    read_without_waiting(&f, 1023);
    assert_true(store_reads_wait(f.store));
    read_without_waiting(&f, 1);
    assert_false(store_reads_wait(f.store));
    assert_false(store_is_cold(f.store, bytes_text("key:001")));
    expect(&f, "key:001", "value");
    store_flush(f.store);
    assert_false(store_reads_wait(f.store));

    atomic_store(&made_up.slow, true);
    expect(&f, "key:001", "value"); /* in memory: no read */
    store_flush(f.store);
    assert_false(store_reads_wait(f.store));
    expect(&f, "key:002", "value");
    store_flush(f.store);
    assert_true(store_reads_wait(f.store));

    atomic_store(&made_up.slow, false); /* that was soon: twice as many this time */
    read_without_waiting(&f, 2047);
    assert_true(store_reads_wait(f.store));
    read_without_waiting(&f, 1);
    assert_false(store_reads_wait(f.store));
    end(&f);
}

static void count_given(void *user, struct bytes key)
{
    assert_true(key.len > 0);
    ++*(unsigned *)user;
}

/* What is due now, `count` rows at most, is left; whether there may be more. */
static unsigned given(struct fixture *f, size_t count, bool *more)
{
    unsigned rows = 0;
    store_due(f->store, 60, count, count_given, &rows, more);
    return rows;
}

static void test_rows_that_are_due_are_read_before_they_are_given(void **state)
{
    (void)state;
    struct fixture f;
    bool more;
    begin(&f);
    fixture_close(&f);
    f.options.expiry = test_expiry; /* none of those that are there expires */
    fixture_open(&f);
    for (unsigned i = 0; i < ROWS; i++) put(&f, key_of(i), i < 10 ? "@90" : "@50");
    fixture_checkpoint(&f);
    fixture_reopen(&f);
    store_on_warm(f.store, on_warm, NULL);
    expect(&f, "key:050", "@50"); /* in memory: not read again */
    hold(true);
    unsigned before = reads_ended();
    assert_int_equal(given(&f, 20, &more), 0);
    assert_true(more);
    put(&f, "key:020", "@95");
    store_flush(f.store);
    assert_int_equal(given(&f, 20, &more), 0);
    assert_true(more);
    hold(false);
    while (f.store->due_reading) {
        store_flush(f.store);
        fixture_pause();
    }
    assert_int_equal(reads_ended() - before, ROWS - 11 + 1); /* and what comes next in the index */
    assert_int_equal(given(&f, 20, &more), 20);
    assert_true(more);
    assert_int_equal(given(&f, ROWS, &more), ROWS - 10 - 1 - 20);
    assert_false(more);
    assert_int_equal(told_count, 0); /* it is nobody else's business */
    end(&f);
}

static void test_random_waits_beside_checkpoints_and_evictions(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t seed = test_seed("random_waits");
    unsigned values[ROWS] = {0};
    char text[32];
    begin(&f);
    store_set_memory_max(f.store, 1); /* clean rows leave at once */
    for (unsigned i = 0; i < ROWS; i++) put(&f, key_of(i), "0");
    size_t asked = 0;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)random_below(&seed, ROWS);
        switch (random_below(&seed, 8)) {
        case 0:
            snprintf(text, sizeof text, "%u", values[i] = step);
            put(&f, key_of(i), text);
            break;
        case 1: store_flush(f.store); break;
        case 2:
            if (random_below(&seed, 50) == 0) store_checkpoint_soon(f.store);
            if (random_below(&seed, 200) == 0) fixture_checkpoint(&f);
            break;
        case 3: hold(random_below(&seed, 4) == 0); break;
        default:
            if (store_is_cold(f.store, bytes_text(key_of(i)))) asked += warm(&f, i, step);
            snprintf(text, sizeof text, "%u", values[i]);
            expect(&f, key_of(i), text);
        }
    }
    hold(false);
    wait_for_told(&f, asked);
    assert_true(asked > 0);
    end(&f);
}

int run_cold_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_in_memory_is_not_cold),
        cmocka_unit_test(test_an_empty_store_waits_for_no_disk),
        cmocka_unit_test(test_who_waits_is_told_once_all_rows_are_read),
        cmocka_unit_test(test_others_read_and_write_meanwhile),
        cmocka_unit_test(test_no_more_are_taken_than_may_wait),
        cmocka_unit_test(test_closing_drops_what_waits),
        cmocka_unit_test(test_reading_without_help_begins_and_ends_by_what_happens),
        cmocka_unit_test(test_rows_that_are_due_are_read_before_they_are_given),
        cmocka_unit_test(test_random_waits_beside_checkpoints_and_evictions),
    };
    return cmocka_run_group_tests_name("cold", tests, NULL, NULL);
}
