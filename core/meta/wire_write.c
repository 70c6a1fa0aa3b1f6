/* Encoding libraft's messages. */
#include <inttypes.h>
#include <stdio.h>

#include "meta/wire.h"

void meta_wire_address(uint64_t raft_id, char out[META_WIRE_ADDRESS_SIZE])
{
    snprintf(out, META_WIRE_ADDRESS_SIZE, "%" PRIu64, raft_id);
}

static void write_header(struct buffer *b, unsigned type, uint8_t version, unsigned flags, uint64_t term)
{
    buffer_clear(b);
    write_u8(b, META_WIRE_FORMAT);
    write_u8(b, (uint8_t)type);
    write_u8(b, version);
    write_u8(b, (uint8_t)flags);
    write_u64(b, term);
}

static bool emit_whole(struct buffer *b, meta_wire_emit emit, void *user)
{
    if (b->failed || b->len > META_WIRE_MESSAGE_MAX) {
        return false;
    }
    emit(user, buffer_bytes(b));
    return true;
}

/* How many of the entries from `first` go into one part; 0 if the first one is too large for any. */
static unsigned part_length(const struct raft_append_entries *p, unsigned first)
{
    size_t size = 0;
    unsigned i;
    for (i = first; i < p->n_entries && i - first < META_WIRE_ENTRIES_MAX; i++) {
        size_t len = p->entries[i].buf.len;
        if (len > META_WIRE_ENTRY_MAX ||
            (i > first && (p->entries[i].type == RAFT_CHANGE || size + len > META_WIRE_PART_MAX))) {
            break;
        }
        size += len;
    }
    return i - first;
}

static bool write_append_entries(const struct raft_append_entries *p, struct buffer *b, meta_wire_emit emit, void *user)
{
    unsigned first = 0;
    do {
        unsigned n = part_length(p, first);
        if (n == 0 && p->n_entries > 0) {
            return false;
        }
        write_header(b, RAFT_APPEND_ENTRIES, p->version, 0, p->term);
        write_u64(b, p->prev_log_index + first);
        write_u64(b, first == 0 ? p->prev_log_term : p->entries[first - 1].term);
        write_u64(b, p->leader_commit);
        write_u32(b, n);
        for (unsigned i = first; i < first + n; i++) {
            write_u64(b, p->entries[i].term);
            write_u8(b, (uint8_t)p->entries[i].type);
            write_bytes(b, bytes_of(p->entries[i].buf.base, p->entries[i].buf.len));
        }
        if (!emit_whole(b, emit, user)) {
            return false;
        }
        first += n;
    } while (first < p->n_entries);
    return true;
}

static bool write_install_snapshot(const struct raft_install_snapshot *p, struct buffer *b, meta_wire_emit emit,
                                   void *user)
{
    write_header(b, RAFT_INSTALL_SNAPSHOT, p->version, 0, p->term);
    write_u64(b, p->last_index);
    write_u64(b, p->last_term);
    write_u64(b, p->conf_index);
    write_u32(b, p->conf.n);
    for (unsigned i = 0; i < p->conf.n; i++) {
        write_u64(b, p->conf.servers[i].id);
        write_u8(b, (uint8_t)p->conf.servers[i].role);
    }
    write_bytes(b, bytes_of(p->data.base, p->data.len));
    return emit_whole(b, emit, user);
}

bool meta_wire_write(const struct raft_message *message, struct buffer *scratch, meta_wire_emit emit, void *user)
{
    switch (message->type) {
    case RAFT_APPEND_ENTRIES: return write_append_entries(&message->append_entries, scratch, emit, user);
    case RAFT_INSTALL_SNAPSHOT: return write_install_snapshot(&message->install_snapshot, scratch, emit, user);
    case RAFT_APPEND_ENTRIES_RESULT: {
        const struct raft_append_entries_result *p = &message->append_entries_result;
        write_header(scratch, message->type, p->version, 0, p->term);
        write_u64(scratch, p->rejected);
        write_u64(scratch, p->last_log_index);
        write_u16(scratch, p->features);
        write_u16(scratch, p->capacity);
        return emit_whole(scratch, emit, user);
    }
    case RAFT_REQUEST_VOTE: { /* the candidate is the sender */
        const struct raft_request_vote *p = &message->request_vote;
        write_header(scratch, message->type, p->version, (p->disrupt_leader ? 1u : 0) | (p->pre_vote ? 2u : 0),
                     p->term);
        write_u64(scratch, p->last_log_index);
        write_u64(scratch, p->last_log_term);
        return emit_whole(scratch, emit, user);
    }
    case RAFT_REQUEST_VOTE_RESULT: {
        const struct raft_request_vote_result *p = &message->request_vote_result;
        write_header(scratch, message->type, p->version, (p->vote_granted ? 1u : 0) | (p->pre_vote ? 2u : 0), p->term);
        write_u16(scratch, p->features);
        write_u16(scratch, p->capacity);
        return emit_whole(scratch, emit, user);
    }
    case RAFT_TIMEOUT_NOW: {
        const struct raft_timeout_now *p = &message->timeout_now;
        write_header(scratch, message->type, p->version, 0, p->term);
        write_u64(scratch, p->last_log_index);
        write_u64(scratch, p->last_log_term);
        return emit_whole(scratch, emit, user);
    }
    }
    return false; /* a type of a newer libraft: dropping is what its header asks for */
}
