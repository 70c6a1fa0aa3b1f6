/* The commands of the metadata state machine: the only way to change a state. */
#ifndef AIKV_CLUSTER_COMMAND_H
#define AIKV_CLUSTER_COMMAND_H

#include "cluster/state.h"

/* Numbers are part of the format of MetaRaft's log: append only. */
enum cluster_command_type {
    CLUSTER_NOTHING = 0,
    CLUSTER_FOUND = 1,         /* cluster_id, info: an empty state becomes a cluster of one voter, with raft id 1 */
    CLUSTER_ADMIT = 2,         /* info: a new member, up. An alias another node has is refused. The same info again: nothing */
    CLUSTER_UPDATE_NODE = 3,   /* info: a member's new addresses, version, incarnation (never a lower one) */
    CLUSTER_SET_ROLE = 4,      /* node, role: wanted role. none → learner gives a raft id; learner → voter. Both need the node up.
                                  voter → learner → none: never the last voter, nor one without whom no majority is up */
    CLUSTER_CREATE_SHARD = 5,  /* node; result.value: the number. A primary already: nothing, its number */
    CLUSTER_ASSIGN_SLOTS = 6,  /* shard, slots */
    CLUSTER_REPLICATE = 7,     /* node, shard */
    CLUSTER_SET_REACHABLE = 8, /* node, up */
    CLUSTER_LOAD_SCRIPT = 9,   /* name, version, source, wall_ms: makes it current; the same version again: nothing but current */
    CLUSTER_RUN_START = 10,    /* name, version, source, params, one_round, text (trigger), wall_ms; result.value: run id. Refused while one runs,
                                  and with a trigger while these are paused */
    CLUSTER_RUN_ROUND = 11,    /* run, round, steps, score: round must be the run's + 1, and no step of the last one pending or started
                                  (after a failed or stale step the pending ones are dropped) */
    CLUSTER_RUN_STEP = 12,     /* run, round, index, step_status, text (error): pending → started → done | failed, pending → stale; others are STALE, and
                                  so is a start in a paused run; again: nothing */
    CLUSTER_RUN_END = 13,      /* run, run_status, text (error), score, wall_ms; an ended run: nothing */
    CLUSTER_REMOVE_NODE = 14,  /* node: of no shard, no voter; no member: nothing */
    CLUSTER_DROP_SHARD = 15,   /* shard: without slots; its nodes are in none then; no shard: nothing */
    CLUSTER_DETACH = 16,       /* node: a replica is in no shard then; in none: nothing */
    CLUSTER_MOVE_SLOTS = 17,   /* shard, to, slots: of `shard`, or of `to` already; another one. Their keys are the proposer's matter */
    CLUSTER_SET_SETTING = 18,  /* setting, value */
    CLUSTER_SET_LEAVING = 19,  /* node, on */
    CLUSTER_SET_LABELS = 20,   /* node, text */
    CLUSTER_DELETE_SCRIPT = 21, /* name: all its versions */
    CLUSTER_SET_CURRENT = 22,  /* name, version: one that is kept becomes current */
    CLUSTER_RUN_PAUSE = 23,    /* run, on */
    CLUSTER_TRIGGER_SET = 24,  /* trigger (last_run and fired_ms stay as they are): made, or replaced */
    CLUSTER_TRIGGER_DELETE = 25, /* name */
    CLUSTER_TRIGGERS_PAUSE = 26, /* on */
};

/* One struct for all; a type uses the fields named above, the others are zero. Owns what its pointers point to. */
struct cluster_command {
    enum cluster_command_type type;
    char cluster_id[CLUSTER_ID_LEN + 1];
    struct cluster_node_info info;
    char node[CLUSTER_ID_LEN + 1];
    enum cluster_role role;
    bool up, one_round, on;
    uint32_t shard, to;
    struct cluster_ranges slots;
    char name[CLUSTER_NAME_MAX + 1], version[17];
    char *source;
    size_t source_len;
    struct cluster_param *params;
    uint32_t param_count;
    uint64_t run;
    uint32_t round, index;
    struct cluster_step *steps;
    uint32_t step_count;
    enum cluster_step_status step_status;
    enum cluster_run_status run_status;
    char text[385];
    double score; /* NAN: none */
    enum cluster_setting setting;
    int64_t value;
    struct cluster_trigger trigger;
    int64_t wall_ms;
};

void cluster_command_release(struct cluster_command *c);
/* Encoded form: format(1) · type(1) · fields of the type. */
void cluster_command_encode(const struct cluster_command *c, struct buffer *out);
/* Errors: FORMAT; bounds of every field are checked. On error nothing is to be released. */
int cluster_command_decode(struct bytes in, struct cluster_command *out, struct error *e);
const char *cluster_command_name(enum cluster_command_type type); /* "assign_slots" */

struct cluster_result {
    bool changed;       /* version rose */
    uint64_t value;     /* as the command says */
    struct error error; /* code 0: done, or nothing to do */
};

/* Applies one encoded command. Any bytes are safe: what does not decode, or would break an invariant, is refused with the reason (names
 * of nodes, shards, slots in the text) and changes nothing. Aborts on lack of memory. */
void cluster_apply(struct cluster_state *s, struct bytes command, struct cluster_result *out);

#endif
