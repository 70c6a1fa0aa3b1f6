/* The calls that the shim stands in for. */
#include "shim.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- open ---- */

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    char whole[PATH_BYTES];
    struct stat s;
    NEXT(openat);
    if (!shim_path_is_ours(at, path, whole)) return next_openat(at, path, flags, mode);
    shim_lock();
    if (shim_fault(CALL_OPEN, whole) == FAULT_FAIL) {
        shim_unlock();
        return -1;
    }
    bool is_new = (flags & O_CREAT) != 0 && stat(whole, &s) != 0;
    int fd = next_openat(at, path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX && fstat(fd, &s) == 0) {
        struct tracked *t = &shim.fds[fd];
        *t = (struct tracked){.is_tracked = true, .is_dsync = (flags & O_DSYNC) != 0, .inode = s.st_ino};
        memcpy(t->path, whole, strlen(whole) + 1);
        shim_journal_path(RECORD_OPEN, s.st_ino, is_new ? 1 : (flags & O_TRUNC) != 0 ? 2 : 0, whole, NULL);
    }
    shim_unlock();
    return fd;
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return open_any(AT_FDCWD, path, flags, mode);                                                                  \
    }
#define OPENAT(name)                                                                                                   \
    int name(int at, const char *path, int flags, ...)                                                                 \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return open_any(at, path, flags, mode);                                                                        \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
int creat(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- write and read ---- */

/* `offset` < 0: where the file stands. */
static ssize_t write_any(int fd, const struct iovec *data, int parts, off_t offset)
{
    uint64_t port = 0;
    NEXT(writev);
    NEXT(pwritev);
    struct tracked *t = shim_tracked(fd);
    if (t == NULL) {
        if (!shim_is_client(fd, &port))
            return offset < 0 ? next_writev(fd, data, parts) : next_pwritev(fd, data, parts, offset);
        shim_lock();
        ssize_t sent = next_writev(fd, data, parts);
        shim_journal_reply(port, sent);
        shim_unlock();
        return sent;
    }
    if (parts > IOV_PARTS_MAX) shim_complain("too many parts in one write");
    shim_lock();
    enum fault f = shim_fault(CALL_WRITE, t->path);
    ssize_t n = -1;
    if (f != FAULT_FAIL) {
        struct iovec half = {data[0].iov_base, (data[0].iov_len + 1) / 2};
        if (f == FAULT_SHORT) data = &half, parts = 1;
        if (offset < 0) offset = lseek(fd, 0, SEEK_CUR);
        n = next_pwritev(fd, data, parts, offset);
        if (n > 0) {
            shim_journal_write(t, data, parts, (uint64_t)offset, (size_t)n);
            lseek(fd, offset + n, SEEK_SET);
        }
    }
    shim_unlock();
    return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    return write_any(fd, &(struct iovec){(void *)(uintptr_t)data, len}, 1, -1);
}
ssize_t writev(int fd, const struct iovec *data, int parts)
{
    return write_any(fd, data, parts, -1);
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    return write_any(fd, &(struct iovec){(void *)(uintptr_t)data, len}, 1, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
    return pwrite(fd, data, len, offset);
}
ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t offset)
{
    return write_any(fd, data, parts, offset);
}
ssize_t pwritev64(int fd, const struct iovec *data, int parts, off_t offset)
{
    return write_any(fd, data, parts, offset);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    uint64_t port = 0;
    NEXT(send);
    if (!shim_is_client(fd, &port)) return next_send(fd, data, len, flags);
    shim_lock();
    ssize_t n = next_send(fd, data, len, flags);
    shim_journal_reply(port, n);
    shim_unlock();
    return n;
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    uint64_t port = 0;
    NEXT(sendmsg);
    if (!shim_is_client(fd, &port)) return next_sendmsg(fd, message, flags);
    shim_lock();
    ssize_t n = next_sendmsg(fd, message, flags);
    shim_journal_reply(port, n);
    shim_unlock();
    return n;
}

/* Whether a read of `fd` fails; *len is halved if it is to be short. */
static bool read_fails(int fd, size_t *len)
{
    struct tracked *t = shim_tracked(fd);
    if (t == NULL) return false;
    shim_lock();
    enum fault f = shim_fault(CALL_READ, t->path);
    shim_unlock();
    if (f == FAULT_SHORT) *len = (*len + 1) / 2;
    return f == FAULT_FAIL;
}
ssize_t read(int fd, void *data, size_t len)
{
    NEXT(read);
    return read_fails(fd, &len) ? -1 : next_read(fd, data, len);
}
ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
    NEXT(pread);
    return read_fails(fd, &len) ? -1 : next_pread(fd, data, len, offset);
}
ssize_t pread64(int fd, void *data, size_t len, off_t offset)
{
    return pread(fd, data, len, offset);
}

/* ---- sync ---- */

static int sync_any(int fd, int (*sync)(int fd))
{
    shim_lock();
    struct tracked *t = shim_tracked(fd);
    if (t == NULL || shim_fault(CALL_SYNC, t->path) == FAULT_FAIL) {
        shim_unlock();
        return t == NULL ? sync(fd) : -1;
    }
    struct record r = {RECORD_SYNC_BEGIN, 0, t->inode, 0, ++shim.syncs};
    shim_journal_append(&r, NULL, 0);
    shim_unlock();
    if (shim.sync_us > 0) usleep(shim.sync_us);
    int result = sync(fd);
    shim_lock();
    r.kind = RECORD_SYNC_END;
    if (result == 0) shim_journal_append(&r, NULL, 0);
    shim_unlock();
    return result;
}
int fsync(int fd)
{
    NEXT(fsync);
    return sync_any(fd, next_fsync);
}
int fdatasync(int fd)
{
    NEXT(fdatasync);
    return sync_any(fd, next_fdatasync);
}

/* ---- sizes and names ---- */

int ftruncate(int fd, off_t size)
{
    NEXT(ftruncate);
    shim_lock();
    struct tracked *t = shim_tracked(fd);
    int result = -1;
    if (t == NULL || shim_fault(CALL_TRUNCATE, t->path) == FAULT_NONE) result = next_ftruncate(fd, size);
    if (result == 0 && t != NULL)
        shim_journal_append(&(struct record){RECORD_TRUNCATE, 0, t->inode, (uint64_t)size, 0}, NULL, 0);
    shim_unlock();
    return result;
}
int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* Not in use yet: who uses them must teach the journal first. */
int fallocate(int fd, int mode, off_t offset, off_t len)
{
    NEXT(fallocate);
    if (shim_tracked(fd) != NULL) shim_complain("fallocate is not journalled");
    return next_fallocate(fd, mode, offset, len);
}
int truncate(const char *path, off_t size)
{
    char whole[PATH_BYTES];
    NEXT(truncate);
    if (shim_path_is_ours(AT_FDCWD, path, whole)) shim_complain("truncate is not journalled");
    return next_truncate(path, size);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    char a[PATH_BYTES], b[PATH_BYTES];
    NEXT(renameat);
    if (!shim_path_is_ours(from_at, from, a) || !shim_path_is_ours(to_at, to, b))
        return next_renameat(from_at, from, to_at, to);
    shim_lock();
    int result = shim_fault(CALL_RENAME, b) == FAULT_NONE ? next_renameat(from_at, from, to_at, to) : -1;
    if (result == 0) shim_journal_path(RECORD_RENAME, 0, 0, a, b);
    for (int fd = 0; result == 0 && fd < FDS_MAX; fd++)
        if (shim.fds[fd].is_tracked && strcmp(shim.fds[fd].path, a) == 0) strcpy(shim.fds[fd].path, b);
    shim_unlock();
    return result;
}
int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int at, const char *path, int flags)
{
    char whole[PATH_BYTES];
    NEXT(unlinkat);
    if (!shim_path_is_ours(at, path, whole)) return next_unlinkat(at, path, flags);
    shim_lock();
    int result = shim_fault(CALL_UNLINK, whole) == FAULT_NONE ? next_unlinkat(at, path, flags) : -1;
    if (result == 0) shim_journal_path(RECORD_UNLINK, 0, 0, whole, NULL);
    shim_unlock();
    return result;
}
int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    char whole[PATH_BYTES];
    NEXT(mkdirat);
    if (!shim_path_is_ours(at, path, whole)) return next_mkdirat(at, path, mode);
    shim_lock();
    int result = shim_fault(CALL_MKDIR, whole) == FAULT_NONE ? next_mkdirat(at, path, mode) : -1;
    if (result == 0) shim_journal_path(RECORD_MKDIR, 0, 0, whole, NULL);
    shim_unlock();
    return result;
}
int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
