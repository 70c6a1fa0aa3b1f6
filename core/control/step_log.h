/* The steps of the newest runs with their outcome, every round of them, for CLUSTER SCRIPT STATUS: the state itself
 * keeps only the round a run is at. Fed with the commands that were applied; in memory, bounded; after a restart it
 * holds what the state has. Pure. */
#ifndef AIKV_CONTROL_STEP_LOG_H
#define AIKV_CONTROL_STEP_LOG_H

#include "cluster/command.h"

#define STEP_LOG_MAX 2000

struct step_log_line {
    uint64_t run;
    uint32_t round, index;
    enum cluster_step_status status;
    bool dropped;                  /* never begun: another of its round failed or was stale, or the run ended */
    char node[CLUSTER_ID_LEN + 1]; /* "" where the step has none */
    char what[400], why[161], error[257];
};

struct step_log {
    struct step_log_line *lines; /* a ring once it is full */
    uint32_t count, room, oldest;
};

void step_log_release(struct step_log *l);
/* A command that changed the state. A voter sees each twice, from libraft and pushed; a round is taken in once. */
void step_log_applied(struct step_log *l, struct bytes command);
/* Takes in what a state holds of rounds that the log knows nothing of. */
void step_log_seed(struct step_log *l, const struct cluster_state *s);
/* How many there are, and the i-th, in the order they became known. */
uint32_t step_log_count(const struct step_log *l);
const struct step_log_line *step_log_at(const struct step_log *l, uint32_t i);
/* Those of a run, by round and index; returns how many. */
uint32_t step_log_of_run(const struct step_log *l, uint64_t run, const struct step_log_line *out[STEP_LOG_MAX]);
/* One line for people: "2.1 failed promote 3f07ab12 [5 aikv5] (why): error". Rounds and steps count from 1; `n` is what
 * is known of line->node, or NULL. */
void step_log_text(const struct step_log_line *line, const struct cluster_node_info *n, struct buffer *out);
#endif
