/* Many lives of a log, each ending by closing it, or at a random system call: by kill -9 (what was written stays) or by
 * loss of power (what was not synced may go, whole or in part). What was acknowledged must be there; what is there must
 * be a beginning of what was appended. */
#include <inttypes.h>

#include "base/random.h"
#include "wal_world.h"

enum end { CLOSE, KILL, POWER_LOSS, ENDS };

static void work(struct world *w, uint64_t steps)
{
    while (steps--) {
        uint64_t what = random_below(&w->random, 100);
        if (random_below(&w->random, 20) == 0) wal_set_owner_syncs(w->wal, random_below(&w->random, 2));
        if (random_below(&w->random, 3) == 0) wal_sync(w->wal);
        if (what < 2)
            wal_set_mode(w->wal, (enum wal_mode)random_below(&w->random, 3));
        else if (what < 10)
            world_trim(w);
        else if (what < 14 && wal_get_mode(w->wal) == WAL_ALWAYS && (wal_sync(w->wal), !world_wait_durable(w)))
            return;
        else if (!world_append(w))
            return;
    }
}

static void die(struct world *w, enum end end)
{
    if (end != CLOSE) sim_stop_now(&w->sim);
    world_close(w);
    if (end == POWER_LOSS) sim_lose_power(&w->sim, w->log_dir);
    sim_restart(&w->sim);
}

/* Some openings cut the log off, at a record that is not older than the checkpoint. Returns how many records stay at least. */
static size_t choose_cut(struct world *w)
{
    size_t least = world_records_up_to(w, w->checkpoint);
    w->options.truncate_to = (struct store_position){0, 0};
    if (random_below(&w->random, 6) || w->count == least) return w->count;
    size_t stay = least + 1 + random_below(&w->random, w->count - least);
    w->options.truncate_to = (struct store_position){w->records[stay - 1].first.epoch, w->records[stay - 1].last};
    return stay;
}

static void live(uint64_t seed, unsigned lives)
{
    struct world w;
    size_t kept = 0, synced = 0; /* so many records must be there; ... even after a loss of power */
    world_begin(&w, seed);
    for (unsigned i = 0; i < lives; i++) {
        enum end end = (enum end)random_below(&w.random, ENDS);
        bool anywhere = end != CLOSE && random_below(&w.random, 3);
        w.sim.stop_at = anywhere ? 1 + random_below(&w.random, i % 4 ? 300 : 30) : 0;
        w.options.mode = (enum wal_mode)random_below(&w.random, 3);
        size_t stay = choose_cut(&w);
        if (kept > stay) kept = stay;
        if (synced > stay) synced = stay;
        if (world_open(&w)) {
            bool lost_already = w.error.code == ERROR_NOT_FOUND; /* the record where it was to be cut off */
            if (!w.sim.stopped && !lost_already) fail_msg("%s", w.error.text);
            assert_true(w.error.text[0] != 0);
            die(&w, end);
            if (end == POWER_LOSS && kept > synced) kept = synced;
            continue;
        }
        if (w.count < kept) fail_msg("%zu of %zu acknowledged records are there", w.count, kept);
        work(&w, 1 + random_below(&w.random, 120));
        struct store_position durable = wal_durable(w.wal), written = wal_written(w.wal);
        die(&w, end);
        synced = world_records_up_to(&w, end == CLOSE ? written : durable);
        kept = end == POWER_LOSS ? synced : world_records_up_to(&w, written);
    }
    w.options.truncate_to = (struct store_position){0, 0};
    world_open_ok(&w);
    assert_true(w.count >= kept);
    world_end(&w);
}

static void test_nothing_acknowledged_is_lost_and_nothing_torn_is_found(void **state)
{
    (void)state;
    uint64_t seed = world_seed("crashes");
    for (unsigned i = 0; i < 12; i++) live(seed + i, 40);
}

int wal_crash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_acknowledged_is_lost_and_nothing_torn_is_found),
    };
    return cmocka_run_group_tests_name("log crashes", tests, NULL, NULL);
}
