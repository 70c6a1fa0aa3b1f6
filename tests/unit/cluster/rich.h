/* A state and commands that use every field of the format. */
#ifndef AIKV_TEST_CLUSTER_RICH_H
#define AIKV_TEST_CLUSTER_RICH_H

#include "fixture.h"

/* Six nodes, two of them with orders of operators; scripts, settings, triggers, which are paused; a failed run, a cancelled one, and one
 * that a trigger began, paused in its second round, with a step of every op and steps of every status. */
struct cluster_state *rich_state(void);
/* A step of the op with a value in each of its fields; release it. */
struct cluster_step rich_step(enum cluster_op op);
/* One command of each type, 0 to CLUSTER_TRIGGERS_PAUSE; release it. */
struct cluster_command rich_command(enum cluster_command_type type);

#endif
