/* The state machine that libraft drives: cluster_state.
 *
 *   entry     length(4) · command as encoded · zeros up to a multiple of 8 (raft_uv refuses other lengths)
 *   snapshot  CRC-32C of what follows(4) · state as encoded; libraft has a checksum for its log, none for this */
#include "base/crc.h"
#include "base/log.h"
#include "meta/member.h"
#include "meta/wire.h"

bool meta_machine_entry(struct bytes command, struct raft_buffer *out)
{
    size_t len = (4 + command.len + 7) & ~(size_t)7;
    if (command.len > META_WIRE_ENTRY_MAX || len > META_WIRE_ENTRY_MAX) return false;
    struct buffer b;
    buffer_init(&b, len);
    write_bytes(&b, command);
    out->base = raft_calloc(1, len);
    out->len = len;
    bool done = out->base && !b.failed;
    if (done) {
        memcpy(out->base, b.data, b.len);
    } else {
        raft_free(out->base);
    }
    buffer_release(&b);
    return done;
}

/* What is no command in there is none to the state machine either: every member refuses it alike. */
static struct bytes command_of(const struct raft_buffer *entry)
{
    struct reader r = reader_of(bytes_of(entry->base, entry->len));
    struct bytes command = read_bytes(&r, META_WIRE_ENTRY_MAX);
    return r.failed || reader_left(&r) >= 8 ? (struct bytes){0} : command;
}

static int machine_apply(struct raft_fsm *fsm, const struct raft_buffer *entry, void **result)
{
    struct meta *m = fsm->data;
    struct bytes command = command_of(entry);
    struct cluster_result r = {0};
    cluster_apply(m->state, command, &r);
    meta_proposals_applied(m, m->raft.last_applied + 1, &r); /* libraft counts up after this returns */
    *result = NULL;
    m->handler.applied(m->handler.user, command, &r);
    meta_wake(m);
    return 0;
}

static int machine_snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    struct meta *m = fsm->data;
    struct buffer b;
    buffer_init(&b, META_WIRE_SNAPSHOT_MAX);
    write_u32(&b, 0);
    cluster_state_encode(m->state, &b);
    *bufs = raft_malloc(sizeof(**bufs));
    void *data = b.failed ? NULL : raft_malloc(b.len);
    if (!*bufs || !data) {
        log_error("cannot take a snapshot of the metadata", "bytes=%zu", b.len);
        raft_free(*bufs);
        raft_free(data);
        buffer_release(&b);
        return RAFT_NOMEM; /* libraft goes on without one, and tries again at the next commit */
    }
    uint32_t crc = crc32c(0, b.data + 4, b.len - 4);
    for (unsigned i = 0; i < 4; i++) b.data[i] = (uint8_t)(crc >> 8 * i);
    memcpy(data, b.data, b.len);
    **bufs = (struct raft_buffer){data, b.len};
    *n_bufs = 1;
    m->snapshots++;
    buffer_release(&b);
    return 0;
}

static int snapshot_decode(struct bytes data, struct cluster_state **out, struct error *e)
{
    struct reader r = reader_of(data);
    uint32_t crc = read_u32(&r);
    struct bytes state = read_raw(&r, reader_left(&r));
    if (r.failed || crc32c(0, state.data, state.len) != crc) {
        return error_set(e, ERROR_FORMAT, "the metadata snapshot of %zu bytes is damaged", data.len);
    }
    return cluster_state_decode(state, out, e);
}

int meta_machine_check_snapshot(const struct meta *m, struct bytes data, struct error *e)
{
    struct cluster_state *s;
    int code = snapshot_decode(data, &s, e);
    if (code) return code;
    if (m->state->id[0] && strcmp(m->state->id, s->id) != 0) {
        code = error_set(e, ERROR_FOREIGN, "a snapshot of cluster %s, this is %s", s->id, m->state->id);
    }
    cluster_state_free(s);
    return code;
}

/* Takes over `buf` when it succeeds. */
static int machine_restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    struct meta *m = fsm->data;
    struct cluster_state *s;
    struct error e = {0};
    if (snapshot_decode(bytes_of(buf->base, buf->len), &s, &e)) {
        meta_fail(m, ERROR_FORMAT, "%s", e.text);
        return RAFT_CORRUPT;
    }
    cluster_state_free(m->state);
    m->state = s;
    raft_free(buf->base);
    m->snapshots++;
    if (m->open) m->handler.replaced(m->handler.user);
    meta_wake(m);
    return 0;
}

void meta_machine_init(struct meta *m)
{
    m->fsm = (struct raft_fsm){
        .version = 1,
        .data = m,
        .apply = machine_apply,
        .snapshot = machine_snapshot,
        .restore = machine_restore,
    };
}
