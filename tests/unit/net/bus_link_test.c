/* Links between nodes that mean well. */
#include "bus_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void link_a_to_b(struct world *w)
{
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    node_connect(&w->a, &w->b);
    run_until(w, w->a.link && w->b.link);
}

static void test_two_nodes_exchange_frames_both_ways(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    assert_string_equal(bus_link_peer(w->a.link)->node_id, node_id_of('b'));
    assert_string_equal(bus_link_peer(w->b.link)->node_id, node_id_of('a'));
    assert_string_equal(bus_link_host(w->b.link), "127.0.0.1");
    assert_non_null(bus_link_owner(w->a.link));
    assert_null(bus_link_owner(w->b.link));
    assert_ptr_equal(bus_find_link(w->a.bus, bus_link_id(w->a.link)), w->a.link);
    assert_null(bus_find_link(w->a.bus, bus_link_id(w->a.link) + 1));
    for (unsigned i = 0; i < 100; i++) {
        assert_true(bus_link_send(w->a.link, FRAME_PULSE, bytes_text("from a")));
        assert_true(bus_link_send(w->b.link, FRAME_CALL, bytes_text("from b")));
    }
    run_until(w, w->a.frames == 100 && w->b.frames == 100);
    assert_int_equal(w->b.last_type, FRAME_PULSE);
    assert_true(bytes_is(buffer_bytes(&w->b.last), "from a"));
    assert_true(bytes_is(buffer_bytes(&w->a.last), "from b"));
    struct bus_statistics s;
    bus_statistics(w->a.bus, &s);
    assert_int_equal(s.links, 1);
    assert_true(s.bytes_in > 100 * 46 && s.bytes_out > 100 * 46);
}

static void test_a_large_frame_arrives_whole_and_small_ones_may_follow(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    size_t len = 5 << 20; /* five times the output_max of these nodes */
    uint8_t *payload = malloc(len);
    for (size_t i = 0; i < len; i++) payload[i] = (uint8_t)(i * 7 + i / 251);
    assert_true(bus_link_send(w->a.link, FRAME_PULSE, bytes_text("before")));
    assert_true(bus_link_send(w->a.link, FRAME_METADATA_SNAPSHOT, bytes_of(payload, len)));
    assert_true(bus_link_send(w->a.link, FRAME_PULSE, bytes_text("behind")));
    run_until(w, w->b.frames == 3);
    assert_int_equal(w->b.largest.len, len);
    assert_memory_equal(w->b.largest.data, payload, len);
    assert_true(bytes_is(buffer_bytes(&w->b.last), "behind"));
    assert_true(bus_link_send(w->a.link, FRAME_METADATA_SNAPSHOT, bytes_of(payload, len))); /* the first is through */
    run_until(w, w->b.frames == 4);
    free(payload);
}

static void test_a_payload_over_its_maximum_is_not_sent_and_harms_nothing(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    uint8_t payload[2000] = {0};
    assert_false(bus_link_send(w->a.link, FRAME_PULSE, bytes_of(payload, sizeof payload)));
    assert_true(bus_link_send(w->a.link, FRAME_PULSE, bytes_text("still here")));
    run_until(w, w->b.frames == 1);
}

static void test_what_was_sent_before_closing_arrives(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    assert_true(bus_link_send(w->b.link, FRAME_PULSE, bytes_text("farewell")));
    bus_link_close(w->b.link);
    assert_int_equal(w->b.downs, 0); /* not from within */
    run_until(w, w->a.frames == 1 && w->a.downs == 1 && w->b.downs == 1);
    assert_true(bytes_is(buffer_bytes(&w->a.last), "farewell"));
}

static void test_nothing_can_be_sent_on_a_closed_link(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    uint64_t id = bus_link_id(w->b.link);
    bus_link_close(w->b.link);
    assert_false(bus_link_send(w->b.link, FRAME_PULSE, bytes_text("x")));
    assert_null(bus_find_link(w->b.bus, id));
    bus_link_close(w->b.link); /* twice is once */
}

static void test_a_frame_the_handler_refuses_closes_the_link(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    w->b.refuse = "not today";
    bus_link_send(w->a.link, FRAME_PULSE, bytes_text("x"));
    run_until(w, w->b.downs == 1 && w->a.downs == 1);
    assert_true(world_logged(w, "why=\"not today\""));
    struct bus_statistics s;
    bus_statistics(w->b.bus, &s);
    assert_int_equal(s.frames_refused, 1);
}

static void close_link(struct node *n, struct bus_link *link)
{
    (void)n;
    bus_link_close(link);
}

static void test_frames_behind_the_one_that_closed_the_link_are_not_handed_up(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    w->b.on_frame = close_link;
    for (int i = 0; i < 5; i++) bus_link_send(w->a.link, FRAME_PULSE, bytes_text("x"));
    run_until(w, w->b.downs == 1);
    assert_int_equal(w->b.frames, 1);
}

static void close_bus(struct node *n, struct bus_link *link)
{
    (void)link;
    bus_close(n->bus);
    n->bus = NULL;
    buffer_release(&n->last);
    buffer_release(&n->largest);
}

static void test_the_bus_may_be_closed_from_a_handler(void **state)
{
    struct world *w = *state;
    link_a_to_b(w);
    w->b.on_frame = close_bus;
    for (int i = 0; i < 5; i++) bus_link_send(w->a.link, FRAME_PULSE, bytes_text("x"));
    run_until(w, !w->b.bus && w->a.downs >= 1);
    assert_int_equal(w->b.frames, 1);
    assert_int_equal(w->b.downs, 1);
}

static void test_a_founded_cluster_keeps_those_without_one_and_drops_others(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct bus_peer *to_b = node_connect(&w->a, &w->b);
    struct stranger of_y;
    stranger_handshake(w, &of_y, &w->a, 'c', CLUSTER_Y);
    run_until(w, w->a.ups == 2 && w->b.link);
    bus_set_cluster(w->a.bus, CLUSTER_X);
    run_until(w, w->a.downs == 1);
    run_until(w, (stranger_hear(&of_y), of_y.closed));
    assert_true(world_logged(w, "belongs to another cluster"));
    assert_non_null(bus_peer_link(to_b));
    stranger_leave(&of_y);
    /* The next handshake names it. */
    bus_link_close(bus_peer_link(to_b));
    run_until(w, w->b.ups == 2 && w->b.link);
    assert_string_equal(bus_link_peer(w->b.link)->cluster_id, CLUSTER_X);
}

static void test_an_address_in_use_is_said(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct bus_options o = {.host = "127.0.0.1", .port = w->a.port, .links_max = 1, .output_max = 1};
    struct bus_handler none = {0};
    struct bus *second = bus_new(&w->loop, &o, &none);
    uint16_t port;
    struct error e;
    assert_int_equal(bus_listen(second, &port, &e), ERROR_LOCKED);
    assert_non_null(strstr(e.text, "address in use"));
    bus_close(second);
}

int bus_link_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_two_nodes_exchange_frames_both_ways),
        TEST(test_a_large_frame_arrives_whole_and_small_ones_may_follow),
        TEST(test_a_payload_over_its_maximum_is_not_sent_and_harms_nothing),
        TEST(test_what_was_sent_before_closing_arrives),
        TEST(test_nothing_can_be_sent_on_a_closed_link),
        TEST(test_a_frame_the_handler_refuses_closes_the_link),
        TEST(test_frames_behind_the_one_that_closed_the_link_are_not_handed_up),
        TEST(test_the_bus_may_be_closed_from_a_handler),
        TEST(test_a_founded_cluster_keeps_those_without_one_and_drops_others),
        TEST(test_an_address_in_use_is_said),
    };
    return cmocka_run_group_tests_name("bus links", tests, NULL, NULL);
}
