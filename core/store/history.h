/* Which epoch each sequence of a log belongs to: a short table of where epochs begin. Pure. What others may use is in store.h. */
#ifndef AIKV_STORE_HISTORY_H
#define AIKV_STORE_HISTORY_H

#include "store/store.h"

/* A record of `epoch` begins at `first`: notes it if it is the first of its epoch. The oldest epoch is forgotten when there are too many. */
void history_add(struct store_history *h, uint64_t epoch, uint64_t first);
/* The position of a sequence. One older than the table remembers gets its oldest epoch, which is later than the true one. */
struct store_position history_position(const struct store_history *h, uint64_t sequence);
/* Whether epochs and their beginnings rise: of what was read from a disk or a peer. */
bool history_is_sound(const struct store_history *h);

#endif
