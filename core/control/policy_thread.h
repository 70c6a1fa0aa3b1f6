/* The policy thread: cluster scripts run here, one at a time, beside everything else. Control hands in jobs with all
 * they need, copied; they come back through control's mailbox. At most POLICY_JOBS_MAX wait. A plan goes before all
 * that waits: a run must go on however many scripts people EVAL. A dry run goes in slices, each behind all that waits. */
#ifndef AIKV_CONTROL_POLICY_THREAD_H
#define AIKV_CONTROL_POLICY_THREAD_H

#include "net/mailbox.h"
#include "script/dry_run.h"

#define POLICY_JOBS_MAX   64
#define POLICY_PLANS_ROOM 8 /* for plans beside them: the run's, and those of earlier reigns */
#define POLICY_DRY_RUNS_MAX 8 /* at once, beside them: each has a copy of the state until it ends */

enum policy_job_kind {
    POLICY_CHECK,  /* script_check → doc */
    POLICY_PARAMS, /* script_check_params */
    POLICY_PLAN,   /* script_plan → steps, score */
    POLICY_EVAL,   /* script_eval → reply, and steps if wanted */
    POLICY_VIEW,   /* script_view_json → reply */
    POLICY_DRY_RUN /* dry_run, to its end */
};

struct policy_job {
    struct mailbox_message message; /* first; private */
    struct policy_job *next;        /* private */
    enum policy_job_kind kind;
    /* In; owned by the job. */
    char name[CLUSTER_NAME_MAX + 1], version[17];
    char *text;
    size_t text_len;
    struct cluster_param *params;
    uint32_t param_count;
    struct bytes *argv; /* one block with the bytes it points to */
    uint32_t argc;
    struct cluster_state *state;
    struct cluster_live live;
    uint64_t run; /* of the state; 0: none */
    int protocol;
    bool wants_steps;
    struct script_dry_run *dry_run; /* and out; owned */
    /* Out; owned by the job. */
    struct error error; /* code 0: it went well */
    char doc[257];
    struct buffer reply;
    struct script_steps steps;
    double score; /* the policy's; NAN: it has none */
    /* What becomes of it, on control's thread; `user` is the mailbox's. The job is freed afterwards. */
    void (*done)(void *user, struct policy_job *job);
    uint64_t call;  /* for `done`: the call that asked, or */
    uint32_t round; /* the round it plans for */
};

struct policy_job *policy_job_new(enum policy_job_kind kind);
/* Copies. */
void policy_job_set_source(struct policy_job *j, const char *name, const char *version, struct bytes text);
void policy_job_set_params(struct policy_job *j, const struct cluster_param *params, uint32_t count);
void policy_job_set_argv(struct policy_job *j, const struct bytes *argv, uint32_t argc);
void policy_job_free(struct policy_job *j);

struct policy_thread;
/* Results go to `mailbox`. NULL: no thread. */
struct policy_thread *policy_thread_new(struct mailbox *mailbox);
/* Takes the job; false (it stays the caller's) when too many wait. */
bool policy_thread_submit(struct policy_thread *t, struct policy_job *job);
/* Ends the script that runs, and waits for the thread. Jobs not begun are dropped without their `done`. */
void policy_thread_free(struct policy_thread *t);

#endif
