/* This node's part in MetaRaft: opening it, what it tells, what is proposed to it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control_thread.h"

#define ELECTION_MS  200
#define HEARTBEAT_MS 20

static void meta_sends(void *user, uint64_t raft_id, struct bytes message)
{
    control_send_raft(user, raft_id, message);
}

static void meta_applied(void *user, struct bytes command, const struct cluster_result *result)
{
    struct control *c = user;
    if (!result->changed) return;
    step_log_applied(&c->steps, command);
    control_push_applied(c, command);
    control_log_applied(c, command, result);
    control_triggers_applied(c, command);
    control_dismissal_applied(c, command);
    control_touch(c);
}

static void meta_replaced(void *user)
{
    struct control *c = user;
    if (c->meta) step_log_seed(&c->steps, meta_state(c->meta));
    control_touch(c);
}

static void meta_leadership(void *user, bool leads)
{
    (void)leads; /* control_react looks by itself */
    control_touch(user);
}

static void meta_fails(void *user, const struct error *e)
{
    control_fail(user, e);
}

/* raft/ holds this member's votes; libraft takes one that was lost for one that never was, and would vote twice. So a
 * file in it tells them apart, made before node.json says that it must be there, and that before the first vote. */
static int check_part(struct control *c, const char *dir, struct error *e)
{
    char mark[PATH_MAX + 8];
    snprintf(mark, sizeof mark, "%s/member", dir);
    if (c->identity.took_part) {
        if (access(mark, F_OK) == 0) return 0;
        return error_set(e, ERROR_FORMAT,
                         "%s is missing, and with it the votes of raft member %llu: wipe the data directory and rejoin "
                         "under a new raft id",
                         mark, (unsigned long long)c->identity.raft_id);
    }
    if (mkdir(dir, 0700) && errno != EEXIST) return error_system(e, ERROR_IO, errno, "cannot make %s", dir);
    struct stat about;
    if (stat(dir, &about) == 0 && !S_ISDIR(about.st_mode))
        return error_set(e, ERROR_FORMAT, "%s is no directory: wipe the data directory and rejoin", dir);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool made = fd >= 0 && dir_fd >= 0 && fsync(dir_fd) == 0;
    int problem = errno;
    if (fd >= 0) close(fd);
    if (dir_fd >= 0) close(dir_fd);
    if (!made) return error_system(e, ERROR_IO, problem, "cannot make %s", mark);
    c->identity.took_part = true;
    return c->options.save_identity(c->options.handler.user, &c->identity, e); /* syncs data_dir as well */
}

int control_open_meta(struct control *c, const struct cluster_command *found, struct error *e)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/raft", c->options.data_dir);
    struct meta_options options = {
        .dir = dir, .raft_id = c->identity.raft_id, .election_ms = ELECTION_MS, .heartbeat_ms = HEARTBEAT_MS};
    struct meta_handler handler = {.user = c,
                                   .send = meta_sends,
                                   .applied = meta_applied,
                                   .replaced = meta_replaced,
                                   .leadership = meta_leadership,
                                   .failed = meta_fails};
    int code = check_part(c, dir, e);
    if (code) return code;
    code = meta_open(&c->loop, &options, &handler, found, &c->meta, e);
    if (code == 0) log_info("is a member of MetaRaft", "raft_id=%llu", (unsigned long long)c->identity.raft_id);
    return code;
}

void control_take_part(struct control *c, const struct cluster_command *found)
{
    struct error e = {0};
    if (control_open_meta(c, found, &e) != 0) control_fail(c, &e);
    control_touch(c);
}

struct proposal {
    struct control *control;
    control_proposed done;
    uint64_t number;
    char node[CLUSTER_ID_LEN + 1];
};

static void proposal_done(void *user, const struct cluster_result *result)
{
    struct proposal *p = user;
    struct control *c = p->control;
    p->done(c, result, p->number, p->node);
    free(p);
    control_touch(c);
}

int control_propose(struct control *c, const struct cluster_command *command, control_proposed done, uint64_t number,
                    const char *node, struct error *e)
{
    if (!c->meta || c->broken) return error_set(e, ERROR_NOT_LEADER, "this node does not lead MetaRaft");
    struct proposal *p = control_allocate(sizeof *p);
    p->control = c;
    p->done = done;
    p->number = number;
    snprintf(p->node, sizeof p->node, "%s", node);
    int code = meta_propose(c->meta, command, proposal_done, p, e);
    if (code) free(p);
    return code;
}

static bool save(struct control *c, const struct control_identity *identity)
{
    struct error e = {0};
    if (c->options.save_identity(c->options.handler.user, identity, &e) != 0) {
        control_fail(c, &e);
        return false;
    }
    c->identity = *identity;
    return true;
}

/* The state gave this node a part in MetaRaft, or one again: it takes it, once. A raft id is never exchanged for
 * another: a wiped node is a new one. */
void control_join_meta(struct control *c)
{
    const struct cluster_node *me = cluster_node_find(control_state(c), c->self.id);
    if (c->meta || c->meta_closing || c->broken || !me || me->role == CLUSTER_ROLE_NONE) return;
    if (c->identity.raft_id && !c->identity.left) return;
    struct control_identity identity = c->identity;
    identity.raft_id = me->raft_id;
    identity.left = false;
    if (save(c, &identity)) control_take_part(c, NULL);
}

/* Whether the cluster wants nothing from this node's libraft. What libraft itself has applied says nothing: it may be
 * about to go through the cluster's past; nor does the file, which may be older than what happened since. */
static bool may_leave(const struct control *c)
{
    if (!c->meta || c->broken || c->leads || !c->known || !c->known_pushed || control_state(c) != c->known) return false;
    const struct cluster_node *me = cluster_node_find(c->known, c->self.id);
    return !me || me->role == CLUSTER_ROLE_NONE;
}

static void meta_left(void *user)
{
    struct control *c = user;
    c->meta_closing = false;
    control_touch(c);
}

/* It goes at once: whoever took its role saw to it that it had no vote then (dismissal.c), so no majority misses it. Not
 * opened any more it cannot ask for votes either, after whatever restart. */
void control_leave_meta(struct control *c)
{
    if (!may_leave(c)) return;
    struct control_identity identity = c->identity;
    identity.left = true;
    if (!save(c, &identity)) return;
    log_info("is no member of MetaRaft any more", "raft_id=%llu", (unsigned long long)identity.raft_id);
    c->meta_closing = true;
    meta_close(c->meta, meta_left, c);
    c->meta = NULL;
}
