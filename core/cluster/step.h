/* Steps: what a policy asks for. One table (step.def) has every op, its fields and what it touches; checks, effects, Lua and the
 * reference page come from it. */
#ifndef AIKV_CLUSTER_STEP_H
#define AIKV_CLUSTER_STEP_H

#include "cluster/setting.h"
#include "cluster/slots.h"

#define CLUSTER_ID_LEN     40
#define CLUSTER_STEPS_MAX  1000 /* a round */
#define CLUSTER_ROUNDS_MAX 100
#define CLUSTER_EQUAL_STEPS_MAX 3 /* an equal step completed so often: the run goes in circles */
#define CLUSTER_WAIT_MAX_MS 60000
#define CLUSTER_LABELS_MAX  256

enum cluster_op {
#define STEP(name, fields, touches, doc) CLUSTER_OP_##name,
#include "cluster/step.def"
#undef STEP
    CLUSTER_OPS
};

enum cluster_field {
    CLUSTER_FIELD_NODE = 1,
    CLUSTER_FIELD_SHARD = 2,
    CLUSTER_FIELD_SLOTS = 4,
    CLUSTER_FIELD_MS = 8,
    CLUSTER_FIELD_FROM = 16, /* a shard */
    CLUSTER_FIELD_TO = 32,   /* a shard */
    CLUSTER_FIELD_KEY = 64,
    CLUSTER_FIELD_VALUE = 128,
    CLUSTER_FIELD_ON = 256,
    CLUSTER_FIELD_LABELS = 512,
};

enum cluster_touch {
    CLUSTER_TOUCH_NODE = 1,  /* its node */
    CLUSTER_TOUCH_SHARD = 2, /* its shards, or the one its node is in or gets */
    CLUSTER_TOUCH_VOTERS = 4,
    CLUSTER_TOUCH_SETTINGS = 8,
    CLUSTER_TOUCH_ALL = 16, /* whatever another step touches */
};

struct cluster_step {
    enum cluster_op op;
    char node[CLUSTER_ID_LEN + 1]; /* "" where the op has none; likewise below */
    uint32_t shard; /* or `from` */
    uint32_t to;
    struct cluster_ranges slots; /* owned */
    uint32_t ms;
    enum cluster_setting key;
    int64_t value;
    bool on;
    char labels[CLUSTER_LABELS_MAX + 1]; /* may hold blanks */
    char why[161]; /* for people; may hold blanks */
};

struct cluster_op_info {
    const char *name; /* "add_learner", as in Lua */
    unsigned fields;  /* required ones, or-ed */
    unsigned touches; /* or-ed */
    const char *doc;
};
const struct cluster_op_info *cluster_op_info(enum cluster_op op);
/* By Lua name; CLUSTER_OPS if there is none. */
enum cluster_op cluster_op_find(struct bytes name);

void cluster_step_release(struct cluster_step *s);
int cluster_step_copy(struct cluster_step *out, const struct cluster_step *from);
void cluster_step_write(struct buffer *b, const struct cluster_step *s);
int cluster_step_read(struct reader *in, struct cluster_step *out, struct error *e);
/* Whether there is none but `wait` among them. */
bool cluster_steps_only_wait(const struct cluster_step *steps, uint32_t count);
/* Equal steps (why aside) have equal digests. */
uint64_t cluster_step_digest(const struct cluster_step *s);
struct cluster_state;
/* Whether two steps of a round, neither of which has ended, must keep their order. `s` is the state as it is now, not as the round began:
 * where a shard is touched through a node, that is the one it is in in `s`, or the next one to be made. */
bool cluster_steps_meet(const struct cluster_state *s, const struct cluster_step *a, const struct cluster_step *b);
/* One line for people: "assign_slots s1 0-5460 (5461 slots)". */
void cluster_step_text(const struct cluster_step *s, char *out, size_t size);
/* That line with the alias and name of the step's node, as far as they are known: "promote 3f07ab12 [5 aikv5]". `n` may be NULL. */
struct cluster_node_info;
void cluster_step_label(const char *line, const struct cluster_node_info *n, struct buffer *out);

/* ---- what a step does to a state ---- */
struct cluster_command;

/* Turns a step into the command that carries it out. `candidates` (`n`) are the announced nodes, which `admit` looks in.
 * Returns 0 and a command (release it); 0 and type CLUSTER_NOTHING for `wait` and `transfer_leader`, which are not the metadata's matter, and
 * for a step whose effect is there already; or the
 * error: INVARIANT with the reason it is refused, NOT_FOUND naming what does not exist. Applying the command may still refuse it. */
int cluster_step_command(const struct cluster_state *s, const struct cluster_node_info *candidates, size_t n,
                         const struct cluster_step *step, struct cluster_command *out, struct error *e);

#endif
