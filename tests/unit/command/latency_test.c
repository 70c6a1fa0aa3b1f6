#include "fixture.h"

#include <stdlib.h>

#include "command/engine.h"

static void add(struct command_latency *l, int64_t at_s, unsigned ms)
{
    command_latency_add(l, LATENCY_COMMAND, at_s, ms * 1000 + 999);
}

static void test_of_one_second_the_longest_is_kept(void **state)
{
    (void)state;
    struct command_latency l = {0};
    const struct latency_series *s = &l.events[LATENCY_COMMAND];
    add(&l, 7, 5);
    add(&l, 7, 9);
    add(&l, 7, 8);
    add(&l, 8, 1);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->max_ms, 9);
    assert_int_equal(command_latency_sample(s, 0)->ms, 9);
    assert_int_equal(command_latency_sample(s, 1)->ms, 1);
    command_latency_add(&l, LATENCY_COMMAND, 9, UINT64_MAX);
    assert_int_equal(command_latency_sample(s, 2)->ms, UINT32_MAX);
    assert_int_equal(l.events[LATENCY_LOG].count, 0);
}

static void test_old_samples_make_room(void **state)
{
    (void)state;
    struct command_latency l = {0};
    const struct latency_series *s = &l.events[LATENCY_COMMAND];
    for (unsigned i = 0; i < LATENCY_SAMPLES + 10; i++) add(&l, i, 1000 - i);
    assert_int_equal(s->count, LATENCY_SAMPLES);
    assert_int_equal(s->max_ms, 1000);
    for (uint32_t i = 0; i < s->count; i++) {
        assert_int_equal(command_latency_sample(s, i)->at_s, i + 10);
        assert_int_equal(command_latency_sample(s, i)->ms, 990 - i);
    }
}

static void test_a_graph_has_a_column_a_sample(void **state)
{
    (void)state;
    struct command_latency l = {0};
    struct buffer out;
    buffer_init(&out, 64 << 10);
    add(&l, 1000000 - 86400 * 12, 10);
    add(&l, 1000000 - 7200, 14);
    add(&l, 1000000 - 119, 19);
    add(&l, 1000000 - 5, 22);
    command_latency_draw(&l.events[LATENCY_COMMAND], LATENCY_COMMAND, 1000000, &out);
    buffer_append(&out, "", 1);
    assert_string_equal((char *)out.data, "command - high 22 ms, low 10 ms (all time high 22 ms)\n"
                                          "--------------------------------------------------------------------------------\n"
                                          "  _#\n"
                                          "  ||\n"
                                          " o||\n"
                                          "_|||\n"
                                          "    \n"
                                          "1215\n"
                                          "2hms\n"
                                          "d   \n");
    buffer_release(&out);
}

static void test_a_long_graph_is_broken_into_lines(void **state)
{
    (void)state;
    struct command_latency l = {0};
    struct buffer out;
    buffer_init(&out, 64 << 10);
    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) add(&l, i, 3);
    command_latency_draw(&l.events[LATENCY_COMMAND], LATENCY_COMMAND, 1000, &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++) lines += out.data[i] == '\n';
    assert_int_equal(lines, 2 + 8 + 1 + 8); /* four rows, a blank one, and labels like "15m" */
    buffer_release(&out);
}

static void test_events_are_told_and_forgotten_by_name(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    struct command_latency *l = &n->engine->latency;
    add(l, 100, 5);
    add(l, 200, 4);
    command_latency_add(l, LATENCY_LOG, 300, 6000);
    says(n, c, "LATENCY LATEST", "*2\r\n*4\r\n$7\r\ncommand\r\n:200\r\n:4\r\n:5\r\n*4\r\n$9\r\naof-write\r\n:300\r\n:6\r\n:6");
    says(n, c, "LATENCY HISTORY command", "*2\r\n*2\r\n:100\r\n:5\r\n*2\r\n:200\r\n:4");
    says(n, c, "LATENCY HISTORY COMMAND", "*0");
    assert_contains(ask(n, c, "LATENCY GRAPH aof-write"), "aof-write - high 6 ms, low 6 ms (all time high 6 ms)\n");
    const char *doctor = ask(n, c, "LATENCY DOCTOR");
    assert_contains(doctor, "1. command: 2 latency spikes (average 4ms, mean deviation 0ms, period ");
    assert_contains(doctor, "2. aof-write: 1 latency spikes (average 6ms, mean deviation 0ms, period ");
    says(n, c, "LATENCY RESET command nothing command", ":1");
    says(n, c, "LATENCY HISTORY command", "*0");
    says(n, c, "LATENCY RESET", ":1");
    says(n, c, "LATENCY LATEST", "*0");
    client_close(c);
}

static void test_a_histogram_is_told_once_however_often_it_is_asked_for(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1, .latency_tracking = true});
    says(n, c, "PING", "+PONG");
    says(n, c, "CLIENT GETNAME", "$-1");
    assert_memory_equal(ask(n, c, "LATENCY HISTOGRAM ping PING client client|getname GET"), "*4\r\n$4\r\nping\r\n*4\r\n$5\r\ncalls\r\n:1\r\n", 33);
    command_engine_tune(n->engine, &(struct command_tuning){.slowlog_us = -1});
    says(n, c, "PING", "+PONG");
    assert_memory_equal(ask(n, c, "LATENCY HISTOGRAM ping"), "*2\r\n$4\r\nping\r\n*4\r\n$5\r\ncalls\r\n:1\r\n", 33);
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_latency_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_one_second_the_longest_is_kept),
        cmocka_unit_test(test_old_samples_make_room),
        cmocka_unit_test(test_a_graph_has_a_column_a_sample),
        cmocka_unit_test(test_a_long_graph_is_broken_into_lines),
        WITH_NODE(test_a_histogram_is_told_once_however_often_it_is_asked_for),
        WITH_NODE(test_events_are_told_and_forgotten_by_name),
    };
    return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
