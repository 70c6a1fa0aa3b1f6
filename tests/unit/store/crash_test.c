/* kill -9 at a random instant. A child writes batches and tells through a pipe how far they are durable; batch n sets
 * x, y and z to n, adds row n and deletes row n - KEPT, so after any whole number of batches one can tell which. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"

#define ROUNDS 18
#define KEPT   50

static void put_number(struct store *s, const char *key, uint64_t n)
{
    store_put(s, bytes_text(key), bytes_of(&n, sizeof n));
}

static void write_batch(struct store *s, uint64_t n)
{
    char name[32];
    store_begin(s);
    put_number(s, "x", n);
    snprintf(name, sizeof name, "n%llu", (unsigned long long)n);
    put_number(s, name, n);
    if (n > KEPT) {
        snprintf(name, sizeof name, "n%llu", (unsigned long long)n - KEPT);
        store_delete(s, bytes_text(name));
    }
    put_number(s, "y", n);
    put_number(s, "z", n);
    store_commit(s);
}

static _Noreturn void write_until_killed(struct fixture *f, int pipe_fd, uint64_t random)
{
    fixture_open(f);
    uint64_t n = f->report.position.sequence, told = 0;
    for (;;) {
        for (uint64_t batches = random_below(&random, 5); batches; batches--) write_batch(f->store, ++n);
        store_flush(f->store);
        if (random_below(&random, 200) == 0) store_checkpoint_soon(f->store);
        while (store_pressure(f->store)) {
            fixture_pause();
            store_flush(f->store);
        }
        uint64_t durable = store_released(f->store).sequence;
        if (durable != told && write(pipe_fd, &durable, sizeof durable) != sizeof durable) _exit(1);
        told = durable;
    }
}

static uint64_t get_number(struct fixture *f, const char *key)
{
    struct store_value v;
    uint64_t n = 0;
    if (!store_get(f->store, bytes_text(key), &v)) return 0;
    assert_int_equal(v.data.len, sizeof n);
    memcpy(&n, v.data.data, sizeof n);
    return n;
}

static uint64_t count_rows(struct fixture *f)
{
    struct store_iterator *it = store_iterate(f->store, bytes_text(""), bytes_text(""));
    struct bytes key;
    struct store_value value;
    uint64_t count = 0;
    while (store_iterator_next(it, &key, &value)) count++;
    store_iterator_close(it);
    return count;
}

static void check_whole(struct fixture *f, uint64_t acknowledged)
{
    uint64_t n = f->report.position.sequence;
    if (n < acknowledged) fail_msg("batch %llu was acknowledged and is gone", (unsigned long long)acknowledged);
    assert_int_equal(get_number(f, "x"), n);
    assert_int_equal(get_number(f, "y"), n);
    assert_int_equal(get_number(f, "z"), n);
    assert_int_equal(count_rows(f), n ? 3 + (n < KEPT ? n : KEPT) : 0);
    for (uint64_t i = n; i > 0 && i + KEPT > n; i--) {
        char name[32];
        snprintf(name, sizeof name, "n%llu", (unsigned long long)i);
        assert_int_equal(get_number(f, name), i);
    }
}

/* Returns the last position the child told before it was killed. */
static uint64_t run_and_kill(struct fixture *f, uint64_t *random)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    uint64_t told = 0, last = 0, child_random = random_next(random);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_until_killed(f, ends[1], child_random);
    }
    close(ends[1]);
    if (random_below(random, 8))
        assert_int_equal(read(ends[0], &last, sizeof last), sizeof last); /* else: maybe in open */
    nanosleep(&(struct timespec){.tv_nsec = (long)random_below(random, 60 * 1000 * 1000)}, NULL);
    kill(child, SIGKILL);
    while (read(ends[0], &told, sizeof told) == sizeof told) last = told;
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return last;
}

static void test_acknowledged_batches_survive_kill_9_and_none_is_there_in_part(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t random = test_seed("store crash");
    fixture_begin(&f);
    f.options.dirty_max = 1 << 20;
    f.calls.segment_size = 256 << 10;
    f.calls.transaction_rows = 8;
    for (int round = 0; round < ROUNDS; round++) {
        f.options.durability = (enum store_durability)(round % 3);
        uint64_t acknowledged = run_and_kill(&f, &random);
        fixture_open(&f);
        check_whole(&f, acknowledged);
        fixture_close(&f);
    }
    fixture_end(&f);
}

int run_crash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acknowledged_batches_survive_kill_9_and_none_is_there_in_part)};
    return cmocka_run_group_tests_name("store crash", tests, NULL, NULL);
}
