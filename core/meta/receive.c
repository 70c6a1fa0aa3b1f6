/* Messages from other members: what may go into libraft, and in which form.
 *
 * A message that is wrong by itself was refused in wire_read.c. Here it is held against this member's log, term and
 * configuration. libraft 0.22.1 states most of this in assertions, which are compiled out; what it does then is named
 * at each check. */
#include <inttypes.h>

#include "meta/member.h"
#include "meta/wire.h"

/* Raft ids that can have been given out since the last entry we have. */
#define RAFT_ID_JUMP_MAX 1024

uint64_t meta_term_of(const struct raft *r, uint64_t index)
{
    const struct raft_trail *t = &r->trail;
    unsigned count = t->front <= t->back ? t->back - t->front : t->size - t->front + t->back;
    if (index == 0) return 0;
    if (index > t->offset) {
        for (unsigned i = 0; i < count; i++) {
            unsigned at = (t->front + i) % t->size;
            if (index <= t->records[at].index) return t->records[at].term;
        }
    }
    return index == t->snapshot.index ? t->snapshot.term : 0;
}

/* ---- who may speak ---- */

static bool in_configuration(const struct raft *r, uint64_t raft_id)
{
    for (unsigned i = 0; i < r->configuration.n; i++) {
        if (r->configuration.servers[i].id == raft_id) return true;
    }
    return false;
}

/* A member that is behind may not have heard of the one that leads by now, and must listen to it in order to catch up.
 * Raft ids are counted up and never used again: one from the counter's end on may be newer than all we know; one before
 * it that is no node's was taken away. One that has no role here may have one by now, and lead; but its wish to lead
 * counts only where nobody does. Nobody but a leader, or who wants to be one, speaks to a member that does not know it;
 * what else a node says that has left libraft's configuration, or is not in it yet, is dropped without blame. */
static int check_sender(const struct meta *m, uint64_t from, enum raft_message_type type, bool *drop, struct error *e)
{
    bool seeks = type == RAFT_APPEND_ENTRIES || type == RAFT_INSTALL_SNAPSHOT || type == RAFT_REQUEST_VOTE;
    const struct cluster_node *node = from ? cluster_node_by_raft_id(m->state, from) : NULL;
    uint64_t next = m->state->next_raft_id;
    if (from && from != m->options.raft_id) {
        if (in_configuration(&m->raft, from) || m->raft.configuration.n == 0) return 0;
        bool left = node && node->role == CLUSTER_ROLE_NONE && type == RAFT_REQUEST_VOTE && meta_leader(m);
        *drop = m->raft.state == RAFT_LEADER || !seeks || left;
        if (node || (from >= next && from - next < RAFT_ID_JUMP_MAX && !*drop)) return 0;
    }
    return error_set(e, ERROR_FORMAT, "raft message from %" PRIu64 ", which is no member", from);
}

static uint64_t message_term(const struct raft_message *msg)
{
    switch (msg->type) {
    case RAFT_APPEND_ENTRIES: return msg->append_entries.term;
    case RAFT_APPEND_ENTRIES_RESULT: return msg->append_entries_result.term;
    case RAFT_REQUEST_VOTE: return msg->request_vote.term;
    case RAFT_REQUEST_VOTE_RESULT: return msg->request_vote_result.term;
    case RAFT_INSTALL_SNAPSHOT: return msg->install_snapshot.term;
    case RAFT_TIMEOUT_NOW: return msg->timeout_now.term;
    }
    return 0;
}

static int check_term(const struct meta *m, uint64_t from, uint64_t term, struct error *e)
{
    uint64_t ours = m->raft.current_term;
    bool fresh = m->raft.configuration.n == 0; /* the cluster may be of any age */
    if (!fresh && term > ours && term - ours > META_TERM_JUMP_MAX) {
        return error_set(e, ERROR_FORMAT, "raft message from %" PRIu64 " with term %" PRIu64 ", ours is %" PRIu64, from,
                         term, ours);
    }
    return 0;
}

/* One leader a term. libraft takes entries from anyone; and a leader that gets some in its own term treats its own
 * bookkeeping as a follower's, which shares its memory. */
static int check_only_leader(struct meta *m, uint64_t from, uint64_t term, struct error *e)
{
    bool second = term == m->seen_term && from != m->seen_leader;
    if (second || (m->raft.state == RAFT_LEADER && term == m->raft.current_term)) {
        return error_set(e, ERROR_FORMAT,
                         "raft member %" PRIu64 " claims to lead in term %" PRIu64 ", where another one does", from,
                         term);
    }
    if (term >= m->raft.current_term) {
        m->seen_term = term;
        m->seen_leader = from;
    }
    return 0;
}

/* ---- entries ---- */

/* Committed entries are the same everywhere. libraft frees the entries twice when they are not. */
static int check_committed(const struct raft *r, const struct raft_append_entries *p, struct error *e)
{
    for (uint64_t i = 0; i <= p->n_entries && p->prev_log_index + i <= r->commit_index; i++) {
        uint64_t theirs = i ? p->entries[i - 1].term : p->prev_log_term;
        uint64_t ours = meta_term_of(r, p->prev_log_index + i);
        if (ours && ours != theirs) {
            return error_set(e, ERROR_FORMAT,
                             "raft entry %llu is committed in term %" PRIu64 " here, and comes with term %" PRIu64,
                             p->prev_log_index + i, ours, theirs);
        }
    }
    return 0;
}

/* Leaves out entries that our snapshot holds already: libraft knows nothing of them any more and would append them as
 * new ones. */
static void skip_snapshotted(const struct raft *r, struct raft_append_entries *p)
{
    uint64_t held = r->trail.snapshot.index;
    if (p->prev_log_index >= r->trail.offset || p->prev_log_index >= held) return;
    uint64_t skip = held - p->prev_log_index;
    if (skip >= p->n_entries) {
        if (p->n_entries) raft_free(p->entries[0].batch);
        raft_free(p->entries);
        p->entries = NULL;
        p->n_entries = 0;
    } else {
        p->n_entries -= (unsigned)skip;
        memmove(p->entries, p->entries + skip, p->n_entries * sizeof(*p->entries));
    }
    p->prev_log_index = held;
    p->prev_log_term = r->trail.snapshot.term;
}

/* Raft: commit index = min(leader's, last new entry). libraft compares before it takes the minimum, and so would go
 * *back* when an old or partial message arrives; a snapshot taken then is of a later state than it says. */
static void bound_commit(struct raft_append_entries *p)
{
    uint64_t last = p->prev_log_index + p->n_entries;
    if (p->leader_commit > last) p->leader_commit = last;
}

static int check_append_entries(struct meta *m, uint64_t from, struct raft_append_entries *p, struct error *e)
{
    if (p->term < m->raft.current_term) return 0; /* libraft answers with our term */
    int code = check_only_leader(m, from, p->term, e);
    if (code == 0) code = check_committed(&m->raft, p, e);
    if (code == 0) {
        skip_snapshotted(&m->raft, p);
        bound_commit(p);
    }
    return code;
}

/* ---- snapshots ---- */

/* Taken over only when it would be restored: libraft writes it to disk, in place of the log, before it looks. */
static int check_snapshot(struct meta *m, uint64_t from, const struct raft_install_snapshot *p, struct error *e)
{
    if (p->term < m->raft.current_term) return 0;
    int code = check_only_leader(m, from, p->term, e);
    if (code) return code;
    uint64_t ours = meta_term_of(&m->raft, p->last_index);
    if (p->last_index <= m->raft.commit_index && ours && ours != p->last_term) {
        return error_set(e, ERROR_FORMAT, "raft snapshot at entry %llu of term %llu, committed here in term %" PRIu64,
                         p->last_index, p->last_term, ours);
    }
    return meta_machine_check_snapshot(m, bytes_of(p->data.base, p->data.len), e);
}

/* While it takes a snapshot libraft puts the incoming one aside and then loses its pointer to it (a crash); while it
 * installs one, it leaks the next. The leader sends again. */
static bool snapshot_unwelcome(const struct raft *r)
{
    return r->legacy.snapshot_taking || r->legacy.snapshot_install || r->snapshot.installing;
}

/* ---- the rest ---- */

/* A rejection repeats an index that this leader has sent. */
static int check_result(const struct meta *m, uint64_t from, const struct raft_append_entries_result *p,
                        struct error *e)
{
    if (m->raft.state == RAFT_LEADER && p->term == m->raft.current_term &&
        p->rejected > raft_last_index((struct raft *)&m->raft)) {
        return error_set(e, ERROR_FORMAT, "raft member %" PRIu64 " rejects entry %llu, which does not exist", from,
                         p->rejected);
    }
    return 0;
}

/* Whether libraft gets it; `e` says why not if it is the sender's fault. */
static int check_message(struct meta *m, uint64_t from, struct raft_message *msg, bool *drop, struct error *e)
{
    int code = check_sender(m, from, msg->type, drop, e);
    if (code == 0) code = check_term(m, from, message_term(msg), e);
    if (code || *drop) return code;
    switch (msg->type) {
    case RAFT_APPEND_ENTRIES: return check_append_entries(m, from, &msg->append_entries, e);
    case RAFT_INSTALL_SNAPSHOT:
        *drop = snapshot_unwelcome(&m->raft);
        return *drop ? 0 : check_snapshot(m, from, &msg->install_snapshot, e);
    case RAFT_APPEND_ENTRIES_RESULT: return check_result(m, from, &msg->append_entries_result, e);
    case RAFT_REQUEST_VOTE_RESULT: /* libraft reads a candidate's fields whatever it is */
        *drop = m->raft.state != RAFT_CANDIDATE;
        return 0;
    default: return 0;
    }
}

int meta_receive(struct meta *m, uint64_t from, struct bytes message, struct error *e)
{
    if (m->closing || m->failed) return 0;
    struct raft_message msg;
    int code = meta_wire_read(message, from, &msg, e);
    if (code) return code;
    bool drop = false;
    code = check_message(m, from, &msg, &drop, e);
    if (code || drop) {
        meta_wire_release(&msg);
        return code;
    }
    char address[META_WIRE_ADDRESS_SIZE]; /* libraft copies it if it keeps it */
    meta_wire_address(from, address);
    msg.server_address = address;
    m->net.recv(&m->io, &msg); /* takes what the message owns */
    meta_wake(m);
    return 0;
}
