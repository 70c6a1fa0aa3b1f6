/* A state and commands that use every field of the format. */
#ifndef AIKV_TEST_CLUSTER_RICH_H
#define AIKV_TEST_CLUSTER_RICH_H

#include "fixture.h"

/* Six nodes, scripts, an ended run and one in its second round with steps of every status. */
struct cluster_state *rich_state(void);
/* One command of each type, 0 to CLUSTER_RUN_END; release it. */
struct cluster_command rich_command(enum cluster_command_type type);

#endif
