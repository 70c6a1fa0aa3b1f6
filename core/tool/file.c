#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READ_SIZE (64u << 10)

static int read_all(int fd, const char *path, struct buffer *out, struct error *e)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, READ_SIZE);
        if (!room) return error_set(e, ERROR_LIMIT, "'%.200s' is longer than %zu bytes", path, out->max - READ_SIZE);
        ssize_t n = read(fd, room, READ_SIZE);
        if (n == 0) return 0;
        if (n < 0 && errno != EINTR) return error_system(e, ERROR_IO, errno, "cannot read '%.200s'", path);
        if (n > 0) out->len += (size_t)n;
    }
}

int file_read(const char *path, size_t max, struct buffer *out, struct error *e)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_system(e, ERROR_IO, errno, "cannot read '%.200s'", path);
    buffer_init(out, max + READ_SIZE);
    int code = read_all(fd, path, out, e);
    if (!code && out->len > max) code = error_set(e, ERROR_LIMIT, "'%.200s' is longer than %zu bytes", path, max);
    if (!standard) close(fd);
    if (code) buffer_release(out);
    return code;
}

bool file_is_named(const char *word)
{
    size_t len = strlen(word);
    return strchr(word, '/') || (len > 4 && strcmp(word + len - 4, ".lua") == 0);
}

void file_policy_name(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%s", slash ? slash + 1 : path);
    char *end = strrchr(out, '.');
    if (end && strcmp(end, ".lua") == 0) *end = 0;
}
