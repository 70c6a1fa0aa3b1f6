/* Opening, turning and closing a member. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "meta/member.h"
#include "meta/wire.h"

#define SNAPSHOT_EVERY        1024 /* entries */
#define SNAPSHOT_TRAILING     1024 /* entries kept behind it, for members that are a little behind */
#define SNAPSHOT_TIMEOUT_MS   5000 /* then the leader sends it again */
#define STARTING_HEARTBEAT_MS 100  /* with less, 0.22.1 delays the first entry of a group of one */

/* ---- the turn ---- */

static void turn(uv_idle_t *idle)
{
    struct meta *m = idle->data;
    uv_idle_stop(idle);
    meta_io_complete_sends(m, 0);
    meta_lead_watch(m);
    meta_proposals_deliver(m);
    if (m->closing) return;
    if (m->failed) {
        bool told = m->told_failed;
        m->told_failed = true;
        if (!told) m->handler.failed(m->handler.user, &m->failure);
        return;
    }
    if (m->raft.state == RAFT_LEADER) meta_proposals_push(m);
    meta_membership_step(m);
    meta_lead_watch_disk(m);
}

void meta_wake(struct meta *m)
{
    if (!m->closing) uv_idle_start(&m->turn, turn);
}

void meta_fail(struct meta *m, enum error_code code, const char *format, ...)
{
    if (m->failed) return;
    m->failed = true;
    va_list args;
    char text[sizeof(m->failure.text)];
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(&m->failure, code, "MetaRaft: %s", text);
    meta_wake(m);
}

/* ---- a transport that connects nobody: the bus does ---- */

static int transport_init(struct raft_uv_transport *t, raft_id id, const char *address)
{
    (void)t, (void)id, (void)address;
    return 0;
}

static int transport_listen(struct raft_uv_transport *t, raft_uv_accept_cb cb)
{
    (void)t, (void)cb;
    return 0;
}

static int transport_connect(struct raft_uv_transport *t, struct raft_uv_connect *req, raft_id id, const char *address,
                             raft_uv_connect_cb cb)
{
    (void)t, (void)req, (void)id, (void)address, (void)cb;
    return RAFT_NOCONNECTION;
}

static void transport_close(struct raft_uv_transport *t, raft_uv_transport_close_cb cb)
{
    cb(t);
}

/* ---- opening ---- */

/* libraft says RAFT_IOERR of a file that is too short as well as of a disk that fails: its text tells them apart. */
static enum error_code code_of(int rv, const char *reason)
{
    static const struct {
        const char *part;
        enum error_code code;
    } reasons[] = {
        {"permission denied", ERROR_PERMISSION},
        {"not permitted", ERROR_PERMISSION},
        {"read-only", ERROR_PERMISSION},
        {"no space", ERROR_DISK},
        {"quota", ERROR_DISK},
        {"i/o error", ERROR_DISK},
        {"too many open files", ERROR_IO},
        {"file table overflow", ERROR_IO},
        {"temporarily unavailable", ERROR_IO},
        {"memory", ERROR_OOM},
    };
    if (rv == RAFT_NOSPACE) return ERROR_DISK;
    if (rv == RAFT_CORRUPT || rv == RAFT_MALFORMED) return ERROR_FORMAT;
    if (rv != RAFT_IOERR) return ERROR_IO;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcasestr(reason, reasons[i].part)) return reasons[i].code;
    return ERROR_FORMAT;
}

static int open_error(struct error *e, int rv, const char *dir, const char *reason)
{
    enum error_code code = code_of(rv, reason);
    if (code != ERROR_FORMAT) return error_set(e, code, "%s: %s", dir, reason);
    return error_set(e, code, "%s is damaged: wipe the data directory and rejoin under a new raft id (%s)", dir,
                     reason);
}

static int init_raft(struct meta *m, struct error *e)
{
    m->transport = (struct raft_uv_transport){
        .version = 1,
        .init = transport_init,
        .listen = transport_listen,
        .connect = transport_connect,
        .close = transport_close,
    };
    int rv = raft_uv_init(&m->io, m->loop, m->dir, &m->transport);
    if (rv) return open_error(e, rv, m->dir, m->io.errmsg);
    raft_uv_set_tracer(&m->io, NULL);
    raft_uv_set_auto_recovery(&m->io, false); /* it deletes what it cannot read: votes for entries that are gone */
    meta_io_interpose(m);
    meta_machine_init(m);
    m->raft.data = m;
    char address[META_WIRE_ADDRESS_SIZE];
    meta_wire_address(m->options.raft_id, address);
    rv = raft_init(&m->raft, &m->io, &m->fsm, m->options.raft_id, address);
    if (rv) {
        int code = open_error(e, rv, m->dir, m->raft.errmsg);
        raft_uv_close(&m->io);
        return code;
    }
    m->raft.tracer = NULL;
    raft_set_pre_vote(&m->raft, true);
    raft_set_election_timeout(&m->raft, m->options.election_ms);
    raft_set_heartbeat_timeout(&m->raft, STARTING_HEARTBEAT_MS);
    raft_set_install_snapshot_timeout(&m->raft, SNAPSHOT_TIMEOUT_MS);
    raft_set_max_inflight_entries(&m->raft, META_WIRE_ENTRIES_MAX);
    raft_set_capacity_threshold(
        &m->raft, 0); /* libraft's own measure is the space in prepared segments; see meta_lead_watch_disk */
    raft_set_snapshot_threshold(&m->raft, SNAPSHOT_EVERY);
    raft_set_snapshot_trailing(&m->raft, SNAPSHOT_TRAILING);
    return 0;
}

/* An empty directory becomes a group of one. One that is not empty has been founded, or has joined, already. */
static int bootstrap(struct meta *m, struct error *e)
{
    struct raft_configuration conf;
    char address[META_WIRE_ADDRESS_SIZE];
    raft_configuration_init(&conf);
    meta_wire_address(m->options.raft_id, address);
    int rv = raft_configuration_add(&conf, m->options.raft_id, address, RAFT_VOTER);
    if (rv == 0) rv = raft_bootstrap(&m->raft, &conf);
    raft_configuration_close(&conf);
    return rv == 0 || rv == RAFT_CANTBOOTSTRAP ? 0 : open_error(e, rv, m->dir, m->io.errmsg);
}

static int start_raft(struct meta *m, struct error *e)
{
    if (m->found.len > 0) {
        int code = bootstrap(m, e);
        if (code) return code;
    }
    int rv = raft_start(&m->raft);
    raft_set_heartbeat_timeout(&m->raft, m->options.heartbeat_ms);
    if (m->failed) {
        *e = m->failure;
        return e->code == ERROR_FORMAT ? open_error(e, RAFT_CORRUPT, m->dir, m->failure.text) : e->code;
    }
    if (rv) return open_error(e, rv, m->dir, raft_errmsg(&m->raft)[0] ? raft_errmsg(&m->raft) : raft_strerror(rv));
    if (m->found.len > 0 && raft_last_index(&m->raft) == 0) /* the process ended in the midst of raft_bootstrap */
        return error_set(
            e, ERROR_FORMAT,
            "%s has no log: founding was interrupted, or its files were lost. If no other node is a member "
            "of the cluster yet, empty the data directory and start again; else wipe it and rejoin",
            m->dir);
    return 0;
}

static void release(struct meta *m)
{
    buffer_release(&m->net.scratch);
    buffer_release(&m->found);
    cluster_state_free(m->state);
    free(m->net.sent);
    free(m->dir);
    free(m);
}

static int make_directory(const char *dir, struct error *e)
{
    struct stat about;
    if (mkdir(dir, 0700) == 0) return 0;
    if (errno != EEXIST || stat(dir, &about)) return error_system(e, ERROR_IO, errno, "cannot make %s", dir);
    if (S_ISDIR(about.st_mode)) return 0;
    return error_set(e, ERROR_FORMAT, "%s is no directory: wipe the data directory and rejoin under a new raft id",
                     dir);
}

int meta_open(uv_loop_t *loop, const struct meta_options *options, const struct meta_handler *handler,
              const struct cluster_command *found, struct meta **out, struct error *e)
{
    int code = make_directory(options->dir, e);
    if (code) return code;
    struct meta *m = calloc(1, sizeof(*m));
    char *dir = strdup(options->dir);
    if (!m || !dir) abort();
    m->loop = loop;
    m->options = *options;
    m->options.dir = m->dir = dir;
    m->handler = *handler;
    m->state = cluster_state_new();
    buffer_init(&m->net.scratch, META_WIRE_MESSAGE_MAX);
    buffer_init(&m->found, META_PROPOSAL_BYTES_MAX);
    if (found) cluster_command_encode(found, &m->found);
    code = init_raft(m, e);
    if (code) {
        release(m);
        return code;
    }
    uv_idle_init(loop, &m->turn);
    m->turn.data = m;
    code = start_raft(m, e);
    if (code) {
        meta_close(m, NULL, NULL); /* libraft's handles are on the loop, and leave it in time */
        return code;
    }
    m->open = true;
    *out = m;
    meta_wake(m);
    return 0;
}

/* ---- closing ---- */

static void turn_closed(uv_handle_t *handle)
{
    struct meta *m = handle->data;
    void (*closed)(void *user) = m->closed;
    void *user = m->closed_user;
    release(m);
    if (closed) closed(user);
}

static void raft_closed(struct raft *raft)
{
    struct meta *m = raft->data;
    raft_uv_close(&m->io);
    meta_proposals_refuse_waiting(m);
    meta_proposals_deliver(m);
    uv_close((uv_handle_t *)&m->turn, turn_closed);
}

void meta_close(struct meta *m, void (*closed)(void *user), void *user)
{
    m->closing = true;
    m->closed = closed;
    m->closed_user = user;
    uv_idle_stop(&m->turn);
    raft_close(&m->raft, raft_closed);
}

/* ---- looking ---- */

const struct cluster_state *meta_state(const struct meta *m)
{
    return m->state;
}

uint64_t meta_leader(const struct meta *m)
{
    raft_id id;
    const char *address;
    raft_leader((struct raft *)&m->raft, &id, &address); /* only reads */
    return id;
}

uint64_t meta_term(const struct meta *m)
{
    return m->raft.current_term;
}

uint64_t meta_raft_id(const struct meta *m)
{
    return m->options.raft_id;
}

void meta_statistics(const struct meta *m, struct meta_statistics *out)
{
    *out = (struct meta_statistics){
        .term = m->raft.current_term,
        .last_index = raft_last_index((struct raft *)&m->raft),
        .commit_index = m->raft.commit_index,
        .applied_index = m->raft.last_applied,
        .snapshots = m->snapshots,
        .proposals_open = m->waiting.count + m->appended.count + m->finished.count,
    };
}
