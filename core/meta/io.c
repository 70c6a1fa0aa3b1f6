/* Between libraft and raft_uv: its disk is used, its network replaced, its failures noticed.
 *
 * libraft 0.22.1 checks what its disk reports by assertions that the package leaves out: an error of set_term would let
 * it vote twice, one of a finished write would let it wait forever. So each error ends this member (meta_fail). */
#include <stddef.h>
#include <stdlib.h>

#include "base/log.h"
#include "meta/member.h"
#include "meta/wire.h"

static struct meta *member_of(struct raft_io *io)
{
    return (struct meta *)((char *)io - offsetof(struct meta, io));
}

/* ---- network ---- */

struct destination {
    struct meta *member;
    uint64_t raft_id;
};

static void emit(void *user, struct bytes message)
{
    struct destination *to = user;
    to->member->handler.send(to->member->handler.user, to->raft_id, message);
}

/* The message is encoded at once, but its request completed in the next turn: libraft does not expect its callback from
 * within. Losing a message is no error to Raft, so this never returns one (libraft would pass it on to callers who
 * cannot handle it). */
static int io_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *message, raft_io_send_cb cb)
{
    struct meta *m = member_of(io);
    req->cb = cb;
    if (m->closing) {
        cb(req, RAFT_CANCELED);
        return 0;
    }
    if (!m->failed && !m->net.dropping) {
        struct destination to = {m, message->server_id};
        struct raft_message fixed = *message;
        if (fixed.type == RAFT_INSTALL_SNAPSHOT) fixed.install_snapshot.last_term = m->net.snapshot_term;
        if (!meta_wire_write(&fixed, &m->net.scratch, emit, &to)) {
            log_warn("raft message too large to send", "type=%d to=%llu", message->type, message->server_id);
        }
    }
    if (m->net.sent_count == m->net.sent_max) {
        size_t max = m->net.sent_max ? 2 * m->net.sent_max : 32;
        struct raft_io_send **sent = realloc(m->net.sent, max * sizeof(*sent));
        if (!sent) abort();
        m->net.sent = sent;
        m->net.sent_max = max;
    }
    m->net.sent[m->net.sent_count++] = req;
    meta_wake(m);
    return 0;
}

void meta_io_complete_sends(struct meta *m, int status)
{
    /* A callback may send again: that one waits for the next turn. */
    struct raft_io_send **sent = m->net.sent;
    size_t count = m->net.sent_count;
    m->net.sent = NULL;
    m->net.sent_count = m->net.sent_max = 0;
    for (size_t i = 0; i < count; i++) sent[i]->cb(sent[i], status);
    free(sent);
}

static void io_tick(struct raft_io *io)
{
    struct meta *m = member_of(io);
    if (m->failed) return;
    m->net.tick(io);
    meta_wake(m);
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick, raft_io_recv_cb recv)
{
    struct meta *m = member_of(io);
    m->net.tick = tick;
    m->net.recv = recv;
    /* `msecs` is the heartbeat that raft_start was given. It would be the clock's resolution for good: with it
     * heartbeats and elections are 5 times as slow as asked for. The transport accepts nobody, so raft_uv never calls
     * recv. */
    (void)msecs;
    return m->net.disk.start(io, m->options.heartbeat_ms, io_tick, recv);
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
    struct meta *m = member_of(io);
    meta_io_complete_sends(m, RAFT_CANCELED);
    m->net.disk.close(io, cb);
}

/* ---- disk ---- */

static void release_loaded(struct raft_snapshot *snapshot, struct raft_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i == 0 || entries[i].batch != entries[i - 1].batch) raft_free(entries[i].batch);
    raft_free(entries);
    if (!snapshot) return;
    raft_configuration_close(&snapshot->configuration);
    for (unsigned i = 0; i < snapshot->n_bufs; i++) raft_free(snapshot->bufs[i].base);
    raft_free(snapshot->bufs);
    raft_free(snapshot);
}

/* The term is in metadata1 and metadata2, without a checksum. One that no election can have led to would end all
 * elections, one below the log's lets this member vote twice. An empty log tells nothing: the cluster may be of any
 * age. */
static int io_load(struct raft_io *io, raft_term *term, raft_id *vote, struct raft_snapshot **snapshot,
                   raft_index *start, struct raft_entry **entries, size_t *n)
{
    struct meta *m = member_of(io);
    int rv = m->net.disk.load(io, term, vote, snapshot, start, entries, n);
    if (rv) return rv;
    raft_term logged = *n ? (*entries)[*n - 1].term : *snapshot ? (*snapshot)->term : 0;
    if (!logged || (*term >= logged && *term - logged <= META_TERM_JUMP_MAX)) return 0;
    meta_fail(m, ERROR_FORMAT, "the term is %llu, that of the log's newest entry %llu", *term, logged);
    release_loaded(*snapshot, *entries, *n);
    return RAFT_CORRUPT;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
    struct meta *m = member_of(io);
    int rv = m->net.disk.set_term(io, term);
    if (rv) meta_fail(m, ERROR_DISK, "cannot store the raft term: %s", io->errmsg);
    return rv;
}

static int io_set_vote(struct raft_io *io, raft_id id)
{
    struct meta *m = member_of(io);
    int rv = m->net.disk.set_vote(io, id);
    if (rv) meta_fail(m, ERROR_DISK, "cannot store the raft vote: %s", io->errmsg);
    return rv;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
    struct meta *m = member_of(io);
    int rv = m->net.disk.truncate(io, index);
    if (rv) meta_fail(m, ERROR_DISK, "cannot truncate the raft log: %s", io->errmsg);
    return rv;
}

/* A request of libraft's on its way through us: `inner` is what raft_uv sees. */
struct append_passing {
    struct raft_io_append inner;
    struct meta *member;
    struct raft_io_append *request;
    raft_io_append_cb cb;
};

static void io_append_done(struct raft_io_append *inner, int status)
{
    struct append_passing p = *(struct append_passing *)inner->data;
    free(inner->data);
    p.member->net.writes_open--;
    p.member->net.writes_open_since_ms = uv_now(p.member->loop);
    if (status && status != RAFT_CANCELED) {
        meta_fail(p.member, ERROR_DISK, "cannot write the raft log: %s", p.member->io.errmsg);
    }
    p.cb(p.request, status);
    meta_wake(p.member);
}

static int io_append(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[], unsigned n,
                     raft_io_append_cb cb)
{
    struct meta *m = member_of(io);
    struct append_passing *p = malloc(sizeof(*p));
    if (!p) abort();
    *p = (struct append_passing){.inner.data = p, .member = m, .request = req, .cb = cb};
    if (m->net.writes_open++ == 0) m->net.writes_open_since_ms = uv_now(m->loop);
    int rv = m->net.disk.append(io, &p->inner, entries, n, io_append_done);
    if (rv) {
        m->net.writes_open--;
        free(p);
        meta_fail(m, ERROR_DISK, "cannot append to the raft log: %s", io->errmsg);
    }
    return rv;
}

struct snapshot_put_passing {
    struct raft_io_snapshot_put inner;
    struct meta *member;
    struct raft_io_snapshot_put *request;
    raft_io_snapshot_put_cb cb;
};

static void io_snapshot_put_done(struct raft_io_snapshot_put *inner, int status)
{
    struct snapshot_put_passing p = *(struct snapshot_put_passing *)inner->data;
    free(inner->data);
    if (status && status != RAFT_CANCELED) {
        meta_fail(p.member, ERROR_DISK, "cannot write a raft snapshot: %s", raft_strerror(status));
    }
    p.cb(p.request, status);
    meta_wake(p.member);
}

static int io_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                           const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb)
{
    struct meta *m = member_of(io);
    struct snapshot_put_passing *p = malloc(sizeof(*p));
    if (!p) abort();
    *p = (struct snapshot_put_passing){.inner.data = p, .member = m, .request = req, .cb = cb};
    int rv = m->net.disk.snapshot_put(io, trailing, &p->inner, snapshot, io_snapshot_put_done);
    if (rv) {
        free(p);
        if (rv != RAFT_CANCELED) meta_fail(m, ERROR_DISK, "cannot begin a raft snapshot: %s", io->errmsg);
    }
    return rv;
}

struct snapshot_get_passing {
    struct raft_io_snapshot_get inner;
    struct meta *member;
    struct raft_io_snapshot_get *request;
    raft_io_snapshot_get_cb cb;
};

/* libraft reads its snapshot in order to send it. When that fails, 0.22.1 frees a configuration it never filled in. So
 * it is given an empty snapshot instead, which it "sends" while we drop what it sends; it tries again after its
 * timeout. And when a newer snapshot than it asked for was read it corrects the index, but not the term: io_send does
 * that. */
static void io_snapshot_get_done(struct raft_io_snapshot_get *inner, struct raft_snapshot *snapshot, int status)
{
    struct snapshot_get_passing p = *(struct snapshot_get_passing *)inner->data;
    free(inner->data);
    if (status) {
        log_warn("cannot read the raft snapshot to send it", "error=%s", log_quote(raft_strerror(status)));
        memset(snapshot, 0, sizeof(*snapshot));
        snapshot->bufs = raft_calloc(1, sizeof(*snapshot->bufs));
        if (!snapshot->bufs) abort();
        snapshot->n_bufs = 1;
        p.member->net.dropping = true;
    }
    p.member->net.snapshot_term = snapshot->term;
    p.cb(p.request, snapshot, 0); /* takes the snapshot, and sends from within */
    p.member->net.dropping = false;
    meta_wake(p.member);
}

static int io_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req, raft_io_snapshot_get_cb cb)
{
    struct meta *m = member_of(io);
    struct snapshot_get_passing *p = malloc(sizeof(*p));
    if (!p) abort();
    *p = (struct snapshot_get_passing){.inner.data = p, .member = m, .request = req, .cb = cb};
    int rv = m->net.disk.snapshot_get(io, &p->inner, io_snapshot_get_done);
    if (rv) free(p);
    return rv;
}

void meta_io_interpose(struct meta *m)
{
    m->net.disk = m->io;
    m->io.start = io_start;
    m->io.close = io_close;
    m->io.send = io_send;
    m->io.load = io_load;
    m->io.set_term = io_set_term;
    m->io.set_vote = io_set_vote;
    m->io.append = io_append;
    m->io.truncate = io_truncate;
    m->io.snapshot_put = io_snapshot_put;
    m->io.snapshot_get = io_snapshot_get;
}
