/* What a stranger, or somebody between two nodes, can do. */
#include "bus_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crc.h"

/* A node `a` and a stranger who is past the handshake, as a man in the middle's connection would be. */
static void link_stranger(struct world *w, struct stranger *s)
{
    node_start(w, &w->a, 'a', SECRET, "", 0);
    stranger_handshake(w, s, &w->a, 'c', "");
    run_until(w, w->a.link);
}

static void expect_closed(struct world *w, struct stranger *s, unsigned frames, const char *why)
{
    run_until(w, w->a.downs == 1);
    run_until(w, (stranger_hear(s), s->closed));
    assert_int_equal(w->a.frames, frames);
    if (!world_logged(w, why)) fail_msg("the log does not say '%s'", why);
    stranger_leave(s);
}

static void test_a_replayed_frame_closes_the_link(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    stranger_frame(&s, 0, FRAME_PULSE, bytes_text("once"));
    stranger_frame(&s, 0, FRAME_PULSE, bytes_text("once"));
    expect_closed(w, &s, 1, "replayed");
}

static void test_a_dropped_frame_closes_the_link(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    stranger_frame(&s, 1, FRAME_PULSE, bytes_text("second"));
    expect_closed(w, &s, 0, "lost");
}

static void test_a_changed_frame_closes_the_link(void **state)
{
    static const size_t at[] = {2, 14, FRAME_HEADER_SIZE + 1, FRAME_HEADER_SIZE + 5, FRAME_HEADER_SIZE + 5 + 8};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        void *own;
        world_set_up(&own);
        struct world *w = own;
        struct stranger s;
        link_stranger(w, &s);
        struct buffer b;
        buffer_init(&b, 1000);
        frame_write(&b, s.shake.send_key, 0, FRAME_PULSE, bytes_text("pulse"), NULL);
        b.data[at[i]] ^= 0x10;
        stranger_say(&s, buffer_bytes(&b));
        buffer_release(&b);
        expect_closed(w, &s, 0, i == 0 ? "no frame" : i == 1 ? "damaged" : "not genuine");
        world_tear_down(&own);
    }
    (void)state;
}

static void test_a_frame_sent_back_to_its_sender_closes_the_link(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    bus_link_send(w->a.link, FRAME_PULSE, bytes_text("x"));
    run_until(w, (stranger_hear(&s), s.heard.len > 0));
    stranger_say(&s, buffer_bytes(&s.heard));
    expect_closed(w, &s, 0, "not genuine");
}

static void test_a_truncated_frame_is_not_handed_up(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    struct buffer b;
    buffer_init(&b, 1000);
    frame_write(&b, s.shake.send_key, 0, FRAME_PULSE, bytes_text("pulse"), NULL);
    stranger_say(&s, bytes_of(b.data, b.len - 1));
    buffer_release(&b);
    world_idle(w, 20);
    assert_int_equal(w->a.downs, 0);
    shutdown(s.fd, SHUT_WR);
    expect_closed(w, &s, 0, "closed the connection");
}

static void header_with_length(uint8_t out[FRAME_HEADER_SIZE], enum frame_type type, uint32_t len)
{
    const uint8_t start[] = {'A', 'i', 'K', 'V', FRAME_VERSION, (uint8_t)type, 0, 0};
    memcpy(out, start, sizeof start);
    for (int i = 0; i < 4; i++) out[8 + i] = (uint8_t)(len >> (8 * i));
    uint32_t crc = crc32c(0, out, 12);
    for (int i = 0; i < 4; i++) out[12 + i] = (uint8_t)(crc >> (8 * i));
}

static void test_an_oversized_frame_is_refused_by_its_header(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    uint8_t header[FRAME_HEADER_SIZE];
    header_with_length(header, FRAME_PULSE, 0xffffffff);
    stranger_say(&s, bytes_of(header, sizeof header));
    expect_closed(w, &s, 0, "over the 1024 allowed");
}

static void test_a_declared_length_reserves_no_memory(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    uint8_t header[FRAME_HEADER_SIZE];
    header_with_length(header, FRAME_RAFT, 40 << 20);
    stranger_say(&s, bytes_of(header, sizeof header));
    run_until(w, w->a.link->input.len == FRAME_HEADER_SIZE);
    assert_true(w->a.link->input.cap < 4096);
    stranger_leave(&s);
}

static void test_bytes_may_dribble(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    struct buffer b;
    buffer_init(&b, 1000);
    for (uint64_t i = 0; i < 3; i++) frame_write(&b, s.shake.send_key, i, FRAME_PULSE, bytes_text("pulse"), NULL);
    for (size_t i = 0; i < b.len; i++) {
        stranger_say(&s, bytes_of(b.data + i, 1));
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    run_until(w, w->a.frames == 3);
    assert_int_equal(w->a.link->input.len, 0);
    buffer_release(&b);
    stranger_leave(&s);
}

static void test_a_client_of_another_protocol_is_hung_up_on(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct stranger s;
    stranger_connect(&s, w->a.port);
    stranger_say(&s, bytes_text("GET / HTTP/1.1\r\n\r\n"));
    run_until(w, (stranger_hear(&s), s.closed));
    assert_int_equal(s.heard.len, 0);
    assert_true(world_logged(w, "does not speak the protocol"));
    stranger_leave(&s);
}

static void test_frames_before_the_handshake_are_refused(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct stranger s;
    stranger_connect(&s, w->a.port);
    stranger_frame(&s, 0, FRAME_PULSE, bytes_text("let me in"));
    run_until(w, (stranger_hear(&s), s.closed));
    assert_int_equal(w->a.ups + w->a.frames, 0);
    stranger_leave(&s);
}

static void test_300_silent_connections_do_not_stop_a_node(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    node_start(w, &w->b, 'b', SECRET, "", 0);
    struct stranger crowd[300];
    for (int i = 0; i < 300; i++) {
        stranger_connect(&crowd[i], w->a.port);
        uv_run(&w->loop, UV_RUN_NOWAIT);
        assert_true(w->a.bus->waiting_count <= BUS_WAITING_MAX);
    }
    node_connect(&w->b, &w->a);
    run_until(w, w->a.link && w->b.link);
    assert_true(world_logged(w, "this was the oldest"));
    for (int i = 0; i < 300; i++) stranger_leave(&crowd[i]);
    /* Nor do they fill the log. */
    char line[2048];
    unsigned lines = 0;
    FILE *f = fopen(w->log_path, "r");
    while (fgets(line, sizeof line, f)) lines++;
    fclose(f);
    assert_true(lines < 150);
}

static void test_a_silent_connection_is_closed_in_time(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    w->a.bus->handshake_ms = 50;
    struct stranger silent, slow;
    stranger_connect(&silent, w->a.port);
    stranger_connect(&slow, w->a.port);
    stranger_say(&slow, bytes_text("AiKB"));
    run_until(w, (stranger_hear(&silent), stranger_hear(&slow), silent.closed && slow.closed));
    assert_int_equal(w->a.bus->waiting_count, 0);
    assert_true(world_logged(w, "no handshake within"));
    stranger_leave(&silent);
    stranger_leave(&slow);
}

static void test_a_node_has_at_most_eight_links(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    struct stranger many[9], other;
    for (int i = 0; i < 9; i++) stranger_handshake(w, &many[i], &w->a, 'c', "");
    run_until(w, (stranger_hear(&many[8]), many[8].closed));
    assert_int_equal(w->a.ups, 8);
    stranger_handshake(w, &other, &w->a, 'd', "");
    run_until(w, w->a.ups == 9);
    for (int i = 0; i < 9; i++) stranger_leave(&many[i]);
    stranger_leave(&other);
    run_until(w, w->a.downs == 9);
    stranger_handshake(w, &many[0], &w->a, 'c', ""); /* room again */
    run_until(w, w->a.ups == 10);
    stranger_leave(&many[0]);
}

static void test_there_are_at_most_links_max_links(void **state)
{
    struct world *w = *state;
    node_start_with(w, &w->a, 'a', 2, 1 << 20);
    struct stranger s[3];
    for (int i = 0; i < 3; i++) stranger_handshake(w, &s[i], &w->a, (char)('c' + i), "");
    run_until(w, (stranger_hear(&s[2]), s[2].closed));
    assert_int_equal(w->a.ups, 2);
    assert_true(world_logged(w, "2 links already"));
    for (int i = 0; i < 3; i++) stranger_leave(&s[i]);
}

static void test_one_who_does_not_read_is_dropped_at_the_bound(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    uint8_t payload[8192] = {0};
    size_t sent = 0;
    while (bus_link_send(w->a.link, FRAME_ANNOUNCE, bytes_of(payload, sizeof payload))) {
        sent += sizeof payload;
        assert_true(sent < 100 << 20); /* what the kernel takes is bounded, too */
        assert_true(w->a.link->output.len + uv_stream_get_write_queue_size((uv_stream_t *)&w->a.link->tcp) <= 1 << 20);
        if (sent % (sizeof payload * 16) == 0) uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(w->a.downs, 0); /* never from within */
    run_until(w, w->a.downs == 1);
    assert_true(world_logged(w, "does not read"));
    stranger_leave(&s);
}

static void test_a_second_large_frame_waits_for_the_first(void **state)
{
    struct world *w = *state;
    struct stranger s;
    link_stranger(w, &s);
    size_t len = 30 << 20;
    uint8_t *payload = calloc(1, len);
    assert_true(bus_link_send(w->a.link, FRAME_METADATA_SNAPSHOT, bytes_of(payload, len)));
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_true(bus_link_send(w->a.link, FRAME_PULSE, bytes_text("behind it")));
    assert_false(bus_link_send(w->a.link, FRAME_METADATA_SNAPSHOT, bytes_of(payload, len)));
    run_until(w, w->a.downs == 1);
    free(payload);
    stranger_leave(&s);
}

static void test_running_out_of_descriptors_pauses_accepting(void **state)
{
    struct world *w = *state;
    node_start(w, &w->a, 'a', SECRET, "", 0);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    struct stranger s;
    stranger_connect(&s, w->a.port);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){(rlim_t)s.fd, before.rlim_max}; /* all lower ones are taken, or accept would use them */
    int taken[64], count = 0;
    while (count < 64) {
        int fd = dup(s.fd);
        if (fd > s.fd) {
            close(fd);
            break;
        }
        taken[count++] = fd;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_until(w, uv_is_active((uv_handle_t *)&w->a.bus->accept_pause));
    assert_false(uv_is_active((uv_handle_t *)&w->a.bus->acceptable));
    setrlimit(RLIMIT_NOFILE, &before);
    while (count) close(taken[--count]);
    run_until(w, w->a.bus->waiting_count == 1);
    assert_true(world_logged(w, "bus cannot accept"));
    stranger_leave(&s);
}

int bus_hostile_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_replayed_frame_closes_the_link),
        TEST(test_a_dropped_frame_closes_the_link),
        cmocka_unit_test(test_a_changed_frame_closes_the_link),
        TEST(test_a_frame_sent_back_to_its_sender_closes_the_link),
        TEST(test_a_truncated_frame_is_not_handed_up),
        TEST(test_an_oversized_frame_is_refused_by_its_header),
        TEST(test_a_declared_length_reserves_no_memory),
        TEST(test_bytes_may_dribble),
        TEST(test_a_client_of_another_protocol_is_hung_up_on),
        TEST(test_frames_before_the_handshake_are_refused),
        TEST(test_300_silent_connections_do_not_stop_a_node),
        TEST(test_a_silent_connection_is_closed_in_time),
        TEST(test_a_node_has_at_most_eight_links),
        TEST(test_there_are_at_most_links_max_links),
        TEST(test_one_who_does_not_read_is_dropped_at_the_bound),
        TEST(test_a_second_large_frame_waits_for_the_first),
        TEST(test_running_out_of_descriptors_pauses_accepting),
    };
    return cmocka_run_group_tests_name("bus, hostile", tests, NULL, NULL);
}
