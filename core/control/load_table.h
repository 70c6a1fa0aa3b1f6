/* The load of all slots, as the leader was told by those who serve them. Pure. */
#ifndef AIKV_CONTROL_LOAD_TABLE_H
#define AIKV_CONTROL_LOAD_TABLE_H

#include "cluster/live.h"
#include "control/message.h"

struct load_table {
    uint64_t version; /* of the metadata that it fits */
    struct cluster_load load;
    uint64_t reporter[CLUSTER_SLOTS]; /* the beginning of the node's id; 0: none has reported */
};

/* Forgets the slots that have another primary than the one that reported them. Cheap while the version is the same. */
void load_table_fit(struct load_table *t, const struct cluster_state *s);
/* Takes a report, of those slots whose primary `node` is: what it says of others is out of date, or a lie. */
void load_table_take(struct load_table *t, const struct cluster_state *s, const char *node, const struct message_load *m);

#endif
