/* What a node says of itself: checks, and how it is named to people. */
#ifndef AIKV_CLUSTER_INFO_H
#define AIKV_CLUSTER_INFO_H

#include "cluster/state.h"

#define CLUSTER_INFO_MIN_SIZE 99 /* of the encoded form: every text as short as it may be */

/* Errors: SYNTAX naming the field. */
int cluster_node_info_check(const struct cluster_node_info *i, struct error *e);

/* "node 4 (4f2a1b3c)", without an alias "node 4f2a1b3c": the 8 digits are accepted wherever a node is named. */
struct cluster_label {
    char text[40];
};
struct cluster_label cluster_node_label(const struct cluster_node_info *i);

#endif
