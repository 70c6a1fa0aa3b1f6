#include "base/random.h"
#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY
#define PICKS 20000
#define MOST  200

/* Picks from keys that are numbers below `count`, behind `prefix`; counts each. */
static void pick_many(struct fixture *f, const char *prefix, unsigned count, unsigned picked[MOST])
{
    struct buffer key;
    uint64_t random = test_seed("random keys");
    buffer_init(&key, 100);
    keyspace_begin(f->ks, 0, f->now_ms);
    for (int i = 0; i < PICKS; i++) {
        assert_true(keyspace_random(f->ks, random_next(&random), &key));
        assert_true(buffer_append(&key, "", 1));
        unsigned number = (unsigned)atoi((char *)key.data + strlen(prefix));
        assert_true(number < count);
        picked[number]++;
    }
    keyspace_end(f->ks);
    buffer_release(&key);
}

static void put_numbers(struct fixture *f, const char *prefix, unsigned count, int64_t expires_ms)
{
    for (unsigned i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%u", prefix, i);
        put(f, 0, key, "v", expires_ms);
    }
}

/* Ten times the standard deviation, where all are equally likely. */
static void test_keys_of_many_slots_are_equally_likely(void **state)
{
    unsigned picked[MOST] = {0};
    put_numbers(*state, "", 100, NEVER);
    pick_many(*state, "", 100, picked);
    for (unsigned i = 0; i < 100; i++) assert_in_range(picked[i], 60, 340);
}

static void test_a_few_keys_of_one_slot_are_equally_likely(void **state)
{
    unsigned picked[MOST] = {0};
    put_numbers(*state, "{t}", 20, NEVER);
    pick_many(*state, "{t}", 20, picked);
    for (unsigned i = 0; i < 20; i++) assert_in_range(picked[i], 700, 1300);
}

static void test_many_keys_of_one_slot_are_all_picked_and_none_too_often(void **state)
{
    unsigned picked[MOST] = {0};
    put_numbers(*state, "{t}", MOST, NEVER);
    pick_many(*state, "{t}", MOST, picked);
    for (unsigned i = 0; i < MOST; i++) assert_in_range(picked[i], 10, 400);
}

static bool pick(struct fixture *f, unsigned database, size_t max, struct buffer *key)
{
    buffer_init(key, max);
    keyspace_begin(f->ks, database, f->now_ms);
    bool found = keyspace_random(f->ks, 42, key);
    keyspace_end(f->ks);
    return found;
}

static void test_only_keys_of_the_database_that_live_are_picked(void **state)
{
    struct fixture *f = *state;
    struct buffer key;
    put(f, 1, "other", "v", NEVER);
    assert_false(pick(f, 0, 100, &key));
    put_numbers(f, "{t}", 50, f->now_ms + 1);
    put(f, 0, "", "v", NEVER);
    f->now_ms += 1;
    assert_true(pick(f, 0, 100, &key));
    assert_int_equal(key.len, 0);
    buffer_release(&key);
    assert_true(delete_key(f, 0, ""));
    assert_false(pick(f, 0, 100, &key));
    assert_int_equal(keyspace_size(f->ks, 0), 0);
    buffer_release(&key);
}

static void test_more_expired_keys_than_tries_are_given_up_on(void **state)
{
    struct fixture *f = *state;
    struct buffer key;
    put_numbers(f, "{t}", 150, f->now_ms + 1);
    f->now_ms += 1;
    assert_false(pick(f, 0, 100, &key));
    assert_int_equal(keyspace_size(f->ks, 0), 50);
    buffer_release(&key);
}

static void test_long_keys_come_whole_or_are_told_of(void **state)
{
    struct fixture *f = *state;
    struct buffer key;
    char name[601] = "";
    memset(name, 'x', 600);
    put(f, 0, name, "v", NEVER);
    assert_true(pick(f, 0, 600, &key));
    assert_true(bytes_equal(buffer_bytes(&key), bytes_text(name)));
    buffer_release(&key);
    assert_true(pick(f, 0, 599, &key));
    assert_true(key.failed);
    buffer_release(&key);
}

int run_random_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_keys_of_many_slots_are_equally_likely),
        FIXTURE_TEST(test_a_few_keys_of_one_slot_are_equally_likely),
        FIXTURE_TEST(test_many_keys_of_one_slot_are_all_picked_and_none_too_often),
        FIXTURE_TEST(test_only_keys_of_the_database_that_live_are_picked),
        FIXTURE_TEST(test_more_expired_keys_than_tries_are_given_up_on),
        FIXTURE_TEST(test_long_keys_come_whole_or_are_told_of),
    };
    return cmocka_run_group_tests_name("keyspace random", tests, NULL, NULL);
}
