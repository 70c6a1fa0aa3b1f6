/* Fields of hashes whose time has come: nobody sees them, and the sweeper deletes them. */
#include "fixture.h"
#include "keyspace/check.h"
#include "keyspace/entry.h"
#include "keyspace/hash.h"

#define NEVER KEYSPACE_NO_EXPIRY

static void open_hash(struct fixture *f, const char *key, struct keyspace_hash *out)
{
    struct keyspace_entry found = keyspace_find(f->ks, bytes_text(key));
    keyspace_hash_open(out, f->ks, bytes_text(key), &found);
}

/* Field i expires i ms from now. */
static void put_fields(struct fixture *f, const char *key, unsigned count)
{
    struct keyspace_hash h;
    char name[16];
    keyspace_begin(f->ks, 1, f->now_ms);
    open_hash(f, key, &h);
    for (unsigned i = 1; i <= count; i++) {
        struct bytes text = bytes_of(name, (size_t)snprintf(name, sizeof name, "%u", i));
        keyspace_hash_put(&h, &(struct keyspace_field){text, bytes_text("v"), f->now_ms + i});
    }
    keyspace_hash_close(&h);
    keyspace_end(f->ks);
}

static void put_forever(struct fixture *f, const char *key, const char *name)
{
    struct keyspace_hash h;
    keyspace_begin(f->ks, 1, f->now_ms);
    open_hash(f, key, &h);
    keyspace_hash_put(&h, &(struct keyspace_field){bytes_text(name), bytes_text("v"), NEVER});
    keyspace_hash_close(&h);
    keyspace_end(f->ks);
}

static void expect_len(struct fixture *f, const char *key, uint64_t len)
{
    struct keyspace_hash h;
    keyspace_begin(f->ks, 1, f->now_ms);
    open_hash(f, key, &h);
    assert_int_equal(keyspace_hash_len(&h), len);
    keyspace_end(f->ks);
}

static void check(struct fixture *f)
{
    struct error e;
    if (keyspace_check(f->ks, &e)) fail_msg("%s", e.text);
}

static struct keyspace_entry entry_of(struct fixture *f, const char *key)
{
    keyspace_begin(f->ks, 1, f->now_ms);
    struct keyspace_entry found = keyspace_find(f->ks, bytes_text(key));
    keyspace_end(f->ks);
    return found;
}

static void sweep_some(struct fixture *f, const char *key, unsigned fields)
{
    put_fields(f, key, fields);
    put_forever(f, key, "stays");
    check(f);
    fixture_reopen(f);
    assert_int_equal(sweep(f, 1000, f->now_ms), 0);
    f->now_ms += fields / 2;
    expect_len(f, key, 1 + fields - fields / 2);
    for (unsigned left = fields / 2; left; left -= left < 7 ? left : 7) {
        assert_int_equal(sweep(f, 7, f->now_ms), left < 7 ? left : 7);
        check(f);
        expect_len(f, key, 1 + fields - fields / 2);
    }
    assert_int_equal(sweep(f, 7, f->now_ms), 0);
    assert_true(entry_of(f, key).fields_ms == f->now_ms + 1);
    f->now_ms += fields;
    assert_int_equal(sweep(f, 1000, f->now_ms), fields - fields / 2);
    check(f);
    assert_true(entry_of(f, key).fields_ms == 0);
    expect_len(f, key, 1);
}

static void test_fields_of_a_small_hash_are_swept(void **state)
{
    sweep_some(*state, "small", 30);
    assert_int_equal(entry_of(*state, "small").form, ENTRY_WHOLE);
}

static void test_fields_of_a_large_hash_are_swept(void **state)
{
    sweep_some(*state, "large", 1500);
    assert_int_equal(entry_of(*state, "large").form, ENTRY_HASHED); /* the index is gone */
    while (keyspace_reclaim(((struct fixture *)*state)->ks, 100)) {}
    check(*state);
}

static void test_a_key_goes_with_its_last_field(void **state)
{
    struct fixture *f = *state;
    static const unsigned sizes[] = {5, 500};
    for (size_t i = 0; i < 2; i++) {
        put_fields(f, "h", sizes[i]);
        f->now_ms += 500;
        expect_len(f, "h", 0);
        assert_int_equal(sweep(f, 1000, f->now_ms), sizes[i]);
        assert_int_equal(entry_of(f, "h").type, KEYSPACE_NONE);
        check(f);
    }
    assert_int_equal(keyspace_size(f->ks, 1), 0);
}

/* The key's own expiry comes first or last. */
static void test_a_key_that_expires_takes_its_fields_with_it(void **state)
{
    struct fixture *f = *state;
    put_fields(f, "h", 500);
    assert_true(expire_key(f, 1, "h", f->now_ms + 10));
    assert_int_equal(sweep(f, 1000, f->now_ms + 4), 4);
    check(f);
    assert_int_equal(sweep(f, 1000, f->now_ms + 10), 1);
    while (keyspace_reclaim(f->ks, 100)) {}
    check(f);
    assert_int_equal(keyspace_size(f->ks, 1), 0);
}

static void test_a_field_that_is_put_anew_expires_no_more(void **state)
{
    struct fixture *f = *state;
    put_fields(f, "h", 1);
    put_forever(f, "h", "1");
    f->now_ms += 100;
    assert_int_equal(sweep(f, 1000, f->now_ms), 0);
    expect_len(f, "h", 1);
    assert_true(entry_of(f, "h").fields_ms == 0);
    check(f);
}

/* The nodes of an index that grows and is emptied within one command are nobody's afterwards. */
static void test_no_node_is_left_of_an_index_that_grew_and_went(void **state)
{
    struct fixture *f = *state;
    for (unsigned before = 0; before <= 500; before += 500) {
        struct keyspace_hash h;
        char name[16];
        if (before) put_fields(f, "h", before);
        keyspace_begin(f->ks, 1, f->now_ms);
        open_hash(f, "h", &h);
        for (unsigned round = 0; round < 2; round++) {
            for (unsigned i = 1; i <= 3000; i++) {
                struct bytes text = bytes_of(name, (size_t)snprintf(name, sizeof name, "%u", i));
                if (round)
                    assert_true(keyspace_hash_remove(&h, text));
                else
                    keyspace_hash_put(&h, &(struct keyspace_field){text, bytes_text("v"), f->now_ms + i});
            }
        }
        keyspace_hash_close(&h);
        keyspace_end(f->ks);
        while (keyspace_reclaim(f->ks, 100)) {}
        check(f);
    }
}

struct picked {
    unsigned wanted, seen, stays;
};

static bool count_pick(void *user, const struct keyspace_field *field)
{
    struct picked *p = user;
    assert_int_equal(field->expires_ms, NEVER);
    p->stays += bytes_equal(field->name, bytes_text("stays"));
    return ++p->seen < p->wanted;
}

/* The seed is fixed: each of two gets 500 of 1,000 picks, give or take six deviations. */
static void test_picks_are_among_the_few_that_are_left(void **state)
{
    struct fixture *f = *state;
    struct arena arena = {0};
    struct keyspace_hash h;
    uint64_t random = 1;
    put_fields(f, "h", 2000);
    put_forever(f, "h", "stays");
    put_forever(f, "h", "too");
    f->now_ms += 2000;
    keyspace_begin(f->ks, 1, f->now_ms);
    open_hash(f, "h", &h);
    struct picked all = {.wanted = 2000}, few = {.wanted = 3};
    keyspace_hash_pick(&h, 1000, &random, &arena, count_pick, &all);
    assert_int_equal(all.seen, 1000);
    assert_in_range(all.stays, 405, 595);
    keyspace_hash_pick(&h, 1000, &random, &arena, count_pick, &few);
    assert_int_equal(few.seen, 3);
    keyspace_end(f->ks);
    arena_release(&arena);
}

int run_hash_sweep_tests(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_fields_of_a_small_hash_are_swept),
        FIXTURE_TEST(test_fields_of_a_large_hash_are_swept),
        FIXTURE_TEST(test_a_key_goes_with_its_last_field),
        FIXTURE_TEST(test_a_key_that_expires_takes_its_fields_with_it),
        FIXTURE_TEST(test_a_field_that_is_put_anew_expires_no_more),
        FIXTURE_TEST(test_no_node_is_left_of_an_index_that_grew_and_went),
        FIXTURE_TEST(test_picks_are_among_the_few_that_are_left),
    };
    return cmocka_run_group_tests_name("keyspace fields that expire", tests, NULL, NULL);
}
