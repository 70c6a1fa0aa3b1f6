/* What must hold of all rows together. For tests and `aikv check`: it reads everything. */
#ifndef AIKV_KEYSPACE_CHECK_H
#define AIKV_KEYSPACE_CHECK_H

#include "keyspace/keyspace.h"

/* Every row is understood; the counts (of keys, keys of a slot, expiring keys, by
 * database) are what the rows add up to; every object has one holder, a key or the list of what waits to be deleted; every node
 * belongs to an object, and lies within it; what waits in memory and in rows is the same. Between commands. Errors: FORMAT, with what is wrong. */
int keyspace_check(struct keyspace *ks, struct error *e);

#endif
