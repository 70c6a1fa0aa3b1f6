/* The parts of CLUSTER. */
#ifndef AIKV_COMMAND_CLUSTER_H
#define AIKV_COMMAND_CLUSTER_H

#include "command/call.h"

/* The routing table to answer from; NULL: there is none yet, and the error was replied. */
const struct cluster_routing *command_cluster_routing(struct command_call *c);

/* Maximal runs of slots with the same primary: for (r = first; r.to …). */
struct command_slot_run {
    unsigned from, to;
    int16_t primary; /* index in state->nodes; -1: nobody */
};
/* The run that begins at `from` (< CLUSTER_SLOTS). */
struct command_slot_run command_cluster_run(const struct cluster_routing *r, unsigned from);

void command_cluster_info(struct command_call *c);
void command_cluster_nodes(struct command_call *c);
void command_cluster_replicas(struct command_call *c);
void command_cluster_slots(struct command_call *c);
void command_cluster_shards(struct command_call *c);

#endif
