/* The payloads of frames: what is written is read; what is not whole, or more, is refused. */
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "control/message.h"

static struct cluster_node_info sample_info(void)
{
    struct cluster_node_info i = {.alias = 2, .bus_port = 50052, .incarnation = 7, .endpoint_count = 1};
    random_hex(i.id, CLUSTER_ID_LEN);
    snprintf(i.name, sizeof i.name, "aikv2");
    snprintf(i.version, sizeof i.version, "0.1.0");
    snprintf(i.bus_host, sizeof i.bus_host, "aikv2");
    snprintf(i.endpoints[0].match, sizeof i.endpoints[0].match, "any");
    snprintf(i.endpoints[0].host, sizeof i.endpoints[0].host, "10.0.0.2");
    i.endpoints[0].port = 6380;
    return i;
}

/* Every reader, with what it leaves to free. */
static int read_as(int kind, struct bytes in, struct error *e)
{
    static struct message_announce announce;
    static struct cluster_node_info info;
    struct message_pulse pulse;
    struct message_pulse_ack ack;
    struct message_snapshot snapshot;
    struct message_delta delta;
    struct message_call call;
    struct message_call_reply reply;
    struct message_raft raft;
    struct message_load load;
    struct message_load_ack load_ack;
    struct message_publish publish;
    int code;
    switch (kind) {
    case 0: return message_announce_read(in, &announce, e);
    case 1: return message_pulse_read(in, &pulse, e);
    case 2: return message_pulse_ack_read(in, &ack, e);
    case 3: return message_snapshot_read(in, &snapshot, e);
    case 4: return message_delta_read(in, &delta, e);
    case 5:
        code = message_call_read(in, &call, e);
        if (code == 0) free(call.argv);
        return code;
    case 6: return message_call_reply_read(in, &reply, e);
    case 7: return message_candidate_read(in, &info, e);
    case 8: return message_load_read(in, &load, e);
    case 9: return message_load_ack_read(in, &load_ack, e);
    case 10: return message_publish_read(in, &publish, e);
    default: return message_raft_read(in, &raft, e);
    }
}
#define KINDS 12

static const struct message_load_slot load_slots[] = {{0, 1, 2, 3}, {1, 0, 0, 0}, {16383, CLUSTER_LOAD_MAX, CLUSTER_LOAD_MAX, CLUSTER_LOAD_MAX}};

static void write_load(struct buffer *b)
{
    struct buffer slots;
    unsigned after = 0;
    buffer_init(&slots, 3 * MESSAGE_LOAD_SLOT_MAX);
    for (int i = 0; i < 3; i++) message_load_slot_write(&slots, &after, &load_slots[i]);
    message_load_write(b, &(struct message_load){5, {1, 2, 3, 4, 5, 6, 7}, 3, buffer_bytes(&slots)});
    buffer_release(&slots);
}

static void write_sample(int kind, struct buffer *b)
{
    struct cluster_node_info info = sample_info();
    struct message_announce announce = {.info = info};
    struct bytes argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text("")};
    struct buffer commands;
    random_hex(announce.cluster_id, CLUSTER_ID_LEN);
    switch (kind) {
    case 0: message_announce_write(b, &announce); break;
    case 1: message_pulse_write(b, &(struct message_pulse){1, 2, 3}); break;
    case 2: message_pulse_ack_write(b, &(struct message_pulse_ack){1, 2}); break;
    case 3: message_snapshot_write(b, &(struct message_snapshot){1, 2, bytes_text("state")}); break;
    case 4:
        buffer_init(&commands, 100);
        write_text(&commands, "one");
        write_text(&commands, "two");
        message_delta_write(b, &(struct message_delta){1, 2, 3, 2, buffer_bytes(&commands)});
        buffer_release(&commands);
        break;
    case 5: message_call_write(b, &(struct message_call){9, 3, 3, argv}); break;
    case 6:
        message_call_reply_write(b, &(struct message_call_reply){9, MESSAGE_NOT_LEADER, bytes_text("+OK\r\n")});
        break;
    case 7: cluster_node_info_write(b, &info); break;
    case 8: write_load(b); break;
    case 9: message_load_ack_write(b, &(struct message_load_ack){9}); break;
    case 10: message_publish_write(b, &(struct message_publish){bytes_text("channel"), bytes_text("text")}); break;
    default: message_raft_write(b, &(struct message_raft){1, 2, bytes_text("raft")}); break;
    }
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct buffer b;
        struct error e = {0};
        buffer_init(&b, 100000);
        write_sample(kind, &b);
        assert_false(b.failed);
        if (read_as(kind, buffer_bytes(&b), &e) != 0) fail_msg("kind %d: %s", kind, e.text);
        buffer_release(&b);
    }
}

static void test_a_cut_payload_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS - 1; kind++) { /* RAFT ends with bytes that are not its own business */
        struct buffer b;
        struct error e = {0};
        buffer_init(&b, 100000);
        write_sample(kind, &b);
        for (size_t len = 0; len < b.len; len++) assert_int_not_equal(read_as(kind, bytes_of(b.data, len), &e), 0);
        buffer_release(&b);
    }
}

static void test_a_payload_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS - 1; kind++) {
        struct buffer b;
        struct error e = {0};
        buffer_init(&b, 100000);
        write_sample(kind, &b);
        write_u8(&b, 0);
        assert_int_not_equal(read_as(kind, buffer_bytes(&b), &e), 0);
        buffer_release(&b);
    }
}

static void test_a_calls_arguments_are_read_as_they_were(void **state)
{
    (void)state;
    struct buffer b;
    struct error e;
    struct message_call call;
    buffer_init(&b, 1000);
    write_sample(5, &b);
    assert_int_equal(message_call_read(buffer_bytes(&b), &call, &e), 0);
    assert_int_equal(call.argc, 3);
    assert_int_equal(call.protocol, 3);
    assert_true(bytes_equal(call.argv[1], bytes_text("SCRIPT")));
    assert_int_equal(call.argv[2].len, 0);
    free(call.argv);
    buffer_release(&b);
}

static void test_a_delta_holds_as_many_commands_as_it_says(void **state)
{
    (void)state;
    struct buffer b;
    struct error e;
    struct message_delta d;
    buffer_init(&b, 1000);
    write_sample(4, &b);
    assert_int_equal(message_delta_read(buffer_bytes(&b), &d, &e), 0);
    struct reader r = reader_of(d.commands);
    assert_true(bytes_equal(read_bytes(&r, 100), bytes_text("one")));
    assert_true(bytes_equal(read_bytes(&r, 100), bytes_text("two")));
    assert_true(reader_done(&r));
    b.data[24] = 3; /* the count */
    assert_int_equal(message_delta_read(buffer_bytes(&b), &d, &e), ERROR_FORMAT);
    buffer_release(&b);
}

static void test_loads_are_read_as_they_were(void **state)
{
    (void)state;
    struct buffer b;
    struct error e;
    struct message_load m;
    struct message_load_slot slot;
    buffer_init(&b, 1000);
    write_load(&b);
    assert_int_equal(message_load_read(buffer_bytes(&b), &m, &e), 0);
    assert_int_equal(m.sequence, 5);
    assert_memory_equal(&m.node, (&(struct cluster_node_load){1, 2, 3, 4, 5, 6, 7}), sizeof m.node);
    struct message_load_reader r = message_load_slots(&m);
    for (int i = 0; i < 3; i++) {
        assert_true(message_load_next(&r, &slot));
        assert_int_equal(slot.slot, load_slots[i].slot);
        assert_true(slot.keys == load_slots[i].keys && slot.bytes == load_slots[i].bytes && slot.milliops == load_slots[i].milliops);
    }
    assert_false(message_load_next(&r, &slot));
    buffer_release(&b);
}

/* A frame with the slots of `text`, which are said to be `count`. */
static int read_slots(uint32_t count, const char *text, size_t len)
{
    struct buffer b;
    struct error e;
    struct message_load m;
    buffer_init(&b, 1000);
    message_load_write(&b, &(struct message_load){.count = count, .slots = bytes_of(text, len)});
    int code = message_load_read(buffer_bytes(&b), &m, &e);
    buffer_release(&b);
    return code;
}

static void test_slots_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char last[] = "\xff\x7f\1\1\1";        /* 16383 slots left out */
    static const char past[] = "\x80\x80\1\1\1\1";      /* 16384 */
    static const char behind[] = "\xff\x7f\1\1\1\0\1\1\1"; /* and one more */
    static const char large[] = "\0\x81\x80\x80\x80\x80\x80\x40\1\1"; /* keys: 2^48 + 1 */
    assert_int_equal(read_slots(1, last, sizeof last - 1), 0);
    assert_int_equal(read_slots(1, past, sizeof past - 1), ERROR_FORMAT);
    assert_int_equal(read_slots(2, behind, sizeof behind - 1), ERROR_FORMAT);
    assert_int_equal(read_slots(1, large, sizeof large - 1), ERROR_FORMAT);
    assert_int_equal(read_slots(2, last, sizeof last - 1), ERROR_FORMAT);
    assert_int_equal(read_slots(0, last, sizeof last - 1), ERROR_FORMAT);
    struct buffer b;
    struct error e;
    struct message_load m;
    buffer_init(&b, 1000);
    message_load_write(&b, &(struct message_load){.node = {.disk_bytes = UINT64_MAX}}); /* Lua's integers do not hold it */
    assert_int_equal(message_load_read(buffer_bytes(&b), &m, &e), ERROR_FORMAT);
    buffer_release(&b);
}

static void test_random_bytes_never_do_harm(void **state)
{
    (void)state;
    uint64_t seed;
    const char *given = getenv("AIKV_SEED");
    if (given)
        seed = strtoull(given, NULL, 0);
    else
        random_bytes(&seed, sizeof seed);
    print_message("AIKV_SEED=%llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        struct buffer b;
        struct error e;
        int kind = (int)random_below(&seed, KINDS);
        buffer_init(&b, 100000);
        write_sample(kind, &b);
        for (uint64_t n = random_below(&seed, 4); n > 0; n--)
            b.data[random_below(&seed, b.len)] = (uint8_t)random_next(&seed);
        read_as(kind, bytes_of(b.data, random_below(&seed, b.len + 1)), &e);
        buffer_release(&b);
    }
}

int message_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_cut_payload_is_refused),
        cmocka_unit_test(test_a_payload_with_more_behind_it_is_refused),
        cmocka_unit_test(test_a_calls_arguments_are_read_as_they_were),
        cmocka_unit_test(test_a_delta_holds_as_many_commands_as_it_says),
        cmocka_unit_test(test_loads_are_read_as_they_were),
        cmocka_unit_test(test_slots_that_cannot_be_are_refused),
        cmocka_unit_test(test_random_bytes_never_do_harm),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
