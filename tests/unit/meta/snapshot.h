/* Members that take snapshots after few entries. */
#ifndef META_TEST_SNAPSHOT_H
#define META_TEST_SNAPSHOT_H

#include "group.h"

/* For the members that are open now. */
void snapshot_often(struct group *g);
/* Makes changes from mark `*next` on, until the leader's log no longer has entry `index`. */
void forget(struct group *g, uint64_t *next, uint64_t index);

#endif
