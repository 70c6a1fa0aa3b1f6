/* A node that was taken out of its cluster: how it is told, how it learns it, and CLUSTER RESET.
 *
 * It is removed if the newest metadata it has are its cluster's and do not list it; that survives restarts in the file
 * `metadata`. It serves nothing, has no part in MetaRaft and is linked to nobody, until it is reset: then it is a
 * candidate like a node that has just been made. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "control/control_thread.h"
#include "control/metadata_file.h"

/* Who does not lead gives the leader so much time to say it first; and itself, to hear of a node that is new. */
#define TELL_AFTER_MS 2000
/* Who was told and is still there did not understand: its link is closed, and it comes back and is told again. */
#define TELL_AGAIN_MS 5000
#define TELL_AT_ONCE  4 /* a time: each is told the whole metadata */

bool control_is_removed(const struct control *c)
{
    return c->identity.cluster_id[0] && c->known && control_state(c) == c->known && c->known->id[0] &&
           !cluster_node_find(c->known, c->self.id);
}

void control_removed_notice(struct control *c)
{
    bool removed = control_is_removed(c);
    if (removed == c->said_removed) return;
    c->said_removed = removed;
    c->synced_version = 0; /* its peers go, or come back */
    if (removed) {
        log_warn("was removed from its cluster: serves nothing; CLUSTER RESET makes it a candidate again",
                 "cluster=%s version=%llu", c->identity.cluster_id, (unsigned long long)c->known->version);
        control_join_release(c);
        if (!c->persist_running) control_persist_now(c); /* it is not to take itself for a member after a restart */
    } else if (!c->joins) {
        log_info("is a member of its cluster after all", "cluster=%s", c->identity.cluster_id);
        control_join_dial(c);
    }
}

/* ---- telling it ---- */

static bool is_due(const struct control *c, const struct link *l)
{
    uint64_t wait = c->leads ? 0 : TELL_AFTER_MS;
    return l->announced && l->of_cluster && control_now_ms(c) - l->since_ms >= wait;
}

void control_removed_tell(struct control *c)
{
    const struct cluster_state *s = control_state(c);
    const uint64_t now = control_now_ms(c);
    unsigned room = cluster_node_find(s, c->self.id) ? TELL_AT_ONCE : 0;
    for (uint32_t i = 0; i < c->link_count && room; i++) {
        struct link *l = &c->links[i];
        if (cluster_node_find(s, l->node)) {
            l->of_cluster = true;
            l->since_ms = now;
        } else if (l->told_ms && now - l->told_ms >= TELL_AGAIN_MS) {
            bus_link_close(l->at);
        } else if (!l->told_ms && is_due(c, l)) {
            l->told_ms = now;
            room--;
            control_push_snapshot(c, l->at, c->leads ? control_term(c) : 0);
        }
    }
}

/* Newer metadata without this node prove it, whoever has them: they were agreed on. But only a node that it knows is
 * asked to prove anything. */
bool control_removed_learn(struct control *c, const char *from, struct cluster_state *s)
{
    const struct cluster_state *mine = control_state(c);
    if (c->leads || mine->version == 0 || s->version <= mine->version || strcmp(s->id, mine->id) != 0) return false;
    if (!cluster_node_find(mine, from) || cluster_node_find(s, c->self.id)) return false;
    control_known_install(c, s);
    return true;
}

/* ---- CLUSTER RESET ---- */

/* libraft keeps plain files there. */
static int remove_raft(const struct control *c, struct error *e)
{
    char dir[PATH_MAX], path[PATH_MAX + 260];
    snprintf(dir, sizeof dir, "%s/raft", c->options.data_dir);
    DIR *d = opendir(dir);
    if (!d) return errno == ENOENT ? 0 : error_system(e, ERROR_IO, errno, "opening %s", dir);
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(d));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (unlink(path) != 0) failed = errno;
    }
    closedir(d);
    if (!failed && rmdir(dir) != 0) failed = errno;
    return failed ? error_system(e, ERROR_IO, failed, "removing %s", dir) : 0;
}

/* node.json last: until it is written this is a node that was removed, which raft/ and `metadata` may be missing of. */
static int reset_files(struct control *c, const struct control_identity *fresh, struct error *e)
{
    c->persisted_version = 0;
    int code = remove_raft(c, e);
    if (code == 0) code = metadata_file_remove(c->options.data_dir, e);
    if (code == 0) code = c->options.save_identity(c->options.handler.user, fresh, e);
    return code;
}

static void reset_memory(struct control *c, const struct control_identity *fresh)
{
    struct handshake_identity self = {0};
    c->identity = *fresh;
    memcpy(c->self.id, fresh->node_id, sizeof c->self.id);
    memcpy(self.node_id, fresh->node_id, sizeof self.node_id);
    if (c->known) cluster_state_free(c->known);
    c->known = NULL;
    c->known_pushed = c->known_suspect = c->said_removed = c->routed_once = false;
    c->leader[0] = 0;
    c->leader_term = c->highest_term = c->synced_version = 0;
    c->dismissed_count = 0;
    candidates_release(&c->candidates);
    step_log_release(&c->steps);
    bus_set_self(c->bus, &self);
    control_join_release(c);
    control_join_dial(c);
    control_touch(c);
}

/* Whether the words are HARD, SOFT or none; if not, the call has ended. */
static bool read_reset(struct control *c, struct call *call, bool *hard)
{
    *hard = call->argc == 3 && bytes_is(call->argv[2], "HARD");
    if (call->argc == 2 || *hard || bytes_is(call->argv[2], "SOFT")) return true;
    control_call_error(c, call, ERROR_SYNTAX, "syntax error");
    return false;
}

/* That it holds no keys was checked where they are (core/command/cluster.c). The reply comes in the next turn: by then the
 * data thread has been told who this node is now. */
void control_removed_reset(struct control *c, struct call *call)
{
    bool hard;
    if (call->stage == 1) {
        control_call_ok(c, call);
        return;
    }
    if (!read_reset(c, call, &hard)) return;
    if (c->founding) {
        control_call_error(c, call, ERROR_INVARIANT, "this node is about to found a cluster: CLUSTER RESET has nothing to take back");
        return;
    }
    if (c->identity.cluster_id[0] && !control_is_removed(c)) {
        control_call_error(c, call, ERROR_INVARIANT,
                           "this node is a member of cluster %s: take it out first, with CLUSTER FORGET %s on another node",
                           c->identity.cluster_id, c->self.id);
        return;
    }
    if (c->meta || c->meta_closing || c->persist_running) return; /* their files are open still */
    struct control_identity fresh = {0};
    memcpy(fresh.node_id, c->self.id, sizeof fresh.node_id);
    if (hard) random_hex(fresh.node_id, CLUSTER_ID_LEN);
    struct error e;
    if (reset_files(c, &fresh, &e) != 0) {
        control_call_error_of(c, call, &e);
        return;
    }
    log_info("was reset: is a candidate", "was=%s node=%s", c->self.id, fresh.node_id);
    reset_memory(c, &fresh);
    control_call_stage(c, call, 1);
}
