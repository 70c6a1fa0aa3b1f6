/* Small files that change as a whole, or not at all. */
#ifndef AIKV_SERVER_REPLACE_FILE_H
#define AIKV_SERVER_REPLACE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

#define REPLACE_FILE_PATH_MAX 1020 /* bytes */

/* The name `path` changes from the old content to the new at once, and both are on disk before it does. `check` (may be
 * NULL) gets to see the new file under its temporary name; an error of its own leaves everything as it was. Errors: IO, PERMISSION, DISK. */
int replace_file(const char *path, struct bytes content, mode_t mode, int (*check)(void *user, const char *temporary, struct error *e), void *user,
                 struct error *e);
/* Syncs the directory that holds the name `path`, which has just been made. */
int replace_file_sync_parent(const char *path, struct error *e);

#endif
