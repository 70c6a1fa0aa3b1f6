#include "store/wal_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int system_open(void *user, const char *path, int flags, mode_t mode)
{
    (void)user;
    return open(path, flags, mode);
}

static ssize_t system_pwritev(void *user, int fd, const struct iovec *parts, int count, off_t at)
{
    (void)user;
    return pwritev(fd, parts, count, at);
}

static ssize_t system_pread(void *user, int fd, void *to, size_t len, off_t at)
{
    (void)user;
    return pread(fd, to, len, at);
}

static int system_fdatasync(void *user, int fd)
{
    (void)user;
    return fdatasync(fd);
}

static int system_fsync(void *user, int fd)
{
    (void)user;
    return fsync(fd);
}

static int system_rename(void *user, const char *from, const char *to)
{
    (void)user;
    return rename(from, to);
}

static int system_unlink(void *user, const char *path)
{
    (void)user;
    return unlink(path);
}

static int system_close(void *user, int fd)
{
    (void)user;
    return close(fd);
}

const struct wal_calls wal_calls_system = {
    NULL,          system_open,   system_pwritev, system_pread, system_fdatasync,
    system_rename, system_unlink, system_close,   system_fsync,
};

int wal_io_write(const struct wal_calls *calls, int fd, struct iovec *parts, size_t count, uint64_t at)
{
    while (count) {
        ssize_t n = calls->pwritev(calls->user, fd, parts, count < IOV_MAX ? (int)count : IOV_MAX, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO; /* parts are never all empty */
        at += (uint64_t)n;
        size_t left = (size_t)n;
        for (; count && left >= parts->iov_len; parts++, count--) left -= parts->iov_len;
        if (count) {
            parts->iov_base = (uint8_t *)parts->iov_base + left;
            parts->iov_len -= left;
        }
    }
    return 0;
}

int wal_io_zero(const struct wal_calls *calls, int fd, uint64_t from, uint64_t to)
{
    enum { PARTS = 16 };
    static uint8_t zeroes[65536];
    while (from < to) {
        struct iovec parts[PARTS];
        size_t count = 0;
        uint64_t end = from;
        while (count < PARTS && end < to) {
            size_t len = to - end < sizeof zeroes ? (size_t)(to - end) : sizeof zeroes;
            parts[count++] = (struct iovec){zeroes, len};
            end += len;
        }
        int rc = wal_io_write(calls, fd, parts, count, from);
        if (rc) return rc;
        from = end;
    }
    return 0;
}

int wal_io_read(const struct wal_calls *calls, int fd, void *to, size_t len, uint64_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = calls->pread(calls->user, fd, (uint8_t *)to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO; /* it was longer a moment ago */
        done += (size_t)n;
    }
    return 0;
}

int wal_io_sync(const struct wal_calls *calls, int fd)
{
    int rc;
    do rc = calls->fdatasync(calls->user, fd);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? errno : 0;
}

int wal_io_sync_dir(const struct wal_calls *calls, int fd)
{
    int rc;
    do rc = calls->fsync(calls->user, fd);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? errno : 0;
}

int wal_io_rename(const struct wal_calls *calls, const char *from, const char *to)
{
    int rc;
    do rc = calls->rename(calls->user, from, to);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? errno : 0;
}

int wal_io_unlink(const struct wal_calls *calls, const char *path)
{
    int rc;
    do rc = calls->unlink(calls->user, path);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? errno : 0;
}

int wal_io_open(const struct wal_calls *calls, const char *path, int flags, int *fd)
{
    do *fd = calls->open(calls->user, path, flags | O_CLOEXEC, 0600);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? errno : 0;
}
