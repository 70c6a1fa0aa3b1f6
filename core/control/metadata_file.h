/* <data_dir>/metadata: the last metadata this node knew, so that it serves its slots right after a restart.
 *
 *   "AiKvMeta" · format(4) · CRC-32C of the state(4) · length of the state(8) · encoded state; little endian
 * Replaced whole: written beside it, synced, renamed. */
#ifndef AIKV_CONTROL_METADATA_FILE_H
#define AIKV_CONTROL_METADATA_FILE_H

#include "cluster/state.h"

/* Blocking. Errors: IO. Safe on any thread, one at a time. */
int metadata_file_write(const char *data_dir, struct bytes state, struct error *e);
/* Errors: FORMAT (something is there that is no file, so that none could ever be written in its place). */
int metadata_file_check(const char *data_dir, struct error *e);
/* Errors: NOT_FOUND (there is none), FORMAT (damaged, or of another format), IO. */
int metadata_file_read(const char *data_dir, struct cluster_state **out, struct error *e);
/* Durably. One that is not there is fine. Errors: IO. */
int metadata_file_remove(const char *data_dir, struct error *e);

#endif
