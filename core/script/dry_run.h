/* Dry runs: a policy's rounds carried out on a copy of the cluster, to see what a run would do.
 *
 * Every step is applied to the copy by the state machine itself. Time does not pass in it, so a round that only waits
 * ends it; roles are reached at once, and candidates answer. It goes in slices, so that a run's plans get their turn on
 * the policy thread between them, and ends by itself when its time is over. What it keeps is bounded by what a state
 * may hold, and SCRIPT_DRY_RUN_STEPS_MAX and SCRIPT_DRY_RUN_RANGES_MAX. */
#ifndef AIKV_SCRIPT_DRY_RUN_H
#define AIKV_SCRIPT_DRY_RUN_H

#include "script/policy.h"
#include "script/totals.h"

struct resp_writer;

#define SCRIPT_DRY_RUN_MS         10000 /* what a caller may well give it */
#define SCRIPT_DRY_RUN_STEPS_MAX  2000
#define SCRIPT_DRY_RUN_RANGES_MAX 100000 /* of slots, in all steps that are kept */

/* What is said of a plan that moves slots. */
#define SCRIPT_MOVES_NOTE "move_slots cannot be carried out in this version: RUN would fail"

enum script_outcome {
    SCRIPT_GOES_ON,
    SCRIPT_DONE,    /* the policy has no more steps */
    SCRIPT_WAITS,   /* it only waits */
    SCRIPT_REFUSED, /* a step was */
    SCRIPT_CIRCLES,
    SCRIPT_ERROR /* of the policy, of its steps, or a bound was met */
};
const char *script_outcome_name(enum script_outcome outcome); /* "done" "waits" "refused" "circles" "error"; "" */

struct script_dry_step {
    struct cluster_step step;
    const char *becomes; /* planned, waits, refused, or dropped, after a refused one */
    char *line;          /* "<round>.<step> <what becomes of it> <step>", as CLUSTER SCRIPT STATUS shows them */
    char *error;         /* why it is refused; "" if it is not */
};
struct script_dry_round {
    struct script_dry_step *steps;
    uint32_t count;
};

/* A shard whose slots the plan changes. One that is new had none, one that is dropped has none. */
struct script_dry_shard {
    uint32_t number;
    struct shard_totals before, after;
};

struct script_dry_result {
    char script[CLUSTER_NAME_MAX + 1], version[17];
    enum script_outcome outcome;
    char error[385]; /* why it ended so; "": done, or waits */
    struct script_dry_round *rounds;
    uint32_t round_count;
    uint32_t steps, steps_left_out;  /* of all rounds; the first ones are kept */
    size_t ranges;                   /* of slots in the steps that are kept */
    char why[161];                   /* what the policy said of its last answer, or what it waits for; "": nothing */
    struct script_dry_shard *shards; /* in the order of their numbers, once it has ended */
    uint32_t shard_count;
    double score_before, score_after; /* when first and when last planned; NAN: none */
    uint32_t slots_moved;
    bool moves_slots; /* a step would, or was refused to */
};

struct script_dry_run;
/* A run of the policy on `state`, in which none may be running, and `live`; takes both over. It has ended `time_ms`
 * from now, whatever else ran meanwhile. Never NULL. */
struct script_dry_run *script_dry_run_new(const struct script_source *source, const struct cluster_param *params,
                                          uint32_t param_count, struct cluster_state *state, struct cluster_live *live,
                                          uint64_t time_ms);
void script_dry_run_free(struct script_dry_run *d);
/* A slice: one plan, within `limits` (NULL: the default ones), or steps for a tenth of a second. False: the end. */
bool script_dry_run_advance(struct script_dry_run *d, const struct script_limits *limits);
/* What came out so far, valid until the next call. */
const struct script_dry_result *script_dry_run_result(const struct script_dry_run *d);

/* Writes what CLUSTER SCRIPT PLAN replies: a map. `data`: each step as a map of its fields, with all its slots, instead
 * of a line for people. `note` is of the caller's, "" for none. */
void script_dry_run_write(const struct script_dry_result *r, bool data, const char *note, struct resp_writer *w);

#endif
