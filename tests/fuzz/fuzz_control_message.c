/* Payloads of control's frames from outside: the first byte chooses the frame type, the rest is its payload. */
#include <stdlib.h>

#include "control/message.h"

static void read_call(struct bytes in, struct error *e)
{
    struct message_call m;
    if (message_call_read(in, &m, e) != 0) return;
    size_t sum = 0;
    for (int i = 0; i < m.argc; i++) sum += m.argv[i].len;
    if (sum > in.len) abort();
    free(m.argv);
}

static void read_delta(struct bytes in, struct error *e)
{
    struct message_delta m;
    if (message_delta_read(in, &m, e) != 0) return;
    struct reader r = reader_of(m.commands);
    for (uint32_t i = 0; i < m.count; i++) read_bytes(&r, m.commands.len);
    if (!reader_done(&r)) abort();
}

/* What was read is written as it was. */
static void read_announce(struct bytes in, struct error *e)
{
    struct message_announce m;
    if (message_announce_read(in, &m, e) != 0) return;
    struct buffer b;
    buffer_init(&b, in.len);
    message_announce_write(&b, &m);
    if (!bytes_equal(buffer_bytes(&b), in)) abort();
    buffer_release(&b);
}

/* What was read holds its bounds, and is written as it was. */
static void read_load(struct bytes in, struct error *e)
{
    struct message_load m;
    struct message_load_slot slot;
    if (message_load_read(in, &m, e) != 0) return;
    struct buffer slots, b;
    unsigned after = 0;
    buffer_init(&slots, in.len);
    buffer_init(&b, in.len);
    struct message_load_reader r = message_load_slots(&m);
    while (message_load_next(&r, &slot)) {
        if (slot.slot >= CLUSTER_SLOTS || slot.keys > CLUSTER_LOAD_MAX || slot.bytes > CLUSTER_LOAD_MAX || slot.milliops > CLUSTER_LOAD_MAX) abort();
        message_load_slot_write(&slots, &after, &slot);
    }
    m.slots = buffer_bytes(&slots);
    message_load_write(&b, &m);
    if (!bytes_equal(buffer_bytes(&b), in)) abort();
    buffer_release(&slots);
    buffer_release(&b);
}

/* What was read is written as it was. */
static void read_publish(struct bytes in, struct error *e)
{
    struct message_publish m;
    if (message_publish_read(in, &m, e) != 0) return;
    struct buffer b;
    buffer_init(&b, in.len);
    message_publish_write(&b, &m);
    if (!bytes_equal(buffer_bytes(&b), in)) abort();
    buffer_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    struct error e;
    struct cluster_node_info info;
    struct message_pulse pulse;
    struct message_pulse_ack ack;
    struct message_snapshot snapshot;
    struct message_call_reply reply;
    struct message_raft raft;
    struct message_load_ack load_ack;
    switch (data[0] % 12) {
    case 0: read_announce(in, &e); break;
    case 1: message_pulse_read(in, &pulse, &e); break;
    case 2: message_pulse_ack_read(in, &ack, &e); break;
    case 3: message_snapshot_read(in, &snapshot, &e); break;
    case 4: read_delta(in, &e); break;
    case 5: read_call(in, &e); break;
    case 6: message_call_reply_read(in, &reply, &e); break;
    case 7: message_candidate_read(in, &info, &e); break;
    case 9: read_load(in, &e); break;
    case 10: message_load_ack_read(in, &load_ack, &e); break;
    case 11: read_publish(in, &e); break;
    default: message_raft_read(in, &raft, &e); break;
    }
    return 0;
}
