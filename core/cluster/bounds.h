/* Limits within a state that keep the whole below CLUSTER_ENCODED_MAX, so that what lets the cluster go on never lacks
 * room:
 *
 *   scripts   and triggers may bring the whole to MAX / 2, nodes to MAX * 5/8 (10 MiB); beyond that they are refused
 *   labels    that operators give: 4,096 of 256 bytes
 *   runs      one that runs: source 256 KiB, params 70 KiB, a round's steps 1 MiB and their errors 256 KiB, 100
 *             failures 72 KiB, 4,096 completions 48 KiB; those before it 1 MiB, the oldest are forgotten
 *   shards    4,096 of 64 bytes, slots 96 KiB
 *
 * 10 MiB + 5 MiB for labels, runs, shards and slots: no other command is ever refused for size, and neither is news of a
 * node that is no longer than what it said before. */
#ifndef AIKV_CLUSTER_BOUNDS_H
#define AIKV_CLUSTER_BOUNDS_H

#include "cluster/state.h"

#define CLUSTER_ROOM_SCRIPTS        (CLUSTER_ENCODED_MAX / 2)
#define CLUSTER_ROOM_NODES          ((size_t)CLUSTER_ENCODED_MAX / 8 * 5)
#define CLUSTER_ROUND_ENCODED_MAX   (1u << 20)
#define CLUSTER_HISTORY_ENCODED_MAX (1u << 20)
#define CLUSTER_SCRIPT_VERSIONS_MAX 10 /* of one name */
#define CLUSTER_FAILURES_MAX        100
#define CLUSTER_COMPLETIONS_MAX     4096

#endif
