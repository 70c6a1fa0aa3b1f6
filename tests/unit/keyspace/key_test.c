#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void test_a_string_is_put_replaced_and_deleted(void **state)
{
    struct fixture *f = *state;
    expect(f, 0, "k", NULL);
    put(f, 0, "k", "v", NEVER);
    expect(f, 0, "k", "v");
    put(f, 0, "k", "longer than before", NEVER);
    expect(f, 0, "k", "longer than before");
    put(f, 0, "k", "", NEVER);
    expect(f, 0, "k", "");
    assert_true(delete_key(f, 0, "k"));
    assert_false(delete_key(f, 0, "k"));
    expect(f, 0, "k", NULL);
}

static void test_the_empty_key_and_binary_keys_are_keys(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "", "empty", NEVER);
    expect(f, 0, "", "empty");
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_string_put(f->ks, bytes_of("\0\xff", 2), bytes_of("\0", 1), NEVER);
    struct keyspace_entry binary = keyspace_find(f->ks, bytes_of("\0\xff", 2));
    assert_true(holds(f, &binary, bytes_of("\0", 1)));
    assert_int_equal(keyspace_find(f->ks, bytes_of("\0", 1)).type, KEYSPACE_NONE);
    keyspace_end(f->ks);
    fixture_reopen(f);
    expect(f, 0, "", "empty");
}

static void test_keys_around_and_over_400_bytes_are_told_apart(void **state)
{
    struct fixture *f = *state;
    static const size_t lens[] = {399, 400, 401, 402, 511, 600, 70000};
    static char key[70001];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
            for (int last = 'a'; last <= 'b'; last++) {
                memset(key, 'x', lens[i]);
                key[lens[i] - 1] = (char)last;
                key[lens[i]] = 0;
                char value[32];
                snprintf(value, sizeof value, "%zu%c", lens[i], last);
                if (round == 0) put(f, 0, key, value, i % 2 ? NEVER : f->now_ms + 1000);
                if (round == 1) expect(f, 0, key, value);
                if (round == 2) assert_true(delete_key(f, 0, key));
            }
        }
        fixture_reopen(f);
        assert_int_equal(keyspace_size(f->ks, 0), round == 2 ? 0 : 14);
    }
}

static void test_a_value_may_come_from_the_key_itself(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "abc", NEVER);
    keyspace_begin(f->ks, 0, f->now_ms);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text("k"));
    struct arena arena = {0};
    keyspace_string_put(f->ks, bytes_text("k"), keyspace_string_whole(f->ks, &en, &arena), f->now_ms + 5);
    arena_release(&arena);
    keyspace_end(f->ks);
    expect(f, 0, "k", "abc");
}

static void test_a_key_lives_until_its_time(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "v", f->now_ms + 10);
    f->now_ms += 9;
    expect(f, 0, "k", "v");
    assert_int_equal(keyspace_expired_total(f->ks), 0);
    f->now_ms += 1;
    assert_int_equal(keyspace_size(f->ks, 0), 1); /* nobody has looked yet */
    expect(f, 0, "k", NULL);
    assert_int_equal(keyspace_size(f->ks, 0), 0);
    assert_int_equal(keyspace_expiring(f->ks, 0), 0);
    assert_int_equal(keyspace_expired_total(f->ks), 1);
    put(f, 0, "k", "again", f->now_ms + 10);
    f->now_ms += 10;
    assert_false(delete_key(f, 0, "k"));
    assert_false(expire_key(f, 0, "k", NEVER));
    assert_int_equal(keyspace_expired_total(f->ks), 2);
}

static void test_an_expiry_is_set_changed_taken_away_and_kept_over_reopening(void **state)
{
    struct fixture *f = *state;
    assert_false(expire_key(f, 0, "k", f->now_ms + 10));
    put(f, 0, "k", "v", NEVER);
    assert_true(expire_key(f, 0, "k", f->now_ms + 10));
    assert_true(expire_key(f, 0, "k", f->now_ms + 20));
    assert_int_equal(keyspace_expiring(f->ks, 0), 1);
    fixture_reopen(f);
    assert_int_equal(keyspace_expiring(f->ks, 0), 1);
    keyspace_begin(f->ks, 0, f->now_ms);
    assert_int_equal(keyspace_find(f->ks, bytes_text("k")).expires_ms, f->now_ms + 20);
    keyspace_end(f->ks);
    assert_true(expire_key(f, 0, "k", NEVER));
    assert_int_equal(keyspace_expiring(f->ks, 0), 0);
    f->now_ms += 100;
    expect(f, 0, "k", "v");
    assert_true(expire_key(f, 0, "k", f->now_ms)); /* not after now */
    expect(f, 0, "k", NULL);
    assert_int_equal(keyspace_expired_total(f->ks), 0); /* somebody deleted it: its time had not come */
}

static void test_expiries_go_from_the_least_to_the_greatest_number(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "far", "v", INT64_MAX);
    put(f, 0, "past", "v", INT64_MIN + 1);
    put(f, 0, "zero", "v", 0);
    expect(f, 0, "far", "v");
    expect(f, 0, "past", NULL);
    expect(f, 0, "zero", NULL);
    f->now_ms = INT64_MAX - 1;
    expect(f, 0, "far", "v");
}

static void test_the_expiry_of_a_large_value_is_a_small_change(void **state)
{
    struct fixture *f = *state;
    struct store_statistics st;
    static char value[50001], names[2][500] = {"short"};
    memset(value, 'v', sizeof value - 1);
    memset(names[1], 'n', sizeof names[1] - 1); /* named by its hash: the key is in the row's head */
    for (int i = 0; i < 2; i++) {
        static const int64_t after_ms[] = {100, 200, NEVER, 300};
        put(f, 0, names[i], value, NEVER);
        for (int n = 0; n < 4; n++) {
            int64_t expires_ms = after_ms[n] == NEVER ? NEVER : f->now_ms + after_ms[n];
            fixture_settle(f);
            assert_true(expire_key(f, 0, names[i], expires_ms));
            store_statistics(f->store, &st);
            assert_in_range(st.log_unwritten, 1, 600);
            assert_int_equal(keyspace_expiring(f->ks, 0), (expires_ms != NEVER) + i);
            expect(f, 0, names[i], value);
            if (n % 2) fixture_reopen(f);
        }
    }
    f->now_ms += 300;
    expect(f, 0, names[0], NULL), expect(f, 0, names[1], NULL);
}

static void test_slots_are_redis_s(void **state)
{
    (void)state;
    assert_int_equal(keyspace_slot(bytes_text("123456789")), 0x31c3);
    assert_int_equal(keyspace_slot(bytes_text("foo")), 12182);
    assert_int_equal(keyspace_slot(bytes_text("")), 0);
    assert_int_equal(keyspace_slot(bytes_text("{foo}bar")), 12182);
    assert_int_equal(keyspace_slot(bytes_text("a{foo}{bar}")), 12182);
    assert_int_not_equal(keyspace_slot(bytes_text("foo{}")), 12182); /* empty: the whole key counts */
    assert_int_equal(keyspace_slot(bytes_text("foo{")), keyspace_slot(bytes_text("foo{")));
    assert_int_equal(keyspace_slot(bytes_text("{{foo}}")), keyspace_slot(bytes_text("{foo")));
    assert_int_not_equal(keyspace_slot(bytes_text("{}foo")), 12182);
}

int run_key_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_string_is_put_replaced_and_deleted),
        FIXTURE_TEST(test_the_empty_key_and_binary_keys_are_keys),
        FIXTURE_TEST(test_keys_around_and_over_400_bytes_are_told_apart),
        FIXTURE_TEST(test_a_value_may_come_from_the_key_itself),
        FIXTURE_TEST(test_a_key_lives_until_its_time),
        FIXTURE_TEST(test_an_expiry_is_set_changed_taken_away_and_kept_over_reopening),
        FIXTURE_TEST(test_expiries_go_from_the_least_to_the_greatest_number),
        FIXTURE_TEST(test_the_expiry_of_a_large_value_is_a_small_change),
        cmocka_unit_test(test_slots_are_redis_s),
    };
    return cmocka_run_group_tests_name("keyspace keys", tests, NULL, NULL);
}
