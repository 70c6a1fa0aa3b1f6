#include <stdlib.h>

#include "base/random.h"
#include "rich.h"

static void test_a_state_survives_a_round_trip(void **state)
{
    (void)state;
    struct cluster_state *states[] = {cluster_state_new(), cluster_of(1), rich_state()};
    for (size_t i = 0; i < 3; i++) {
        struct cluster_state *back = NULL;
        struct error e;
        struct buffer b = encoded(states[i]);
        if (cluster_state_decode(buffer_bytes(&b), &back, &e) != 0) fail_msg("%s", e.text);
        assert_same_state(states[i], back);
        assert_int_equal(cluster_state_check(back, NULL), 0);
        buffer_release(&b);
        cluster_state_free(back);
        cluster_state_free(states[i]);
    }
}

static void test_a_clone_is_equal_and_independent(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state(), *c = cluster_state_clone(s, true);
    assert_same_state(s, c);
    struct buffer before = encoded(s);
    change(c, run_step(3, 2, 2, CLUSTER_STEP_FAILED, "x"));
    change(c, set_reachable(1, false));
    change(c, trigger_set("nightly", "other"));
    change(c, trigger_delete("nightly"));
    change(c, set_setting(CLUSTER_SETTING_replicas, 2));
    change(c, set_labels(4, ""));
    change(c, run_end(3, CLUSTER_RUN_DONE, ""));
    change(c, run_start("init"));
    struct buffer after = encoded(s);
    assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    buffer_release(&before);
    buffer_release(&after);
    cluster_state_free(s);
    assert_int_equal(cluster_state_check(c, NULL), 0);
    cluster_state_free(c);
}

static void test_a_clone_for_routing_has_no_scripts_and_runs(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state(), *c = cluster_state_clone(s, false);
    assert_int_equal(c->script_count, 0);
    assert_int_equal(c->run_count, 0);
    assert_int_equal(c->trigger_count, 0);
    assert_memory_equal(c->settings, s->settings, sizeof s->settings);
    assert_int_equal(c->version, s->version);
    assert_int_equal(c->node_count, 6);
    assert_memory_equal(c->owner, s->owner, sizeof s->owner);
    cluster_state_free(s);
    cluster_state_free(c);
}

/* What decodes encodes to the same bytes (more, if there are settings its writer did not know); what does not is refused with FORMAT. */
static bool decodes_canonically(struct bytes in)
{
    struct cluster_state *s;
    struct error e = {0};
    int code = cluster_state_decode(in, &s, &e);
    if (code != 0) {
        assert_int_equal(code, ERROR_FORMAT);
        assert_int_equal(e.code, ERROR_FORMAT);
        assert_null(s);
        return false;
    }
    struct buffer b = encoded(s);
    assert_true(b.len > in.len || bytes_equal(buffer_bytes(&b), in));
    buffer_release(&b);
    cluster_state_free(s);
    return true;
}

static void test_a_state_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state();
    struct buffer b = encoded(s);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* so that the sanitizer sees a read past the end */
        memcpy(exact, b.data, len);
        assert_false(decodes_canonically(bytes_of(exact, len)));
        free(exact);
    }
    buffer_append(&b, "", 1);
    assert_false(decodes_canonically(buffer_bytes(&b)));
    buffer_release(&b);
    cluster_state_free(s);
}

static void test_a_damaged_state_is_refused_or_another_valid_one(void **state)
{
    (void)state;
    uint64_t seed = seed_of(__func__), decoded = 0;
    struct cluster_state *s = rich_state();
    struct buffer b = encoded(s);
    for (int i = 0; i < 5000; i++) {
        size_t at = random_below(&seed, b.len);
        uint8_t old = b.data[at];
        b.data[at] = (uint8_t)random_next(&seed);
        decoded += decodes_canonically(buffer_bytes(&b));
        b.data[at] = old;
    }
    assert_true(decoded > 50 && decoded < 4950); /* texts and times may be anything */
    buffer_release(&b);
    cluster_state_free(s);
}

static void test_another_format_is_refused_by_number(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1), *back;
    struct error e;
    struct buffer b = encoded(s);
    b.data[0] = 1;
    assert_int_equal(cluster_state_decode(buffer_bytes(&b), &back, &e), ERROR_FORMAT);
    assert_string_equal(e.text, "cluster metadata: format 1; this version reads 2");
    assert_int_equal(cluster_state_decode(bytes_of(NULL, 0), &back, &e), ERROR_FORMAT);
    assert_string_equal(e.text, "cluster metadata: no bytes at all");
    buffer_release(&b);
    cluster_state_free(s);
}

static void test_settings_that_a_writer_did_not_know_have_their_defaults(void **state)
{
    (void)state;
    struct cluster_state *s = cluster_of(1), *back;
    struct error e;
    change(s, set_setting(CLUSTER_SETTING_voters, 5));
    change(s, set_setting(CLUSTER_SETTING_concurrency, 9));
    struct buffer b = encoded(s);
    const size_t count = 1 + 4 + CLUSTER_ID_LEN + 8 + 8 + 8 + 4 + 1, last = count + 1 + 8 * (CLUSTER_SETTINGS - 1);
    assert_int_equal(b.data[count], CLUSTER_SETTINGS);
    b.data[count]++;
    assert_int_equal(cluster_state_decode(buffer_bytes(&b), &back, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "6 settings; this version knows 5"));
    b.data[count] -= 2;
    memmove(b.data + last, b.data + last + 8, b.len - last - 8);
    if (cluster_state_decode(bytes_of(b.data, b.len - 8), &back, &e) != 0) fail_msg("%s", e.text);
    assert_true(back->settings[CLUSTER_SETTING_voters] == 5);
    assert_true(back->settings[CLUSTER_SETTING_concurrency] == 8);
    buffer_release(&b);
    cluster_state_free(back);
    cluster_state_free(s);
}

static void test_more_than_the_maximum_is_not_even_looked_at(void **state)
{
    (void)state;
    struct cluster_state *back = NULL;
    struct error e;
    assert_int_equal(cluster_state_decode(bytes_of(&back, CLUSTER_ENCODED_MAX + 1), &back, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "16777217 bytes; at most 16777216"));
}

int run_encode_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state_survives_a_round_trip),
        cmocka_unit_test(test_a_clone_is_equal_and_independent),
        cmocka_unit_test(test_a_clone_for_routing_has_no_scripts_and_runs),
        cmocka_unit_test(test_a_state_cut_at_any_byte_is_refused),
        cmocka_unit_test(test_a_damaged_state_is_refused_or_another_valid_one),
        cmocka_unit_test(test_another_format_is_refused_by_number),
        cmocka_unit_test(test_settings_that_a_writer_did_not_know_have_their_defaults),
        cmocka_unit_test(test_more_than_the_maximum_is_not_even_looked_at),
    };
    return cmocka_run_group_tests_name("cluster encoding", tests, NULL, NULL);
}
