/* Finding each other, and finding each other again. */
#include "bus_fixture.h"

#include <string.h>

static void test_a_peer_is_found_again_after_a_restart_on_the_same_port(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct bus_peer *to_b = node_connect(&w->a, &w->b);
    run_until(w, w->a.link);
    uint16_t port = w->b.port;
    node_stop(w, &w->b);
    run_until(w, w->a.downs == 1 && strstr(bus_peer_problem(to_b), "connection refused"));
    assert_null(bus_peer_link(to_b));
    node_start(w, &w->b, 'b', SECRET, "", port);
    run_until(w, bus_peer_link(to_b));
    assert_string_equal(bus_peer_problem(to_b), "");
}

static void test_a_peer_that_comes_later_is_found(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    uint16_t port = w->b.port;
    node_stop(w, &w->b);
    struct bus_peer *to_b = bus_peer_new(w->a.bus, "localhost", port, node_id_of('b')); /* by name */
    run_until(w, strstr(bus_peer_problem(to_b), "connecting"));
    node_start(w, &w->b, 'b', SECRET, "", port);
    run_until(w, bus_peer_link(to_b));
}

static void test_another_node_than_the_expected_is_refused(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct bus_peer *to_c = bus_peer_new(w->a.bus, "127.0.0.1", w->b.port, node_id_of('c'));
    run_until(w, strstr(bus_peer_problem(to_c), node_id_of('b')));
    assert_non_null(strstr(bus_peer_problem(to_c), node_id_of('c')));
    run_until(w, w->b.bus->statistics.handshakes_failed == 1);
    assert_int_equal(w->a.ups + w->b.ups, 0);
    assert_true(to_c->pause_ms > 1000); /* it will hardly change soon */
}

static void test_a_wrong_secret_is_refused_by_both_and_said_by_both(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', "a guess", "", 0);
    struct bus_peer *to_b = node_connect(&w->a, &w->b);
    run_until(w, strstr(bus_peer_problem(to_b), "the secrets differ"));
    run_until(w, world_logged(w, "its secret differs"));
    assert_int_equal(w->a.ups + w->b.ups, 0);
    assert_int_equal(w->b.bus->statistics.handshakes_failed, 1);
}

static void test_a_foreign_cluster_is_refused_by_both_and_said_by_both(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, CLUSTER_X, 0);
    node_start(w, &w->b, 'b', SECRET, CLUSTER_Y, 0);
    struct bus_peer *to_b = node_connect(&w->a, &w->b);
    run_until(w, strstr(bus_peer_problem(to_b), CLUSTER_Y));
    assert_true(world_logged(w, "another cluster (" CLUSTER_X ")"));
    assert_int_equal(w->a.ups + w->b.ups, 0);
}

static void test_a_connection_to_ourselves_is_refused(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct bus_peer *to_a = node_connect(&w->a, &w->a);
    run_until(w, strstr(bus_peer_problem(to_a), "a connection to ourselves"));
    assert_int_equal(w->a.ups, 0);
}

static void test_a_name_nobody_knows_is_a_problem_with_a_text(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct bus_peer *p = bus_peer_new(w->a.bus, "no.such.host.invalid", 1, "");
    run_until(w, strstr(bus_peer_problem(p), "no.such.host.invalid: "));
}

static void test_a_new_address_is_tried_at_once_and_a_link_survives_it(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct bus_peer *p = bus_peer_new(w->a.bus, "no.such.host.invalid", 1, "");
    bus_peer_set_address(p, "127.0.0.1", w->b.port); /* while the name is looked up */
    run_until(w, bus_peer_link(p));
    struct bus_link *link = bus_peer_link(p);
    bus_peer_set_address(p, "127.0.0.1", 1);
    world_idle(w, 20);
    assert_ptr_equal(bus_peer_link(p), link);
    bus_link_close(link);
    run_until(w, strstr(bus_peer_problem(p), "127.0.0.1:1: connecting"));
    run_until(w, !p->link && uv_is_active((uv_handle_t *)&p->timer));
    bus_peer_set_address(p, "localhost", w->b.port); /* while it pauses */
    assert_true(p->looking_up && !uv_is_active((uv_handle_t *)&p->timer));
    run_until(w, bus_peer_link(p));
}

static void test_a_peer_asked_for_twice_is_one_and_must_be_freed_twice(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct bus_peer *p = node_connect(&w->a, &w->b);
    assert_ptr_equal(node_connect(&w->a, &w->b), p);
    assert_ptr_not_equal(bus_peer_new(w->a.bus, "127.0.0.1", w->b.port, node_id_of('b')), p);
    run_until(w, w->a.ups == 2);
    bus_peer_free(p);
    assert_non_null(bus_peer_link(p));
    bus_peer_free(p);
    run_until(w, w->a.downs == 1 && w->b.downs == 1);
    world_idle(w, 150);
    assert_int_equal(w->a.ups, 2); /* and does not come back */
}

static void test_a_peer_can_be_freed_in_every_state(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    bus_peer_free(bus_peer_new(w->a.bus, "localhost", w->b.port, "")); /* looking up */
    for (int turns = 0; turns < 12; turns++) {                         /* connecting, in the handshake, up */
        struct bus_peer *p = node_connect(&w->a, &w->b);
        for (int i = 0; i < turns; i++) uv_run(&w->loop, UV_RUN_NOWAIT);
        bus_peer_free(p);
    }
    run_until(w, w->a.ups == w->a.downs && w->b.ups == w->b.downs && TAILQ_EMPTY(&w->b.bus->links));
}

static void test_an_address_that_does_not_answer_is_given_up_in_time(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    w->a.bus->handshake_ms = 50;
    uv_poll_stop(&w->b.bus->acceptable); /* the kernel connects, nobody answers */
    struct bus_peer *to_b = node_connect(&w->a, &w->b);
    run_until(w, strstr(bus_peer_problem(to_b), "no handshake within 50 ms"));
}

int bus_peer_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_peer_is_found_again_after_a_restart_on_the_same_port),
        TEST(test_a_peer_that_comes_later_is_found),
        TEST(test_another_node_than_the_expected_is_refused),
        TEST(test_a_wrong_secret_is_refused_by_both_and_said_by_both),
        TEST(test_a_foreign_cluster_is_refused_by_both_and_said_by_both),
        TEST(test_a_connection_to_ourselves_is_refused),
        TEST(test_a_name_nobody_knows_is_a_problem_with_a_text),
        TEST(test_a_new_address_is_tried_at_once_and_a_link_survives_it),
        TEST(test_a_peer_asked_for_twice_is_one_and_must_be_freed_twice),
        TEST(test_a_peer_can_be_freed_in_every_state),
        TEST(test_an_address_that_does_not_answer_is_given_up_in_time),
    };
    return cmocka_run_group_tests_name("bus peers", tests, NULL, NULL);
}
