/* How many keys there are, and what they hold, kept with the checkpoint: so that a start need not look at every row.
 *
 * Rows under slot 0xffff, written in one batch just before a checkpoint begins:
 *   "counts" · 0(4)            format(1) · sequence of this batch(8)
 *   "counts" · database id(4)  keys with an expiry(8) · of each slot, as varints: keys and, if there are any, bytes; none: no keys
 * At open what they say is corrected by what the log changed since. They hold for their own batch only: if the checkpoint ends at another, as
 * in one written by something that knows no keyspace, the rows are counted. */
#ifndef AIKV_KEYSPACE_COUNTS_H
#define AIKV_KEYSPACE_COUNTS_H

#include "keyspace/databases.h"
#include "store/store.h"

/* In the open batch, whose sequence will be `sequence`: the counts of what changed since they were written last. */
void counts_write(struct store *store, struct databases *d, uint64_t sequence);
/* Reads the counts as of the store's base into `now`, the map as it is; `base` is the map as it was then. False: there are none that hold. */
bool counts_read(struct store *store, const struct databases *base, struct databases *now);

#endif
