/* The cluster's metadata: what MetaRaft agrees on. (design: control-plane.md)
 *
 * Pure: no clock, no randomness, no I/O, no threads. The only way to change a state is cluster_apply with an encoded command, and the
 * same commands on the same state give the same state on every node and in the model that policies are tested on. Every command that
 * changes something raises `version` by one; one that is refused, or that finds everything as it should be, changes nothing at all.
 *
 * Text fields are NUL-terminated, printable, without blanks unless said otherwise. */
#ifndef AIKV_CLUSTER_STATE_H
#define AIKV_CLUSTER_STATE_H

#include "cluster/slots.h"
#include "cluster/step.h"

#define CLUSTER_FORMAT         2
#define CLUSTER_NODES_MAX      4096
#define CLUSTER_ENDPOINTS_MAX  8
#define CLUSTER_SCRIPT_MAX     (256u << 10) /* bytes of one source */
#define CLUSTER_SCRIPTS_MAX    256          /* versions of all scripts together */
#define CLUSTER_RUNS_MAX       50           /* the newest are kept */
#define CLUSTER_PARAMS_MAX     64
#define CLUSTER_ENCODED_MAX    (16u << 20)  /* of the whole state */
#define CLUSTER_NAME_MAX       64
#define CLUSTER_VOTERS_MAX     5
#define CLUSTER_RAFT_MAX       7            /* voters and learners */
#define CLUSTER_TRIGGERS_MAX   64

/* Where clients reach a node: the first rule that fits the client's address. */
struct cluster_endpoint {
    char match[64]; /* "any", "gateway" (the default gateway of the node that is asked), a CIDR */
    char host[254];
    uint16_t port;
};

/* What a node says of itself. */
struct cluster_node_info {
    char id[CLUSTER_ID_LEN + 1];
    uint32_t alias;            /* 0: none */
    char name[CLUSTER_NAME_MAX + 1];  /* of its machine, for people */
    char version[33];          /* of its AiKv */
    char bus_host[254];
    uint16_t bus_port;
    char zone[CLUSTER_NAME_MAX + 1];  /* may be empty */
    char labels[CLUSTER_LABELS_MAX + 1]; /* may be empty; free text */
    uint64_t incarnation;      /* one start of a node; rises with every start */
    struct cluster_endpoint endpoints[CLUSTER_ENDPOINTS_MAX];
    uint32_t endpoint_count;   /* at least 1; the last one has match "any" */
};
void cluster_node_info_write(struct buffer *b, const struct cluster_node_info *i);
/* Checks every field. Errors: SYNTAX naming the field. */
int cluster_node_info_read(struct reader *in, struct cluster_node_info *out, struct error *e);
bool cluster_node_info_equal(const struct cluster_node_info *a, const struct cluster_node_info *b);

enum cluster_role { CLUSTER_ROLE_NONE, CLUSTER_ROLE_LEARNER, CLUSTER_ROLE_VOTER };
const char *cluster_role_name(enum cluster_role role); /* "none" "learner" "voter" */

struct cluster_node {
    struct cluster_node_info info;
    enum cluster_role role; /* wanted in MetaRaft; the leader brings libraft's configuration to it */
    uint64_t raft_id;       /* 0: never had a role. Never used again. */
    uint32_t shard;         /* 0: none */
    bool in_sync;           /* member of its shard's in-sync set; without a shard false */
    bool up;                /* as the leader last recorded */
    bool leaving;           /* policies give it nothing more to do */
    char labels[CLUSTER_LABELS_MAX + 1]; /* instead of its own; "": its own */
};

struct cluster_shard {
    uint32_t number; /* from 1, never used again; "s3" for people */
    uint64_t epoch;  /* rises with every change of the shard */
    uint64_t reign;  /* rises with a new primary */
    char primary[CLUSTER_ID_LEN + 1];
};

struct cluster_script {
    char name[CLUSTER_NAME_MAX + 1];
    char version[17]; /* 16 hex digits of the source's hash */
    bool current;     /* the version that RUN takes; one a name */
    int64_t loaded_ms; /* wall time of loading */
    char *source;      /* owned */
    size_t source_len;
};

struct cluster_param {
    char name[CLUSTER_NAME_MAX + 1];
    char *value; /* owned; up to 1024 bytes */
};

enum cluster_run_status { CLUSTER_RUN_RUNNING, CLUSTER_RUN_DONE, CLUSTER_RUN_FAILED, CLUSTER_RUN_CANCELLED };
const char *cluster_run_status_name(enum cluster_run_status s); /* "running" "done" "failed" "cancelled" */
enum cluster_step_status {
    CLUSTER_STEP_PENDING,
    CLUSTER_STEP_STARTED,
    CLUSTER_STEP_DONE,
    CLUSTER_STEP_FAILED,
    CLUSTER_STEP_STALE, /* never begun: its shard has changed since it was planned. No failure; its round is planned anew */
    CLUSTER_STEP_STATUSES
};
const char *cluster_step_status_name(enum cluster_step_status s);

struct cluster_run_step {
    struct cluster_step step;
    enum cluster_step_status status;
    char error[257]; /* of a failed or stale one; may hold blanks */
};

/* A step that failed, in view.run.failed; without its slots. */
struct cluster_failure {
    uint32_t round;
    struct cluster_step step;
    char error[257];
};

struct cluster_run {
    uint64_t id;                       /* from 1 */
    char script[CLUSTER_NAME_MAX + 1]; /* name; "eval" for a one-off */
    char version[17];
    char trigger[CLUSTER_NAME_MAX + 1]; /* that started it; "": an operator did */
    char *source; /* owned; what this run plans with; dropped when it ends */
    size_t source_len;
    struct cluster_param *params; /* owned */
    uint32_t param_count;
    bool one_round; /* of an EVAL RUN: ends after its round */
    enum cluster_run_status status;
    bool paused;                    /* while it runs: no step begins */
    uint32_t round;                 /* 0 before the first */
    struct cluster_run_step *steps; /* of this round; owned; of an ended run until the next one starts */
    uint32_t step_count;
    struct cluster_failure *failed; /* the last 100 of the run; owned */
    uint32_t failed_count;
    uint32_t steps_done; /* all rounds */
    uint32_t slots_moved;
    double score_before, score_after; /* the policy's, when first and when last planned; NAN: it has none, or was not planned yet */
    struct cluster_completion { uint64_t digest; uint32_t count; } *completions; /* equal steps completed (no waits); owned; the newest 4,096;
                                                                                   none of an ended run */
    uint32_t completion_count;
    int64_t started_ms, ended_ms; /* wall time */
    char error[385];              /* why it failed; of one that is done, why its policy had no more steps; may hold blanks */
};

/* What may start a script by itself. The condition is a level, not an edge: as long as it holds the policy is asked, and a run begins if it
 * gives steps. */
enum cluster_event {
    CLUSTER_EVENT_NODE_DOWN, /* a member is down */
    CLUSTER_EVENT_NODE_UP,   /* a member came up since the script was asked last */
    CLUSTER_EVENT_CANDIDATE, /* a node has announced itself */
    CLUSTER_EVENT_IMBALANCE, /* a shard has more of the slots, keys, bytes or operations than the setting `tolerance` allows */
    CLUSTER_EVENT_SCHEDULE,  /* every so many seconds */
    CLUSTER_EVENTS
};
const char *cluster_event_name(enum cluster_event event); /* "node_down" */
/* By name; CLUSTER_EVENTS if there is none. */
enum cluster_event cluster_event_find(struct bytes name);

#define CLUSTER_EVERY_MAX_S    (366u * 86400)
#define CLUSTER_COOLDOWN_MAX_S (366u * 86400)

struct cluster_trigger {
    char name[CLUSTER_NAME_MAX + 1];   /* its id */
    char script[CLUSTER_NAME_MAX + 1]; /* looked up when it fires */
    enum cluster_event event;
    uint32_t every_s;    /* of SCHEDULE: 1 or more; else 0 */
    uint32_t cooldown_s; /* from the beginning of a run to that of the next */
    struct cluster_param *params; /* owned */
    uint32_t param_count;
    uint64_t last_run;   /* 0: none yet */
    int64_t fired_ms;    /* when that began; wall time */
};

struct cluster_state {
    char id[CLUSTER_ID_LEN + 1]; /* "" before FOUND */
    uint64_t version;
    uint64_t next_raft_id, next_run;
    uint32_t next_shard;
    struct cluster_node *nodes; /* sorted by id */
    uint32_t node_count;
    struct cluster_shard *shards; /* sorted by number */
    uint32_t shard_count;
    uint32_t owner[CLUSTER_SLOTS]; /* shard number; 0: unassigned */
    struct cluster_script *scripts; /* by name, then oldest first */
    uint32_t script_count;
    struct cluster_run *runs; /* oldest first */
    uint32_t run_count;
    struct cluster_trigger *triggers; /* sorted by name */
    uint32_t trigger_count;
    bool triggers_paused;
    int64_t settings[CLUSTER_SETTINGS];
};

struct cluster_state *cluster_state_new(void);
void cluster_state_free(struct cluster_state *s);
/* A deep copy; with `scripts` false without scripts, runs and triggers (what routing needs). */
struct cluster_state *cluster_state_clone(const struct cluster_state *s, bool scripts);

/* Equal states have equal bytes. */
void cluster_state_encode(const struct cluster_state *s, struct buffer *out);
/* Errors: FORMAT (version, damage: every invariant is checked). */
int cluster_state_decode(struct bytes in, struct cluster_state **out, struct error *e);
/* Checks every invariant of the list in control-plane.md; INVARIANT with the one that is broken. A state from apply or decode passes. */
int cluster_state_check(const struct cluster_state *s, struct error *e);

/* ---- looking ---- */
/* By 40-hex id; NULL if none. */
struct cluster_node *cluster_node_find(const struct cluster_state *s, const char *id);
/* By id, an unambiguous prefix of an id of 6 digits or more, alias, or name: what people type. Errors: NOT_FOUND, GENERIC (ambiguous), naming it. */
const struct cluster_node *cluster_node_named(const struct cluster_state *s, struct bytes text, struct error *e);
struct cluster_node *cluster_node_by_raft_id(const struct cluster_state *s, uint64_t raft_id);
struct cluster_shard *cluster_shard_find(const struct cluster_state *s, uint32_t number);
bool cluster_node_is_primary(const struct cluster_state *s, const struct cluster_node *n);
/* The slots of a shard (0: the unassigned ones). */
int cluster_shard_slots(const struct cluster_state *s, uint32_t number, struct cluster_ranges *out);
/* 40 hex digits for CLUSTER SHARDS and MYSHARDID: the cluster id's first 32 and the number. */
void cluster_shard_hex(const struct cluster_state *s, uint32_t number, char out[CLUSTER_ID_LEN + 1]);
struct cluster_trigger *cluster_trigger_find(const struct cluster_state *s, const char *name);
/* Those an operator gave it, or its own. */
const char *cluster_node_labels(const struct cluster_node *n);
const struct cluster_script *cluster_script_find(const struct cluster_state *s, const char *name, const char *version /* NULL: current */);
struct cluster_run *cluster_run_find(const struct cluster_state *s, uint64_t id);
/* How often a step equal to this one was completed in the run, as far as its completions are kept. */
uint32_t cluster_run_completed(const struct cluster_run *r, const struct cluster_step *step);
/* The run that is running, or NULL: there is at most one. */
struct cluster_run *cluster_run_active(const struct cluster_state *s);
uint32_t cluster_voters(const struct cluster_state *s);       /* nodes with that role */
uint32_t cluster_raft_members(const struct cluster_state *s); /* voters and learners */

#endif
