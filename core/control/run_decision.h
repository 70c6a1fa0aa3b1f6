/* What a run of a cluster script does next. Pure: the metadata and a little memory in, one action out. Whoever leads
 * asks again after everything that happens, so a new leader goes on where the old one stopped.
 *
 * Steps of a round that touch nothing in common are carried out at once, up to the setting `concurrency`; others keep
 * the policy's order. Once a step has failed or is stale, or the run is paused, no other begins; those under way end. */
#ifndef AIKV_CONTROL_RUN_DECISION_H
#define AIKV_CONTROL_RUN_DECISION_H

#include "cluster/state.h"

#define RUN_WAITED_MAX_MS     (10u * 60 * 1000)
#define RUN_FAILED_ROUNDS_MAX 5
#define RUN_BEGIN_MAX         64  /* what `concurrency` may be at most */
#define RUN_OPEN_SEEN_MAX     256 /* open steps of a round that are looked at for some that may begin */

/* What this leader has seen of a run. A new leader begins with an empty one: the bounds on rounds and waiting count
 * from then on (they are there to end scripts that never end). */
struct run_memory {
    uint64_t run;
    uint32_t rounds; /* begun, those that only wait not counted */
    uint64_t waited_ms;
    char waiting_for[161];
};
void run_memory_round_begun(struct run_memory *m, const struct cluster_step *steps, uint32_t count);
void run_memory_waited(struct run_memory *m, const struct cluster_step *step);

enum run_action {
    RUN_PLAN,  /* ask the policy for the next round */
    RUN_STEPS, /* go on with the steps that have started, and begin those of the list */
    RUN_REST,  /* paused, and nothing is under way */
    RUN_FINISH /* the run ends with `status` and `error` */
};

struct run_decision {
    enum run_action action;
    uint32_t begin[RUN_BEGIN_MAX]; /* indexes, in the policy's order */
    uint32_t begin_count;
    enum cluster_run_status status;
    char error[385];
};
/* `run` is one of the state. */
void run_decide(const struct cluster_state *s, const struct cluster_run *run, const struct run_memory *memory,
                struct run_decision *out);

#endif
