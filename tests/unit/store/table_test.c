/* The table of rows against an array, growing, shrinking, and under the clock's hand. */
#include "base/random.h"
#include "fixture.h"

#define KEYS 20000

static struct row *rows[KEYS];

static struct row *make_row(int i)
{
    char key[16];
    int len = snprintf(key, sizeof key, "key %d", i);
    return row_new(bytes_of(key, (size_t)len + 1), 0, 1); /* with its NUL */
}

static struct row *find_row(const struct table *t, int i)
{
    char key[16];
    struct bytes name = bytes_of(key, (size_t)snprintf(key, sizeof key, "key %d", i) + 1);
    return table_find(t, table_hash(t, name), name);
}

static void add_row(struct table *t, int i)
{
    struct row *r = make_row(i), *before = table_put(t, table_hash(t, row_key(r)), r);
    assert_ptr_equal(before, rows[i]);
    free(before);
    rows[i] = r;
}

static void take_row(struct table *t, int i)
{
    if (!rows[i]) return;
    table_remove(t, table_hash(t, row_key(rows[i])), rows[i]);
    free(rows[i]);
    rows[i] = NULL;
}

static bool drop_some(void *user, struct row *r)
{
    uint64_t *random = user;
    if (random_below(random, 3)) return false;
    int i = atoi((const char *)r->bytes + 4);
    assert_ptr_equal(rows[i], r);
    rows[i] = NULL;
    free(r);
    return true;
}

static void check(const struct table *t)
{
    size_t count = 0;
    for (int i = 0; i < KEYS; i++) {
        assert_ptr_equal(find_row(t, i), rows[i]);
        count += rows[i] != NULL;
    }
    assert_int_equal(t->rows, count);
}

static void test_the_table_finds_what_an_array_holds(void **state)
{
    (void)state;
    uint64_t random = test_seed("store table");
    struct table t;
    table_init(&t);
    for (int phase = 0; phase < 6; phase++) {
        for (int n = 0; n < 40000; n++) {
            int i = (int)random_below(&random, KEYS);
            if (random_below(&random, 10) < (phase % 2 ? 1 : 8))
                add_row(&t, i);
            else
                take_row(&t, i);
            if (random_below(&random, 1000) == 0) table_sweep(&t, random_below(&random, 2000), drop_some, &random);
        }
        check(&t);
    }
    for (int i = 0; i < KEYS; i++) take_row(&t, i);
    assert_int_equal(t.rows, 0);
    size_t directory = sizeof(void *) << t.depth;
    assert_true(t.memory - directory <= 4096); /* segments that are empty become one */
    table_release(&t);
}

static bool drop_all(void *user, struct row *r)
{
    (void)user;
    rows[atoi((const char *)r->bytes + 4)] = NULL;
    free(r);
    return true;
}

static void test_the_hand_passes_every_row(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    for (int i = 0; i < KEYS; i++) add_row(&t, i);
    for (int rounds = 0; t.rows; rounds++) {
        assert_true(rounds < 4000);
        table_sweep(&t, 64, drop_all, NULL);
    }
    check(&t);
    table_release(&t);
}

/* Rows in the table since a purge began; meanwhile others come and go, so that segments split and become one. */
static bool note_passed(void *user, struct row *r)
{
    (void)user;
    r->flags |= ROW_TOUCHED;
    return false;
}

static void test_a_purge_passes_every_row_whatever_happens_meanwhile(void **state)
{
    (void)state;
    uint64_t random = test_seed("store purge");
    struct table t;
    table_init(&t);
    memset(rows, 0, sizeof rows);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < KEYS; i++)
            if (random_below(&random, round % 2 ? 3 : 40) == 0) add_row(&t, i);
        for (int i = 0; i < KEYS; i++)
            if (rows[i]) rows[i]->flags = ROW_SUPERSEDED; /* here from the beginning */
        while (!table_purge(&t, random_below(&random, 3), note_passed, NULL))
            for (int n = 0; n < 400; n++) {
                int i = (int)random_below(&random, KEYS);
                if (random_below(&random, 3) < (round % 2 ? 2u : 1u))
                    take_row(&t, i);
                else if (!rows[i])
                    add_row(&t, i);
            }
        for (int i = 0; i < KEYS; i++)
            if (rows[i] && rows[i]->flags == ROW_SUPERSEDED) fail_msg("row %d was not passed", i);
        check(&t);
    }
    for (int i = 0; i < KEYS; i++) take_row(&t, i);
    table_release(&t);
}

int run_table_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_finds_what_an_array_holds),
        cmocka_unit_test(test_the_hand_passes_every_row),
        cmocka_unit_test(test_a_purge_passes_every_row_whatever_happens_meanwhile),
    };
    return cmocka_run_group_tests_name("store table", tests, NULL, NULL);
}
