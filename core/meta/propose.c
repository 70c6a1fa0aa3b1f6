/* Proposals: from the caller to libraft, and their results back.
 *
 * waiting → appended → finished. A caller is never answered from within his own call, nor libraft called from within
 * one of its callbacks: meta_propose only queues, and the turn does the rest. */
#include <stdlib.h>

#include "meta/member.h"

static void queue_add(struct meta_queue *q, struct meta_proposal *p)
{
    p->next = NULL;
    if (q->last) {
        q->last->next = p;
    } else {
        q->first = p;
    }
    q->last = p;
    q->count++;
    q->bytes += p->entry.len;
}

static void queue_remove(struct meta_queue *q, struct meta_proposal *p)
{
    struct meta_proposal **at = &q->first, *before = NULL;
    while (*at != p) {
        before = *at;
        at = &(*at)->next;
    }
    *at = p->next;
    if (q->last == p) q->last = before;
    q->count--;
    q->bytes -= p->entry.len;
}

static void finish(struct meta *m, struct meta_queue *from, struct meta_proposal *p)
{
    queue_remove(from, p);
    queue_add(&m->finished, p);
    meta_wake(m);
}

int meta_proposals_add(struct meta *m, struct bytes command, meta_done done, void *user, struct error *e)
{
    size_t count = m->waiting.count + m->appended.count, bytes = m->waiting.bytes + m->appended.bytes;
    if (count >= META_PROPOSALS_MAX || (count > 0 && bytes + command.len > META_PROPOSAL_BYTES_MAX)) {
        return error_set(e, ERROR_LIMIT, "%zu changes of the metadata with %zu bytes wait already", count, bytes);
    }
    struct meta_proposal *p = calloc(1, sizeof(*p));
    if (!p) abort();
    if (!meta_machine_entry(command, &p->entry)) {
        free(p);
        return error_set(e, ERROR_LIMIT, "a change of the metadata with %zu bytes is too large", command.len);
    }
    p->request.data = p;
    p->member = m;
    p->done = done;
    p->user = user;
    queue_add(&m->waiting, p);
    meta_wake(m);
    return 0;
}

int meta_propose(struct meta *m, const struct cluster_command *command, meta_done done, void *user, struct error *e)
{
    if (!meta_leads(m)) return error_set(e, ERROR_NOT_LEADER, "this node does not lead MetaRaft");
    struct buffer b;
    buffer_init(&b, META_PROPOSAL_BYTES_MAX);
    cluster_command_encode(command, &b);
    int code = b.failed ? error_set(e, ERROR_LIMIT, "a change of the metadata may take %u bytes at most",
                                    META_PROPOSAL_BYTES_MAX)
                        : meta_proposals_add(m, buffer_bytes(&b), done, user, e);
    buffer_release(&b);
    return code;
}

/* libraft's answer: 0 once the entry is applied, in which case the state machine has left the result. Otherwise the
 * entry may be in the log of a later leader, or not. */
static void proposal_ended(struct raft_apply *request, int status, void *result)
{
    (void)result;
    struct meta_proposal *p = request->data;
    struct meta *m = p->member;
    if (status) {
        error_set(&p->result.error, ERROR_STALE, "outcome unknown: %s before the change was committed",
                  raft_strerror(status));
    }
    finish(m, &m->appended, p);
}

/* Returns false when libraft takes no more. */
static bool push_one(struct meta *m, struct meta_proposal *p)
{
    int rv = raft_apply(&m->raft, &p->request, &p->entry, 1, proposal_ended);
    if (rv == 0) {
        queue_remove(&m->waiting, p);
        queue_add(&m->appended, p); /* the entry's memory is libraft's now, its length stays ours to count */
        return true;
    }
    if (rv != RAFT_NOTLEADER) {
        /* libraft may have freed the entry or kept it: it is not touched again, and neither is libraft. */
        p->entry.base = NULL;
        meta_fail(m, rv == RAFT_NOMEM ? ERROR_OOM : ERROR_DISK, "cannot append to the raft log: %s", raft_strerror(rv));
    }
    return false;
}

void meta_proposals_push(struct meta *m)
{
    while (m->waiting.first && !m->failed) {
        struct meta_proposal *p = m->waiting.first;
        if (m->appended.count > 0 && m->appended.bytes + p->entry.len > META_APPENDED_BYTES_MAX) return;
        if (!push_one(m, p)) break;
    }
    meta_proposals_refuse_waiting(m);
}

void meta_proposals_refuse_waiting(struct meta *m)
{
    while (m->waiting.first) {
        struct meta_proposal *p = m->waiting.first;
        raft_free(p->entry.base);
        error_set(&p->result.error, ERROR_NOT_LEADER, "this node does not lead MetaRaft any more");
        finish(m, &m->waiting, p);
    }
}

void meta_proposals_applied(struct meta *m, uint64_t index, const struct cluster_result *result)
{
    for (struct meta_proposal *p = m->appended.first; p && p->request.index <= index; p = p->next) {
        if (p->request.index == index) p->result = *result;
    }
}

void meta_proposals_deliver(struct meta *m)
{
    while (m->finished.first) {
        struct meta_proposal *p = m->finished.first;
        queue_remove(&m->finished, p);
        if (p->done) p->done(p->user, &p->result);
        free(p);
    }
}
