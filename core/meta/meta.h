/* MetaRaft: the cluster's metadata, agreed on by a few voters. The only folder that knows libraft. (design: raft-library.md)
 *
 * Lives on the control thread's loop. libraft keeps its log and snapshots in `dir`; its messages travel over whatever `send` is (the bus),
 * and come back in through meta_receive. The state is libraft's: read it, do not change it.
 *
 * Roles: the state says which are *wanted* (cluster_node.role); while this node leads, meta compares them with libraft's configuration and
 * makes one change at a time until they agree (level-triggered, so a new leader goes on where the old one stopped). */
#ifndef AIKV_META_META_H
#define AIKV_META_META_H

#include <uv.h>

#include "cluster/command.h"

struct meta;

/* A term this far above ours is no election lost track of (5 a second for two days), but an attack or damage: once
 * stored, 2^64-1 ends all elections for good. */
#define META_TERM_JUMP_MAX 1000000

struct meta_handler {
    void *user;
    /* Hands a message to raft member `raft_id`. May drop it; must not call back into meta. */
    void (*send)(void *user, uint64_t raft_id, struct bytes message);
    /* A committed command was applied (every member sees each, in order). `command` as encoded. The state is already the new one. */
    void (*applied)(void *user, struct bytes command, const struct cluster_result *result);
    /* The whole state was replaced (a snapshot came in). */
    void (*replaced)(void *user);
    /* This node began or ceased to lead. It leads only from when it has applied an entry of its own term, so its state is up to date. */
    void (*leadership)(void *user, bool leads);
    /* libraft cannot go on (disk, corruption): the process must end, with the exit code for it. */
    void (*failed)(void *user, const struct error *e);
};

struct meta_options {
    const char *dir;  /* made if missing */
    uint64_t raft_id; /* this member's, never one used before a wipe */
    unsigned election_ms, heartbeat_ms; /* 200, 20 */
};

/* Starts this member: loads what is in `dir`. A `found` command (CLUSTER_FOUND) makes an empty `dir` a group of one, which then leads and
 * applies it; without one an empty member waits for a leader to reach it. Errors: FORMAT (libraft's files are damaged: says to wipe and
 * rejoin), IO; libraft's handles then leave the loop within its next turns. `applied` may be called before this returns. */
int meta_open(uv_loop_t *loop, const struct meta_options *options, const struct meta_handler *handler, const struct cluster_command *found,
              struct meta **out, struct error *e);
/* Stops; `closed` is called from the loop when everything is released. Proposals still open end with NOT_LEADER, or with STALE where they
 * were appended already, as meta_propose says. */
void meta_close(struct meta *m, void (*closed)(void *user), void *user);

/* The state as this member has applied it. */
const struct cluster_state *meta_state(const struct meta *m);
bool meta_leads(const struct meta *m);
/* Raft id of the leader as this member knows it, 0 for none; and the term. */
uint64_t meta_leader(const struct meta *m);
uint64_t meta_term(const struct meta *m);
uint64_t meta_raft_id(const struct meta *m);

/* Proposes a command. `done` is called once, from the loop, never from within: with the result of applying it; or with error NOT_LEADER (it
 * was not taken), or STALE "outcome unknown" (leadership was lost after it was appended: look again). At most 256 proposals or 4 MiB wait:
 * beyond that LIMIT. Returns 0, or the code without calling `done`. */
typedef void (*meta_done)(void *user, const struct cluster_result *result);
int meta_propose(struct meta *m, const struct cluster_command *command, meta_done done, void *user, struct error *e);

/* A message that came over the bus from raft member `from`, authenticated as such. Hostile bytes are refused: an error closes the link. */
int meta_receive(struct meta *m, uint64_t from, struct bytes message, struct error *e);

/* libraft's configuration as far as it is committed: what no change of leader takes back. */
struct meta_member {
    uint64_t raft_id;
    enum cluster_role role;
};
/* Fills up to `max`; returns how many there are. */
size_t meta_members(const struct meta *m, struct meta_member *out, size_t max);
/* Whether it counts in majorities, or may yet: it has a vote by the newest configuration or the committed one, or is being given one. For
 * whoever leads. */
bool meta_may_vote(const struct meta *m, uint64_t raft_id);
/* Why the wanted roles are not the actual ones yet ("" if they are): for STATUS. */
const char *meta_change_problem(const struct meta *m);

/* Hands leadership to another voter (0: libraft chooses). */
int meta_transfer(struct meta *m, uint64_t raft_id, struct error *e);

struct meta_statistics {
    uint64_t term, last_index, commit_index, applied_index, snapshots, proposals_open;
};
void meta_statistics(const struct meta *m, struct meta_statistics *out);

#endif
