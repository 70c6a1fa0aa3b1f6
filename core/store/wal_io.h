/* Whole reads and writes through wal_calls: short ones are continued, interrupted ones repeated. All return 0 or errno.
 */
#ifndef AIKV_STORE_WAL_IO_H
#define AIKV_STORE_WAL_IO_H

#include "store/wal.h"

/* Changes `parts`. */
int wal_io_write(const struct wal_calls *calls, int fd, struct iovec *parts, size_t count, uint64_t at);
int wal_io_zero(const struct wal_calls *calls, int fd, uint64_t from, uint64_t to);
/* A file that ends before `len` bytes gives EIO. */
int wal_io_read(const struct wal_calls *calls, int fd, void *to, size_t len, uint64_t at);
int wal_io_sync(const struct wal_calls *calls, int fd);
/* For directories, whose entries fdatasync need not write. */
int wal_io_sync_dir(const struct wal_calls *calls, int fd);
int wal_io_rename(const struct wal_calls *calls, const char *from, const char *to);
int wal_io_unlink(const struct wal_calls *calls, const char *path);
/* *fd gets the file; 0 or errno. */
int wal_io_open(const struct wal_calls *calls, const char *path, int flags, int *fd);

#endif
