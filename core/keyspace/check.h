/* What must hold of all rows together. */
#ifndef AIKV_KEYSPACE_CHECK_H
#define AIKV_KEYSPACE_CHECK_H

#include "keyspace/keyspace.h"

/* Reads every row: each must be readable, and the counts (of keys, keys of a slot, expiring keys, by database) what the rows
 * add up to. Between commands. Errors: FORMAT, with what is wrong. */
int keyspace_check(struct keyspace *ks, struct error *e);

#endif
