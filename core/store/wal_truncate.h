/* The intention to cut a log off behind a position, as a file in its directory. Once it is there, the next opening finishes what was begun:
 * whatever of the rest a crash leaves is taken neither for records nor for damage.
 *
 *   magic 8 · format 4 · CRC-32C of the rest 4 · epoch 8 · sequence 8, little-endian */
#ifndef AIKV_STORE_WAL_TRUNCATE_H
#define AIKV_STORE_WAL_TRUNCATE_H

#include "store/wal.h"

#define WAL_TRUNCATE        "truncate"
#define WAL_TRUNCATE_FORMAT 1
#define WAL_TRUNCATE_SIZE   ((size_t)32)

/* *to becomes what is intended, 0/0 for nothing. Errors: FORMAT, IO. */
int wal_truncate_read(const char *dir, const struct wal_calls *calls, struct store_position *to, struct error *e);
/* In place of an older intention; durable afterwards. Errors: IO, DISK. */
int wal_truncate_write(const char *dir, int dir_fd, const struct wal_calls *calls, struct store_position to, struct error *e);
/* It is carried out, durably; so is that it is gone. */
int wal_truncate_remove(const char *dir, int dir_fd, const struct wal_calls *calls, struct error *e);

#endif
