#include "server/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int sync_directory(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_system(e, ERROR_IO, errno, "cannot open '%.300s'", path);
    int failed = fsync(fd);
    int problem = errno;
    close(fd);
    return failed ? error_system(e, ERROR_IO, problem, "cannot sync '%.300s'", path) : 0;
}

int replace_file_sync_parent(const char *path, struct error *e)
{
    char parent[1024];
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    if (!slash) return sync_directory(".", e);
    slash[slash == parent] = 0;
    return sync_directory(parent, e);
}

static bool write_whole(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno != EINTR) return false;
        if (n < 0) continue;
        content = bytes_of(content.data + n, content.len - (size_t)n);
    }
    return true;
}

static int write_file(const char *path, struct bytes content, mode_t mode, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return error_system(e, ERROR_IO, errno, "cannot write '%.300s'", path);
    bool written = write_whole(fd, content) && fsync(fd) == 0;
    int problem = errno;
    close(fd);
    return written ? 0 : error_system(e, ERROR_IO, problem, "cannot write '%.300s'", path);
}

int replace_file(const char *path, struct bytes content, mode_t mode, int (*check)(void *user, const char *temporary, struct error *e), void *user,
                 struct error *e)
{
    char temporary[1032];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int code = write_file(temporary, content, mode, e);
    if (!code && check) code = check(user, temporary, e);
    if (!code && rename(temporary, path)) code = error_system(e, ERROR_IO, errno, "cannot replace '%.300s'", path);
    if (code) {
        unlink(temporary);
        return code;
    }
    return replace_file_sync_parent(path, e);
}
