/* Somebody who knows the secret and misbehaves: a bus of the test's own, linked to a node. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "cluster/command.h"
#include "control/message.h"
#include "net/bus.h"

struct intruder {
    struct bus *bus;
    struct bus_peer *peer;
    struct bus_link *link;
    struct cluster_node_info info;
    bool answered; /* a PULSE_ACK came */
    struct message_pulse pulse; /* the last one */
    unsigned downs;
};

static struct intruder intruder; /* conditions of nodes_wait see it */

static void on_up(void *user, struct bus_link *l)
{
    ((struct intruder *)user)->link = l;
}

static int on_frame(void *user, struct bus_link *l, enum frame_type type, struct bytes payload, struct error *e)
{
    (void)l;
    struct intruder *i = user;
    if (type == FRAME_PULSE_ACK) i->answered = true;
    return type == FRAME_PULSE ? message_pulse_read(payload, &i->pulse, e) : 0;
}

static void on_down(void *user, struct bus_link *l)
{
    struct intruder *i = user;
    if (i->link == l) i->link = NULL;
    i->downs++;
}

static bool is_linked(struct test_nodes *t, int i)
{
    (void)t, (void)i;
    return intruder.link != NULL;
}

static bool was_cut(struct test_nodes *t, int i)
{
    (void)t, (void)i;
    return intruder.downs > 0;
}

static bool was_answered(struct test_nodes *t, int i)
{
    (void)t, (void)i;
    return intruder.answered;
}

static void intrude(struct test_nodes *t, int target, const char *cluster_id)
{
    intruder = (struct intruder){.info = t->node[NODES_MAX - 1].info};
    struct bus_options o = {
        .host = "127.0.0.1", .secret = bytes_text("the secret of the tests"), .links_max = 8, .output_max = 1 << 20};
    random_hex(intruder.info.id, CLUSTER_ID_LEN);
    intruder.info.bus_port = 1;
    intruder.info.alias = 0;
    memcpy(o.self.node_id, intruder.info.id, sizeof o.self.node_id);
    snprintf(o.self.cluster_id, sizeof o.self.cluster_id, "%s", cluster_id);
    intruder.bus = bus_new(&t->loop, &o, &(struct bus_handler){&intruder, on_up, on_frame, on_down});
    intruder.peer = bus_peer_new(intruder.bus, "127.0.0.1", t->node[target].port, "");
    nodes_wait(t, target, is_linked, "is linked");
}

static void leave(struct test_nodes *t)
{
    bus_close(intruder.bus);
    uv_run(&t->loop, UV_RUN_NOWAIT);
}

static void say(enum frame_type type, const struct buffer *payload)
{
    bus_link_send(intruder.link, type, buffer_bytes(payload));
}

static void announce(const char *id, const char *cluster_id)
{
    struct message_announce a = {.info = intruder.info};
    struct buffer b;
    memcpy(a.info.id, id, sizeof a.info.id);
    snprintf(a.cluster_id, sizeof a.cluster_id, "%s", cluster_id);
    buffer_init(&b, 8192);
    message_announce_write(&b, &a);
    say(FRAME_ANNOUNCE, &b);
    buffer_release(&b);
}

static void say_call(void)
{
    struct bytes argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("LIST")};
    struct buffer b;
    buffer_init(&b, 8192);
    message_call_write(&b, &(struct message_call){1, 2, 3, argv});
    say(FRAME_CALL, &b);
    buffer_release(&b);
}

static void say_pulse(uint64_t term)
{
    struct buffer b;
    buffer_init(&b, 8192);
    message_pulse_write(&b, &(struct message_pulse){term, 1, 1000});
    say(FRAME_PULSE, &b);
    buffer_release(&b);
}

static void say_pulse_ack(void)
{
    struct buffer b;
    buffer_init(&b, 8192);
    message_pulse_ack_write(&b, &(struct message_pulse_ack){intruder.pulse.sequence, 1});
    say(FRAME_PULSE_ACK, &b);
    buffer_release(&b);
}

static void say_snapshot(const struct cluster_state *s, uint64_t term)
{
    struct buffer state, b;
    buffer_init(&state, CLUSTER_ENCODED_MAX);
    buffer_init(&b, 2 * CLUSTER_ENCODED_MAX);
    cluster_state_encode(s, &state);
    message_snapshot_write(&b, &(struct message_snapshot){term, 1, buffer_bytes(&state)});
    say(FRAME_METADATA_SNAPSHOT, &b);
    buffer_release(&state);
    buffer_release(&b);
}

static struct test_nodes *one_node(void)
{
    struct test_nodes *t = nodes_new();
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "leads");
    return t;
}

static void test_nothing_is_taken_before_an_announcement(void **state)
{
    (void)state;
    struct test_nodes *t = one_node();
    intrude(t, 0, "");
    say_pulse(99);
    nodes_wait(t, 0, was_cut, "cuts the link");
    leave(t);
    nodes_free(t);
}

static void test_nobody_announces_himself_as_another(void **state)
{
    (void)state;
    struct test_nodes *t = one_node();
    intrude(t, 0, "");
    announce(t->node[0].info.id, "");
    nodes_wait(t, 0, was_cut, "cuts the link");
    leave(t);
    nodes_free(t);
}

static void test_a_candidate_may_not_call_pulse_or_push(void **state)
{
    (void)state;
    struct test_nodes *t = one_node();
    for (int kind = 0; kind < 3; kind++) {
        intrude(t, 0, "");
        announce(intruder.info.id, "");
        if (kind == 0) say_call();
        if (kind == 1) say_pulse(UINT64_MAX);
        if (kind == 2) say_snapshot(t->node[0].routing->state, UINT64_MAX);
        nodes_wait(t, 0, was_cut, "cuts the link");
        leave(t);
    }
    nodes_expect_part(t, 0, "CLUSTER METARAFT STATUS", "\r\nleader\r\n");
    nodes_free(t);
}

/* It knows the cluster's id and the secret, but is no member: it is asked for the whole metadata, and those do not have
 * it. */
static void test_a_stranger_does_not_become_leader_by_pulses(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_knows_leader, "knows the leader");
    intrude(t, 1, t->node[0].identity.cluster_id);
    announce(intruder.info.id, t->node[0].identity.cluster_id);
    say_pulse(1000);
    nodes_wait(t, 1, was_answered, "answers");
    say_snapshot(t->node[1].routing->state, 1000);
    nodes_expect(t, 1, "CLUSTER METARAFT ADDLEARNER 2 #1", "+OK\r\n");
    assert_string_equal(t->node[1].routing->leader, t->node[0].info.id);
    leave(t);
    nodes_free(t);
}

static void test_a_candidate_is_not_adopted_by_who_does_not_list_it(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    intrude(t, 1, "");
    announce(intruder.info.id, "");
    say_snapshot(t->node[0].routing->state, 5);
    nodes_wait(t, 1, was_cut, "cuts the link");
    assert_false(nodes_is_member(t, 1));
    leave(t);
    nodes_free(t);
}

/* Newer metadata without a node make it one that was removed; but not from somebody whom it does not know. */
static void test_a_stranger_does_not_remove_a_node(void **state)
{
    (void)state;
    struct test_nodes *t = nodes_new();
    nodes_start_cluster(t, 2);
    nodes_expect(t, 0, "CLUSTER MEET 127.0.0.1 7002", "+OK\r\n");
    nodes_wait(t, 1, nodes_is_member, "is a member");
    struct cluster_state *forged = cluster_state_clone(t->node[1].routing->state, true);
    struct cluster_command remove = {.type = CLUSTER_REMOVE_NODE};
    struct cluster_result result = {0};
    struct buffer b;
    memcpy(remove.node, t->node[1].info.id, sizeof remove.node);
    buffer_init(&b, 1000);
    cluster_command_encode(&remove, &b);
    cluster_apply(forged, buffer_bytes(&b), &result);
    assert_true(result.changed);
    buffer_release(&b);
    intrude(t, 1, t->node[0].identity.cluster_id);
    announce(intruder.info.id, t->node[0].identity.cluster_id);
    say_snapshot(forged, 0);
    nodes_wait(t, 1, was_answered, "answers");
    nodes_expect_part(t, 1, "CLUSTER METARAFT STATUS", "\r\nmember\r\n");
    nodes_expect_part(t, 1, "CLUSTER RESET", "is a member of cluster");
    leave(t);
    cluster_state_free(forged);
    nodes_free(t);
}

static struct test_nodes *one_node_that_admits_an_intruder(uint64_t *asked_ms)
{
    struct test_nodes *t = one_node();
    char words[160];
    for (uint64_t began = clock_monotonic_ms(); clock_monotonic_ms() - began < 1000;) uv_run(&t->loop, UV_RUN_ONCE);
    intrude(t, 0, "");
    announce(intruder.info.id, "");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT VIEW", intruder.info.id);
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL RUN return{{op='admit',node='%s'}} 0", intruder.info.id);
    *asked_ms = clock_monotonic_ms();
    nodes_expect(t, 0, words, ":1\r\n");
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "the new member has not acknowledged the metadata");
    return t;
}

/* Not since its leader began to lead: that may be long ago, and it would count as down at once. */
static void test_a_member_that_has_not_answered_yet_is_silent_since_it_was_admitted(void **state)
{
    (void)state;
    uint64_t asked_ms;
    char words[160];
    struct test_nodes *t = one_node_that_admits_an_intruder(&asked_ms);
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL return(view.node['%s'].silent_ms) 0", intruder.info.id);
    const char *reply = nodes_call(t, 0, words);
    assert_int_equal(reply[0], ':');
    assert_in_range(strtoull(reply + 1, NULL, 10), 0, clock_monotonic_ms() - asked_ms);
    leave(t);
    nodes_free(t);
}

/* What is planned next must not go around it. */
static void test_a_member_that_answers_late_is_admitted_when_it_is_up(void **state)
{
    (void)state;
    uint64_t asked_ms;
    char words[160];
    struct test_nodes *t = one_node_that_admits_an_intruder(&asked_ms);
    snprintf(words, sizeof words, "CLUSTER SCRIPT EVAL return(tostring(view.node['%s'].up)) 0", intruder.info.id);
    nodes_expect_soon(t, 0, words, "false");
    say_pulse_ack();
    nodes_expect_soon(t, 0, "CLUSTER SCRIPT STATUS 1", "\r\ndone\r\n");
    nodes_expect_part(t, 0, words, "true");
    leave(t);
    nodes_free(t);
}

static void test_rubbish_closes_the_link(void **state)
{
    (void)state;
    struct test_nodes *t = one_node();
    static const enum frame_type types[] = {FRAME_ANNOUNCE,          FRAME_PULSE,          FRAME_PULSE_ACK,
                                            FRAME_METADATA_SNAPSHOT, FRAME_METADATA_DELTA, FRAME_CALL,
                                            FRAME_CALL_REPLY,        FRAME_CANDIDATE,      FRAME_RAFT};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct buffer b;
        intrude(t, 0, t->node[0].identity.cluster_id);
        announce(intruder.info.id, t->node[0].identity.cluster_id);
        buffer_init(&b, 100);
        buffer_append_text(&b, "rubbish");
        say(types[i], &b);
        buffer_release(&b);
        nodes_wait(t, 0, was_cut, "cuts the link");
        leave(t);
    }
    nodes_expect_part(t, 0, "CLUSTER METARAFT MEMBERS", ":1\r\n");
    nodes_free(t);
}

static void test_a_busy_port_is_an_error_that_leaves_nothing_behind(void **state)
{
    (void)state;
    struct test_nodes *t = one_node();
    struct control_options o = {.self = t->node[1].info,
                                .data_dir = t->node[1].dir,
                                .bus_host = "127.0.0.1",
                                .bus_port = t->node[0].port,
                                .secret = bytes_text("x"),
                                .data_mailbox = t->mailbox};
    struct control *c = NULL;
    struct error e = {0};
    uint16_t port;
    assert_int_not_equal(control_start(&o, &c, &port, &e), 0);
    assert_true(e.text[0]);
    nodes_free(t);
}

int hostile_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_taken_before_an_announcement),
        cmocka_unit_test(test_nobody_announces_himself_as_another),
        cmocka_unit_test(test_a_candidate_may_not_call_pulse_or_push),
        cmocka_unit_test(test_a_stranger_does_not_become_leader_by_pulses),
        cmocka_unit_test(test_a_candidate_is_not_adopted_by_who_does_not_list_it),
        cmocka_unit_test(test_a_stranger_does_not_remove_a_node),
        cmocka_unit_test(test_a_member_that_has_not_answered_yet_is_silent_since_it_was_admitted),
        cmocka_unit_test(test_a_member_that_answers_late_is_admitted_when_it_is_up),
        cmocka_unit_test(test_rubbish_closes_the_link),
        cmocka_unit_test(test_a_busy_port_is_an_error_that_leaves_nothing_behind),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
