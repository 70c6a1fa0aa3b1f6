/* Which keys go. */
#include "base/random.h"
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/hash.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void policy(struct fixture *f, enum keyspace_order order, bool expiring_only)
{
    keyspace_set_eviction(f->ks, &(struct keyspace_eviction){.order = order, .expiring_only = expiring_only, .samples = 10, .lfu_decay_min = 1});
}

static void put_key(struct fixture *f, int i, int64_t expires_ms)
{
    char key[32];
    snprintf(key, sizeof key, "key %d", i);
    put(f, (unsigned)i % 3, key, "v", expires_ms);
}

/* Without using it. */
static bool is_there(struct fixture *f, int i)
{
    char key[32];
    snprintf(key, sizeof key, "key %d", i);
    keyspace_begin(f->ks, (unsigned)i % 3, f->now_ms);
    keyspace_only_look(f->ks, true);
    bool there = keyspace_find(f->ks, bytes_text(key)).type != KEYSPACE_NONE;
    keyspace_end(f->ks);
    return there;
}

static int count(struct fixture *f, int first, int end)
{
    int there = 0;
    for (int i = first; i < end; i++) there += is_there(f, i);
    return there;
}

static void read_key(struct fixture *f, int i)
{
    char key[32];
    snprintf(key, sizeof key, "key %d", i);
    expect(f, (unsigned)i % 3, key, "v");
}

static void evict(struct fixture *f, int times)
{
    for (int n = 0, tries = 0; n < times; tries++) {
        enum keyspace_evicted outcome = keyspace_evict(f->ks, f->now_ms);
        assert_int_not_equal(outcome, KEYSPACE_NONE_MAY_GO);
        n += outcome == KEYSPACE_MADE_ROOM;
        assert_true(tries < 100 * times);
    }
}

static void check(struct fixture *f)
{
    struct error e;
    if (keyspace_check(f->ks, &e)) fail_msg("%s", e.text);
}

/* 3,000 keys, of which the first 300 are used last; half of the others goes. */
static void test_keys_that_were_used_lately_stay(void **state)
{
    struct fixture *f = *state;
    policy(f, KEYSPACE_LEAST_LATELY, false);
    for (int i = 0; i < 3000; i++) {
        put_key(f, i, NEVER);
        f->now_ms += 100;
    }
    for (int i = 0; i < 300; i++) read_key(f, i);
    f->now_ms += 5000;
    evict(f, 1350);
    assert_int_equal(count(f, 0, 300), 300);
    int older = count(f, 300, 1650), newer = count(f, 1650, 3000);
    assert_int_equal(older + newer, 1350);
    if (older > 200) fail_msg("of 1,350 older keys %d are left, of newer ones %d", older, newer);
    assert_int_equal(keyspace_evicted_total(f->ks), 1350);
    check(f);
}

static void test_keys_that_are_used_often_stay(void **state)
{
    struct fixture *f = *state;
    policy(f, KEYSPACE_LEAST_OFTEN, false);
    for (int i = 0; i < 1000; i++) put_key(f, i, NEVER);
    for (int n = 0; n < 10; n++)
        for (int i = 0; i < 100; i++) read_key(f, i);
    f->now_ms += 1000;
    for (int i = 500; i < 1000; i++) read_key(f, i); /* later, but once */
    evict(f, 700);
    assert_true(count(f, 0, 100) >= 98);
    check(f);
}

/* What was not used since the start is on disk only, and goes first. */
static void test_keys_on_disk_only_go_before_those_that_are_read_again(void **state)
{
    struct fixture *f = *state;
    for (int order = KEYSPACE_LEAST_LATELY; order <= KEYSPACE_LEAST_OFTEN; order++) {
        for (int i = 0; i < 1000; i++) put_key(f, i, NEVER);
        fixture_reopen(f);
        policy(f, (enum keyspace_order)order, false);
        for (int i = 0; i < 200; i++) read_key(f, i);
        f->now_ms += 2000;
        evict(f, 500);
        int used = count(f, 0, 200);
        if (used < 170) fail_msg("%d of 200 that were read are left", used);
        check(f);
        fixture_reopen(f);
        check(f);
        for (unsigned database = 0; database < 3; database++) flush(f, database);
    }
}

/* Those that come next, whether they changed since the checkpoint or not; of others none. */
static void test_keys_that_expire_first_go_in_this_order(void **state)
{
    struct fixture *f = *state;
    uint64_t random = test_seed("evict in order");
    policy(f, KEYSPACE_DUE_FIRST, true);
    int64_t expires_ms[600];
    for (int i = 0; i < 600; i++) {
        expires_ms[i] = f->now_ms + 100000 + (int64_t)random_below(&random, 1000000) * 600 + i;
        put_key(f, i, i % 3 ? expires_ms[i] : NEVER);
        if (i == 300) fixture_reopen(f), policy(f, KEYSPACE_DUE_FIRST, true);
    }
    for (int left = 400; left > 0; left--) {
        int first = -1;
        for (int i = 0; i < 600; i++)
            if (i % 3 && expires_ms[i] && (first < 0 || expires_ms[i] < expires_ms[first])) first = i;
        evict(f, 1);
        if (is_there(f, first)) fail_msg("key %d, which expires first, is there with %d left", first, left - 1);
        expires_ms[first] = 0;
        if (left % 64 == 0) f->now_ms += 1000;
    }
    assert_int_equal(keyspace_evict(f->ks, f->now_ms), KEYSPACE_NONE_MAY_GO);
    check(f);
}

/* One key in a thousand has an expiry: too few to be met by chance. */
static void test_few_keys_with_an_expiry_are_found_among_many(void **state)
{
    struct fixture *f = *state;
    for (int order = KEYSPACE_LEAST_LATELY; order <= KEYSPACE_ANY; order++) {
        for (int where = 0; where < 2; where++) {
            policy(f, (enum keyspace_order)order, true);
            for (int i = 0; i < 5000; i++) put_key(f, i, i % 1000 ? NEVER : f->now_ms + 100000);
            if (where) fixture_reopen(f), policy(f, (enum keyspace_order)order, true);
            evict(f, 5);
            assert_int_equal(keyspace_evict(f->ks, f->now_ms), KEYSPACE_NONE_MAY_GO);
            assert_int_equal(count(f, 0, 5000), 4995);
            for (unsigned database = 0; database < 3; database++) flush(f, database);
        }
    }
}

static void put_fields(struct fixture *f, const char *key, int fields)
{
    char field[32];
    struct keyspace_hash h;
    keyspace_begin(f->ks, 0, f->now_ms);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text(key));
    keyspace_hash_open(&h, f->ks, bytes_text(key), &en);
    for (int i = 0; i < fields; i++) {
        snprintf(field, sizeof field, "field %d", i);
        keyspace_hash_put(&h, &(struct keyspace_field){bytes_text(field), bytes_text("some value of a field"), NEVER});
    }
    keyspace_hash_close(&h);
    keyspace_end(f->ks);
}

/* Their rows are far more than keys'. The bytes count as gone with the key, though rows are deleted later. */
static void test_large_values_are_found_and_go(void **state)
{
    struct fixture *f = *state;
    for (int where = 0; where < 2; where++) {
        put_fields(f, "a", 20000), put_fields(f, "b", 20000), put_fields(f, "c", 20000);
        if (where) fixture_reopen(f);
        policy(f, KEYSPACE_ANY, false);
        uint64_t before = keyspace_data_bytes(f->ks);
        evict(f, 1);
        assert_true(keyspace_data_bytes(f->ks) < before * 7 / 10);
        evict(f, 2);
        assert_int_equal(keyspace_data_bytes(f->ks), 0);
        assert_int_equal(keyspace_evict(f->ks, f->now_ms), KEYSPACE_NONE_MAY_GO);
        while (keyspace_reclaim(f->ks, 1000)) {}
        check(f);
    }
}

static void test_a_key_that_has_expired_goes_first_and_is_not_evicted(void **state)
{
    struct fixture *f = *state;
    policy(f, KEYSPACE_LEAST_LATELY, false);
    for (int i = 0; i < 10; i++) put_key(f, i, i == 7 ? f->now_ms + 10 : NEVER);
    f->now_ms += 100;
    for (int n = 0; n < 100 && keyspace_expired_total(f->ks) == 0; n++) evict(f, 1), put_key(f, n % 7, NEVER);
    assert_int_equal(keyspace_expired_total(f->ks), 1);
    assert_int_equal(keyspace_expiring(f->ks, 1), 0);
}

/* ---- what counts as use ---- */

static uint32_t idle(struct fixture *f, const char *key)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_only_look(f->ks, true);
    assert_int_not_equal(keyspace_find(f->ks, bytes_text(key)).type, KEYSPACE_NONE);
    uint32_t s = keyspace_idle_s(f->ks);
    keyspace_end(f->ks);
    return s;
}

static unsigned frequency(struct fixture *f, const char *key)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_only_look(f->ks, true);
    assert_int_not_equal(keyspace_find(f->ks, bytes_text(key)).type, KEYSPACE_NONE);
    unsigned often = keyspace_frequency(f->ks);
    keyspace_end(f->ks);
    return often;
}

static void test_reading_and_writing_a_key_is_using_it(void **state)
{
    struct fixture *f = *state;
    policy(f, KEYSPACE_LEAST_LATELY, false);
    put(f, 0, "k", "v", NEVER);
    f->now_ms += 10000;
    assert_int_equal(idle(f, "k"), 10);
    expect(f, 0, "k", "v");
    assert_int_equal(idle(f, "k"), 0);
    f->now_ms += 7000;
    fixture_settle(f);
    assert_int_equal(idle(f, "k"), 7);
    put(f, 0, "k", "w", NEVER);
    assert_int_equal(idle(f, "k"), 0);
    f->now_ms += 7000;
    fixture_reopen(f); /* on disk: it is used when it is read */
    f->now_ms += 1000;
    assert_int_equal(idle(f, "k"), 0);
    f->now_ms += 3000;
    assert_int_equal(idle(f, "k"), 3);
}

static void test_what_is_written_over_a_key_keeps_how_often_it_was_used(void **state)
{
    struct fixture *f = *state;
    policy(f, KEYSPACE_LEAST_OFTEN, false);
    put(f, 0, "k", "v", NEVER);
    assert_int_equal(frequency(f, "k"), 5);
    expect(f, 0, "k", "v"), expect(f, 0, "k", "v");
    assert_int_equal(frequency(f, "k"), 7);
    put(f, 0, "k", "w", NEVER);
    expire_key(f, 0, "k", f->now_ms + 1000000);
    assert_int_equal(frequency(f, "k"), 9);
    f->now_ms += 3 * 60000;
    assert_int_equal(frequency(f, "k"), 6);
    delete_key(f, 0, "k");
    put(f, 0, "k", "v", NEVER);
    assert_int_equal(frequency(f, "k"), 5);
}

/* ---- who is told ---- */

static void note(void *user, unsigned database, struct bytes key, enum keyspace_change change)
{
    char *told = user;
    size_t len = strlen(told);
    if (change == KEYSPACE_EVICTED) snprintf(told + len, 64 - len, "%u:%.*s ", database, (int)key.len, (const char *)key.data);
}

static void test_who_listens_is_told_of_a_key_that_was_evicted(void **state)
{
    struct fixture *f = *state;
    char told[64] = "", name[500];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    put(f, 2, "k", "v", NEVER);
    keyspace_listen(f->ks, &(struct keyspace_listener){told, note});
    policy(f, KEYSPACE_ANY, false);
    evict(f, 1);
    assert_string_equal(told, "2:k ");
    told[0] = 0;
    put(f, 1, name, "a name that is not in the row's", NEVER);
    evict(f, 1);
    assert_true(strncmp(told, "1:nnn", 5) == 0);
    assert_int_equal(keyspace_size(f->ks, 1), 0);
    keyspace_listen(f->ks, NULL);
}

int run_evict_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_keys_that_were_used_lately_stay),
        FIXTURE_TEST(test_keys_that_are_used_often_stay),
        FIXTURE_TEST(test_keys_on_disk_only_go_before_those_that_are_read_again),
        FIXTURE_TEST(test_keys_that_expire_first_go_in_this_order),
        FIXTURE_TEST(test_few_keys_with_an_expiry_are_found_among_many),
        FIXTURE_TEST(test_large_values_are_found_and_go),
        FIXTURE_TEST(test_a_key_that_has_expired_goes_first_and_is_not_evicted),
        FIXTURE_TEST(test_reading_and_writing_a_key_is_using_it),
        FIXTURE_TEST(test_what_is_written_over_a_key_keeps_how_often_it_was_used),
        FIXTURE_TEST(test_who_listens_is_told_of_a_key_that_was_evicted),
    };
    return cmocka_run_group_tests_name("keyspace evict", tests, NULL, NULL);
}
