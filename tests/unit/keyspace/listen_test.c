/* Those who listen hear of every change of a key; and commands that run within another's begin and end are one batch. */
#include "fixture.h"

#include <string.h>

#include "store/store_state.h"

#define LARGE 100000 /* bytes: in rows of its own */

struct heard {
    char text[2048];
};

static void on_change(void *user, unsigned database, struct bytes key, enum keyspace_change change)
{
    static const char *const words[] = {"created", "changed", "deleted", "expired"};
    struct heard *h = user;
    size_t used = strlen(h->text);
    int shown = key.len > 20 ? 3 : (int)key.len;
    snprintf(h->text + used, sizeof h->text - used, "%s%u:%.*s%s %s", used ? ", " : "", database, shown, (const char *)key.data,
             key.len > 20 ? "..." : "", words[change]);
}

static void listen(struct fixture *f, struct heard *h)
{
    *h = (struct heard){""};
    keyspace_listen(f->ks, &(struct keyspace_listener){h, on_change});
}

#define expect_heard(h, words)                 \
    do {                                       \
        assert_string_equal((h)->text, words); \
        (h)->text[0] = 0;                      \
    } while (0)

static void write_at(struct fixture *f, const char *key, size_t offset, const char *with)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_write(f->ks, bytes_text(key), offset, bytes_text(with));
    keyspace_end(f->ks);
}

static void transfer(struct fixture *f, const char *from, unsigned database, const char *to, bool moves)
{
    struct keyspace_destination d = {database, bytes_text(to), true};
    keyspace_begin(f->ks, 0, f->now_ms);
    assert_int_equal(moves ? keyspace_move(f->ks, bytes_text(from), &d) : keyspace_copy(f->ks, bytes_text(from), &d), KEYSPACE_TRANSFERRED);
    keyspace_end(f->ks);
}

static void test_each_change_is_told_of_once(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    listen(f, &h);
    put(f, 0, "k", "v", KEYSPACE_NO_EXPIRY);
    expect_heard(&h, "0:k created");
    put(f, 1, "k", "v", KEYSPACE_NO_EXPIRY);
    put(f, 0, "k", "v", KEYSPACE_NO_EXPIRY);
    expect_heard(&h, "1:k created, 0:k changed");
    expire_key(f, 0, "k", f->now_ms + 1000);
    expect_heard(&h, "0:k changed");
    expire_key(f, 0, "k", KEYSPACE_NO_EXPIRY);
    expect_heard(&h, "0:k changed");
    expire_key(f, 0, "k", f->now_ms - 1);
    expect_heard(&h, "0:k deleted");
    delete_key(f, 1, "k");
    delete_key(f, 1, "k");
    expire_key(f, 1, "k", f->now_ms + 1000);
    expect_heard(&h, "1:k deleted");
    expect(f, 0, "k", NULL);
    expect_heard(&h, "");
}

static void test_writing_in_place_is_told_of(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    listen(f, &h);
    write_at(f, "k", 0, "abc");
    expect_heard(&h, "0:k created");
    write_at(f, "k", 3, "def");
    write_at(f, "k", 0, "x");
    write_at(f, "k", 20, "behind");
    expect_heard(&h, "0:k changed, 0:k changed, 0:k changed");
    write_at(f, "k", LARGE, "far behind");
    expect_heard(&h, "0:k changed");
    write_at(f, "k", 5, "within");
    write_at(f, "k", 2 * LARGE, "x");
    expect_heard(&h, "0:k changed, 0:k changed");
}

static void test_expiry_is_told_of_where_it_is_found(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    char long_key[500];
    memset(long_key, 'y', sizeof long_key - 1);
    long_key[sizeof long_key - 1] = 0;
    put(f, 0, "k", "v", f->now_ms + 10);
    put(f, 2, "swept", "v", f->now_ms + 10);
    put(f, 1, long_key, "v", f->now_ms + 10);
    listen(f, &h);
    f->now_ms += 10;
    expect(f, 0, "k", NULL);
    expect_heard(&h, "0:k expired");
    assert_int_equal(sweep(f, 10, f->now_ms), 2);
    bool either = !strcmp(h.text, "2:swept expired, 1:yyy... expired") || !strcmp(h.text, "1:yyy... expired, 2:swept expired");
    assert_true(either);
}

static void test_moving_is_told_of_at_both_ends(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    put(f, 0, "a", "v", KEYSPACE_NO_EXPIRY);
    listen(f, &h);
    transfer(f, "a", 3, "c", false);
    expect_heard(&h, "3:c created");
    transfer(f, "a", 0, "b", true);
    expect_heard(&h, "0:b created, 0:a deleted");
    transfer(f, "b", 3, "c", true);
    expect_heard(&h, "3:c changed, 0:b deleted");
}

static void test_what_runs_within_a_command_is_in_its_batch(void **state)
{
    struct fixture *f = *state;
    struct store_statistics before, after;
    store_statistics(f->store, &before);
    keyspace_begin(f->ks, 0, f->now_ms);
    for (unsigned db = 0; db < 3; db++) {
        assert_int_equal(put(f, db, "k", "v", f->now_ms + 5).sequence, 0); /* no position of its own */
        f->now_ms += 100;                                                  /* time stands still within */
        expect(f, db, "k", "v");
    }
    struct store_position p = keyspace_end(f->ks);
    store_statistics(f->store, &after);
    assert_int_equal(p.sequence, before.last.sequence + 1);
    assert_int_equal(after.batches, before.batches + 1);
    assert_int_equal(keyspace_written(f->ks).sequence, p.sequence);
    expect(f, 0, "k", NULL);
}

static void test_a_flush_within_a_batch_drops_what_came_before_it(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "old", "v", KEYSPACE_NO_EXPIRY);
    put(f, 1, "other", "v", KEYSPACE_NO_EXPIRY);
    fixture_settle(f);
    keyspace_begin(f->ks, 0, f->now_ms);
    put(f, 0, "before", "v", KEYSPACE_NO_EXPIRY);
    flush(f, 0);
    expect(f, 0, "before", NULL);
    put(f, 0, "after", "v", KEYSPACE_NO_EXPIRY);
    struct store_position p = keyspace_end(f->ks);
    assert_int_equal(f->store->record.last, p.sequence); /* one record of the log: a crash takes all of it or nothing */
    assert_int_equal(f->store->record.first, p.sequence - 1);
    for (int round = 0; round < 2; round++) {
        expect(f, 0, "old", NULL);
        expect(f, 0, "before", NULL);
        expect(f, 0, "after", "v");
        expect(f, 1, "other", "v");
        assert_int_equal(keyspace_size(f->ks, 0), 1);
        fixture_reopen(f);
    }
}

int run_listen_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_each_change_is_told_of_once),
        FIXTURE_TEST(test_writing_in_place_is_told_of),
        FIXTURE_TEST(test_expiry_is_told_of_where_it_is_found),
        FIXTURE_TEST(test_moving_is_told_of_at_both_ends),
        FIXTURE_TEST(test_what_runs_within_a_command_is_in_its_batch),
        FIXTURE_TEST(test_a_flush_within_a_batch_drops_what_came_before_it),
    };
    return cmocka_run_group_tests_name("listening, batches of several commands", tests, NULL, NULL);
}
