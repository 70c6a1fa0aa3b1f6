/* Signals that tell of a bad disk or damaged data rather than of a bad program: they end the process with a message and the
 * exit code for it. */
#ifndef AIKV_SERVER_FAULTS_H
#define AIKV_SERVER_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* From now on; before there are other threads. */
void faults_init(void);
/* While the store is opened all of it is looked at, and LMDB, whose pages carry no checksum, follows whatever they say: an
 * access to memory that is not there counts as damage in between. */
void faults_opening(bool yes);

/* Does work that may end the process, as reading damaged pages may, in a process of its own; before there are other threads. `user` of `size` bytes is shared
 * with it: what `work` leaves there is there afterwards. Returns what `work` does; FORMAT if it did not come to an end, naming the signal. `e` is not a part of `user`. */
int faults_contain(int (*work)(void *user, struct error *e), void *user, size_t size, struct error *e);

#endif
