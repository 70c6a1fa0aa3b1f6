#include "control/message.h"

#include <stdlib.h>

/* What is behind the last field is an error as well: a sender of another version is told so, not half understood. */
static int finish(const struct reader *r, const char *what, struct error *e)
{
    if (reader_done(r)) return 0;
    return error_set(e, ERROR_FORMAT, "a %s frame of %zu bytes does not parse at byte %zu", what, r->len, r->at);
}

bool message_is_id(const char *text)
{
    return strlen(text) == CLUSTER_ID_LEN && strspn(text, "0123456789abcdef") == CLUSTER_ID_LEN;
}

static int check_id_or_none(const char *id, const char *field, struct error *e)
{
    if (!id[0] || message_is_id(id)) return 0;
    return error_set(e, ERROR_FORMAT, "an ANNOUNCE frame whose %s is not 40 hex digits", field);
}

void message_announce_write(struct buffer *b, const struct message_announce *m)
{
    cluster_node_info_write(b, &m->info);
    write_text(b, m->cluster_id);
    write_text(b, m->leader);
}

int message_announce_read(struct bytes in, struct message_announce *out, struct error *e)
{
    struct reader r = reader_of(in);
    int code = cluster_node_info_read(&r, &out->info, e);
    if (code) return code;
    read_text(&r, out->cluster_id, sizeof out->cluster_id);
    read_text(&r, out->leader, sizeof out->leader);
    if ((code = finish(&r, "ANNOUNCE", e))) return code;
    if ((code = check_id_or_none(out->cluster_id, "cluster id", e))) return code;
    return check_id_or_none(out->leader, "leader", e);
}

void message_pulse_write(struct buffer *b, const struct message_pulse *m)
{
    write_u64(b, m->term);
    write_u64(b, m->sequence);
    write_u64(b, m->version);
}

int message_pulse_read(struct bytes in, struct message_pulse *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->term = read_u64(&r);
    out->sequence = read_u64(&r);
    out->version = read_u64(&r);
    return finish(&r, "PULSE", e);
}

void message_pulse_ack_write(struct buffer *b, const struct message_pulse_ack *m)
{
    write_u64(b, m->sequence);
    write_u64(b, m->version);
}

int message_pulse_ack_read(struct bytes in, struct message_pulse_ack *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->sequence = read_u64(&r);
    out->version = read_u64(&r);
    return finish(&r, "PULSE_ACK", e);
}

void message_snapshot_write(struct buffer *b, const struct message_snapshot *m)
{
    write_u64(b, m->term);
    write_u64(b, m->sequence);
    write_bytes(b, m->state);
}

int message_snapshot_read(struct bytes in, struct message_snapshot *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->term = read_u64(&r);
    out->sequence = read_u64(&r);
    out->state = read_bytes(&r, CLUSTER_ENCODED_MAX);
    return finish(&r, "METADATA_SNAPSHOT", e);
}

void message_delta_write(struct buffer *b, const struct message_delta *m)
{
    write_u64(b, m->term);
    write_u64(b, m->sequence);
    write_u64(b, m->from_version);
    write_u32(b, m->count);
    buffer_append(b, m->commands.data, m->commands.len);
}

int message_delta_read(struct bytes in, struct message_delta *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->term = read_u64(&r);
    out->sequence = read_u64(&r);
    out->from_version = read_u64(&r);
    out->count = read_u32(&r);
    size_t at = r.at;
    for (uint32_t i = 0; i < out->count && !r.failed; i++) read_bytes(&r, in.len);
    out->commands = bytes_of(in.data ? in.data + at : NULL, r.at - at);
    return finish(&r, "METADATA_DELTA", e);
}

void message_call_write(struct buffer *b, const struct message_call *m)
{
    write_u64(b, m->request);
    write_u8(b, (uint8_t)m->protocol);
    write_u32(b, (uint32_t)m->argc);
    for (int i = 0; i < m->argc; i++) write_bytes(b, m->argv[i]);
}

int message_call_read(struct bytes in, struct message_call *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->request = read_u64(&r);
    out->protocol = read_u8(&r);
    uint32_t count = read_count(&r, MESSAGE_ARGS_MAX, 4);
    out->argc = (int)count;
    out->argv = NULL;
    if (!r.failed && (count < 2 || (out->protocol != 2 && out->protocol != 3)))
        return error_set(e, ERROR_FORMAT, "a CALL frame with %u arguments in protocol %d", count, out->protocol);
    struct bytes *argv = calloc(count ? count : 1, sizeof *argv);
    if (!argv) return error_set(e, ERROR_OOM, "no memory for a call of %u arguments", count);
    for (uint32_t i = 0; i < count; i++) argv[i] = read_bytes(&r, in.len);
    int code = finish(&r, "CALL", e);
    if (code) {
        free(argv);
        return code;
    }
    out->argv = argv;
    return 0;
}

void message_call_reply_write(struct buffer *b, const struct message_call_reply *m)
{
    write_u64(b, m->request);
    write_u8(b, (uint8_t)m->outcome);
    write_bytes(b, m->reply);
}

int message_call_reply_read(struct bytes in, struct message_call_reply *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->request = read_u64(&r);
    uint8_t outcome = read_u8(&r);
    out->reply = read_bytes(&r, in.len);
    if (outcome > MESSAGE_NOT_LEADER)
        return error_set(e, ERROR_FORMAT, "a CALL_REPLY frame with the unknown outcome %u", outcome);
    out->outcome = (enum message_outcome)outcome;
    return finish(&r, "CALL_REPLY", e);
}

int message_candidate_read(struct bytes in, struct cluster_node_info *out, struct error *e)
{
    struct reader r = reader_of(in);
    int code = cluster_node_info_read(&r, out, e);
    return code ? code : finish(&r, "CANDIDATE", e);
}

void message_raft_write(struct buffer *b, const struct message_raft *m)
{
    write_u64(b, m->to);
    write_u64(b, m->from);
    buffer_append(b, m->message.data, m->message.len);
}

int message_raft_read(struct bytes in, struct message_raft *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->to = read_u64(&r);
    out->from = read_u64(&r);
    out->message = read_raw(&r, reader_left(&r));
    return finish(&r, "RAFT", e);
}

/* ---- load ---- */

/* In the order of the frame. */
#define NODE_NUMBERS 7
static void node_numbers(struct cluster_node_load *n, uint64_t *out[NODE_NUMBERS])
{
    uint64_t *all[] = {&n->keys, &n->milliops, &n->uptime_ms, &n->disk_bytes, &n->disk_limit_bytes, &n->memory_bytes, &n->memory_limit_bytes};
    memcpy(out, all, sizeof all);
}

void message_load_slot_write(struct buffer *b, unsigned *after, const struct message_load_slot *s)
{
    write_varint(b, s->slot - *after);
    write_varint(b, s->keys);
    write_varint(b, s->bytes);
    write_varint(b, s->milliops);
    *after = s->slot + 1;
}

void message_load_write(struct buffer *b, const struct message_load *m)
{
    struct cluster_node_load node = m->node;
    uint64_t *numbers[NODE_NUMBERS];
    node_numbers(&node, numbers);
    write_u64(b, m->sequence);
    for (size_t i = 0; i < NODE_NUMBERS; i++) write_u64(b, *numbers[i]);
    write_u32(b, m->count);
    buffer_append(b, m->slots.data, m->slots.len);
}

struct message_load_reader message_load_slots(const struct message_load *m)
{
    return (struct message_load_reader){.in = reader_of(m->slots)};
}

bool message_load_next(struct message_load_reader *r, struct message_load_slot *out)
{
    if (!reader_left(&r->in)) return false;
    uint64_t left_out = read_varint(&r->in);
    out->keys = read_varint(&r->in);
    out->bytes = read_varint(&r->in);
    out->milliops = read_varint(&r->in);
    bool fits = left_out < CLUSTER_SLOTS - r->after && out->keys <= CLUSTER_LOAD_MAX && out->bytes <= CLUSTER_LOAD_MAX &&
                out->milliops <= CLUSTER_LOAD_MAX;
    if (!fits) r->in.failed = true;
    if (r->in.failed) return false;
    out->slot = r->after + (unsigned)left_out;
    r->after = out->slot + 1;
    return true;
}

int message_load_read(struct bytes in, struct message_load *out, struct error *e)
{
    struct reader r = reader_of(in);
    uint64_t *numbers[NODE_NUMBERS], most = 0;
    node_numbers(&out->node, numbers);
    out->sequence = read_u64(&r);
    for (size_t i = 0; i < NODE_NUMBERS; i++) {
        *numbers[i] = read_u64(&r);
        if (*numbers[i] > most) most = *numbers[i];
    }
    out->count = read_u32(&r);
    out->slots = read_raw(&r, reader_left(&r));
    if (!r.failed && most > CLUSTER_LOAD_MAX * CLUSTER_SLOTS)
        return error_set(e, ERROR_FORMAT, "a LOAD frame that tells of %llu", (unsigned long long)most);
    struct message_load_reader slots = message_load_slots(out);
    struct message_load_slot slot;
    uint32_t count = 0;
    while (!r.failed && message_load_next(&slots, &slot)) count++;
    if (slots.in.failed || (!r.failed && count != out->count))
        return error_set(e, ERROR_FORMAT, "a LOAD frame of %u slots has other ones behind the first %u", out->count, count);
    return finish(&r, "LOAD", e);
}

void message_load_ack_write(struct buffer *b, const struct message_load_ack *m)
{
    write_u64(b, m->sequence);
}

int message_load_ack_read(struct bytes in, struct message_load_ack *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->sequence = read_u64(&r);
    return finish(&r, "LOAD_ACK", e);
}

void message_publish_write(struct buffer *b, const struct message_publish *m)
{
    write_bytes(b, m->channel);
    write_bytes(b, m->text);
}

int message_publish_read(struct bytes in, struct message_publish *out, struct error *e)
{
    struct reader r = reader_of(in);
    out->channel = read_bytes(&r, in.len);
    out->text = read_bytes(&r, in.len);
    return finish(&r, "PUBLISH", e);
}
