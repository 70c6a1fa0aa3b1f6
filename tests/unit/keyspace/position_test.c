/* A reply must not leave before everything it tells is durable; nothing is flushed here, so nothing becomes durable. */
#include "fixture.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void assert_same(struct store_position a, struct store_position b)
{
    assert_int_equal(a.epoch, b.epoch);
    assert_int_equal(a.sequence, b.sequence);
}

static void test_a_command_that_writes_waits_for_its_batch(void **state)
{
    struct fixture *f = *state;
    fixture_settle(f);
    struct store_position first = put(f, 0, "a", "1", NEVER), second = put(f, 0, "b", "1", NEVER);
    assert_int_equal(store_position_compare(second, first), 1);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_find(f->ks, bytes_text("a"));
    keyspace_string_put(f->ks, bytes_text("c"), bytes_text("1"), NEVER);
    keyspace_string_put(f->ks, bytes_text("d"), bytes_text("1"), NEVER);
    struct store_position third = keyspace_end(f->ks);
    assert_int_equal(third.sequence, second.sequence + 1);
}

static void test_a_read_waits_for_the_newest_value_it_saw(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "durable", "1", NEVER);
    fixture_settle(f);
    assert_same(expect(f, 0, "durable", "1"), (struct store_position){0, 0});
    struct store_position a = put(f, 0, "a", "1", NEVER), b = put(f, 0, "b", "1", NEVER);
    put(f, 0, "c", "1", NEVER);
    assert_same(expect(f, 0, "a", "1"), a);
    assert_same(expect(f, 0, "durable", "1"), (struct store_position){0, 0});
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_find(f->ks, bytes_text("b"));
    keyspace_find(f->ks, bytes_text("a"));
    assert_same(keyspace_end(f->ks), b);
}

static void test_a_key_that_is_gone_is_told_only_when_its_deletion_is_durable(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "1", f->now_ms + 5);
    fixture_settle(f);
    f->now_ms += 5;
    struct store_position expired = expect(f, 0, "k", NULL); /* deletes it */
    assert_int_not_equal(expired.sequence, 0);
    assert_same(expect(f, 0, "k", NULL), expired);
    assert_same(expect(f, 0, "never", NULL), (struct store_position){0, 0});
}

static void test_after_a_flush_nothing_is_told_before_it_is_durable(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "1", NEVER);
    fixture_settle(f);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_flush(f->ks, 0);
    struct store_position flushed = keyspace_end(f->ks);
    assert_int_not_equal(flushed.sequence, 0);
    assert_same(expect(f, 0, "k", NULL), flushed);
}

static void visit_none(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    (void)user, (void)key, (void)entry;
}

static void visit_name(void *user, struct bytes key)
{
    (void)user, (void)key;
}

static void test_what_depends_on_all_keys_waits_for_all_writes(void **state)
{
    struct fixture *f = *state;
    put(f, 0, "k", "1", NEVER);
    fixture_settle(f);
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_delete(f->ks, bytes_text("k"));
    struct store_position deleted = keyspace_end(f->ks);
    for (int what = 0; what < 4; what++) {
        keyspace_begin(f->ks, 0, f->now_ms);
        if (what == 0) assert_int_equal(keyspace_size(f->ks, 0), 0);
        if (what == 1) assert_int_equal(keyspace_slot_size(f->ks, keyspace_slot(bytes_text("k"))), 0);
        if (what == 2) assert_int_equal(keyspace_scan(f->ks, 0, 10, visit_none, NULL), 0);
        if (what == 3) keyspace_slot_keys(f->ks, keyspace_slot(bytes_text("k")), 10, visit_name, NULL);
        assert_same(keyspace_end(f->ks), deleted);
    }
}

int run_position_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_command_that_writes_waits_for_its_batch),
        FIXTURE_TEST(test_a_read_waits_for_the_newest_value_it_saw),
        FIXTURE_TEST(test_a_key_that_is_gone_is_told_only_when_its_deletion_is_durable),
        FIXTURE_TEST(test_after_a_flush_nothing_is_told_before_it_is_durable),
        FIXTURE_TEST(test_what_depends_on_all_keys_waits_for_all_writes),
    };
    return cmocka_run_group_tests_name("keyspace positions", tests, NULL, NULL);
}
