/* Leadership: when it begins and ends for the others in this process, and how it is handed over. */
#include <sys/statvfs.h>

#include "base/log.h"
#include "meta/member.h"

/* raft_uv prepares segments of 8 MiB ahead, and writes to them for ever again when the disk is full: a leader that
 * cannot write is one that cannot commit. So it goes while it still can. */
#define DISK_FREE_MIN_BYTES (UINT64_C(32) << 20)
#define DISK_STALL_MS       3000
#define DISK_CHECK_MS       1000
#define DISK_WARN_MS        60000

bool meta_leads(const struct meta *m)
{
    return m->raft.state == RAFT_LEADER && m->ready_term == m->raft.current_term && !m->failed && !m->closing &&
           (m->state->id[0] || m->found.len == 0);
}

static void barrier_ended(struct raft_barrier *request, int status)
{
    struct meta *m = request->data;
    m->barrier_open = false;
    if (status == 0 && m->raft.state == RAFT_LEADER && m->raft.current_term == m->barrier_term)
        m->ready_term = m->barrier_term;
    meta_wake(m);
}

/* An entry of our own term that is applied: everything committed before is then applied too. */
static void ask_barrier(struct meta *m)
{
    if (m->barrier_open || m->ready_term == m->raft.current_term || raft_transferee(&m->raft)) return;
    m->barrier.data = m;
    m->barrier_term = m->raft.current_term;
    int rv = raft_barrier(&m->raft, &m->barrier, barrier_ended);
    m->barrier_open = rv == 0;
    if (rv && rv != RAFT_NOTLEADER) meta_fail(m, ERROR_DISK, "cannot append to the raft log: %s", raft_strerror(rv));
}

static void founded(void *user, const struct cluster_result *result)
{
    struct meta *m = user;
    m->founding = false;
    if (result->error.code == 0) {
        buffer_release(&m->found);
    } else if (result->error.code != ERROR_STALE && result->error.code != ERROR_NOT_LEADER) {
        meta_fail(m, ERROR_GENERIC, "the cluster cannot be founded: %s", result->error.text);
    }
    meta_wake(m);
}

static void found_once(struct meta *m)
{
    if (m->found.len == 0 || m->founding) return;
    if (m->state->id[0]) {
        buffer_release(&m->found);
        return;
    }
    struct error e = {0};
    if (meta_proposals_add(m, buffer_bytes(&m->found), founded, m, &e)) {
        meta_fail(m, ERROR_GENERIC, "the cluster cannot be founded: %s", e.text);
    } else {
        m->founding = true;
    }
}

void meta_lead_watch(struct meta *m)
{
    bool leader = m->raft.state == RAFT_LEADER;
    uint64_t term = m->raft.current_term;
    if (m->told_term && (!leader || term != m->told_term)) {
        m->told_term = 0;
        log_info("does not lead MetaRaft any more", "term=%llu", m->raft.current_term);
        m->handler.leadership(m->handler.user, false);
        if (m->closing) return;
    }
    if (!leader || m->failed) {
        meta_proposals_refuse_waiting(m);
        return;
    }
    ask_barrier(m);
    if (m->ready_term == term) found_once(m);
    if (!m->told_term && meta_leads(m)) {
        m->told_term = term;
        log_info("leads MetaRaft", "term=%llu", m->raft.current_term);
        m->handler.leadership(m->handler.user, true);
    }
}

/* ---- handing over ---- */

static void transfer_ended(struct raft_transfer *request)
{
    struct meta *m = request->data;
    m->transfer_open = false;
    meta_wake(m);
}

int meta_transfer(struct meta *m, uint64_t raft_id, struct error *e)
{
    if (!meta_leads(m) || m->transfer_open) {
        return error_set(e, ERROR_NOT_LEADER, "this node does not lead MetaRaft, or hands it over already");
    }
    if (raft_id == m->options.raft_id) return 0;
    m->transfer.data = m;
    int rv = raft_transfer(&m->raft, &m->transfer, raft_id, transfer_ended);
    meta_wake(m);
    switch (rv) {
    case 0: m->transfer_open = true; return 0;
    case RAFT_NOTFOUND: return error_set(e, ERROR_NOT_FOUND, "there is no other voter to lead MetaRaft");
    case RAFT_BADID: return error_set(e, ERROR_NOT_FOUND, "raft member %llu is no voter", (unsigned long long)raft_id);
    case RAFT_NOTLEADER: return error_set(e, ERROR_NOT_LEADER, "this node does not lead MetaRaft any more");
    default: return error_set(e, ERROR_GENERIC, "leadership cannot be handed over: %s", raft_strerror(rv));
    }
}

void meta_lead_watch_disk(struct meta *m)
{
    uint64_t now = uv_now(m->loop);
    if (now - m->disk_checked_ms < DISK_CHECK_MS) return;
    m->disk_checked_ms = now;
    struct statvfs fs;
    uint64_t free_bytes = statvfs(m->dir, &fs) ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
    bool stalled = m->net.writes_open > 0 && now - m->net.writes_open_since_ms > DISK_STALL_MS;
    if (free_bytes >= DISK_FREE_MIN_BYTES && !stalled) return;
    if (m->disk_warned_ms == 0 || now - m->disk_warned_ms > DISK_WARN_MS) {
        m->disk_warned_ms = now ? now : 1;
        log_error("the disk of MetaRaft is full or stalls", "dir=%s free_bytes=%llu stalled=%d", log_quote(m->dir),
                  (unsigned long long)free_bytes, stalled);
    }
    struct error e;
    if (meta_leads(m) && meta_transfer(m, 0, &e) == 0)
        log_warn("hands MetaRaft over because of its disk", "dir=%s", log_quote(m->dir));
}
