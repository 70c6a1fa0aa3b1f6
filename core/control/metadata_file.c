#include "control/metadata_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"

#define MAGIC       "AiKvMeta"
#define FORMAT      1
#define HEADER_SIZE 24

static int write_whole(int fd, struct bytes data)
{
    while (data.len) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data.data += n;
        data.len -= (size_t)n;
    }
    return 0;
}

static int write_file(const char *path, struct bytes state)
{
    struct buffer header;
    buffer_init(&header, HEADER_SIZE);
    buffer_append(&header, MAGIC, strlen(MAGIC));
    write_u32(&header, FORMAT);
    write_u32(&header, crc32c(0, state.data, state.len));
    write_u64(&header, state.len);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int failed = fd < 0 ? errno : write_whole(fd, buffer_bytes(&header));
    if (!failed) failed = write_whole(fd, state);
    if (!failed && fdatasync(fd) != 0) failed = errno;
    if (fd >= 0) close(fd);
    buffer_release(&header);
    return failed;
}

static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return failed;
}

int metadata_file_write(const char *data_dir, struct bytes state, struct error *e)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    snprintf(path, sizeof path, "%s/metadata", data_dir);
    snprintf(fresh, sizeof fresh, "%s/metadata.new", data_dir);
    int failed = write_file(fresh, state);
    if (failed) return error_system(e, ERROR_IO, failed, "writing %s", fresh);
    if (rename(fresh, path) != 0) return error_system(e, ERROR_IO, errno, "renaming %s", fresh);
    failed = sync_directory(data_dir);
    return failed ? error_system(e, ERROR_IO, failed, "syncing %s", data_dir) : 0;
}

static int read_whole(int fd, struct buffer *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0) return errno;
    buffer_init(out, HEADER_SIZE + (size_t)CLUSTER_ENCODED_MAX);
    if (about.st_size > (off_t)out->max) return EFBIG;
    for (;;) {
        uint8_t *space = buffer_reserve(out, (size_t)about.st_size - out->len);
        if (!space) return ENOMEM;
        ssize_t n = read(fd, space, (size_t)about.st_size - out->len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : 0;
        out->len += (size_t)n;
    }
}

static int parse(const char *path, struct bytes file, struct cluster_state **out, struct error *e)
{
    struct reader r = reader_of(file);
    struct bytes magic = read_raw(&r, strlen(MAGIC));
    uint32_t format = read_u32(&r), crc = read_u32(&r);
    uint64_t len = read_u64(&r);
    if (r.failed || !bytes_equal(magic, bytes_text(MAGIC)))
        return error_set(e, ERROR_FORMAT, "%s is no metadata file", path);
    if (format != FORMAT)
        return error_set(e, ERROR_FORMAT, "%s has format %u; this version knows %d", path, format, FORMAT);
    if (len != reader_left(&r)) return error_set(e, ERROR_FORMAT, "%s is cut short or too long", path);
    struct bytes state = read_raw(&r, (size_t)len);
    if (crc32c(0, state.data, state.len) != crc)
        return error_set(e, ERROR_FORMAT, "%s is damaged: its checksum is wrong", path);
    return cluster_state_decode(state, out, e);
}

int metadata_file_check(const char *data_dir, struct error *e)
{
    char path[PATH_MAX];
    struct stat about;
    snprintf(path, sizeof path, "%s/metadata", data_dir);
    if (lstat(path, &about) != 0 || S_ISREG(about.st_mode)) return 0;
    return error_set(e, ERROR_FORMAT, "%s is no regular file: remove it, the leader pushes the metadata anew", path);
}

int metadata_file_read(const char *data_dir, struct cluster_state **out, struct error *e)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/metadata", data_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return error_set(e, ERROR_NOT_FOUND, "%s does not exist", path);
    if (fd < 0) return error_system(e, ERROR_IO, errno, "opening %s", path);
    struct buffer file = {0};
    int failed = read_whole(fd, &file);
    close(fd);
    int code = failed ? error_system(e, ERROR_IO, failed, "reading %s", path)
                      : parse(path, buffer_bytes(&file), out, e);
    buffer_release(&file);
    return code;
}

int metadata_file_remove(const char *data_dir, struct error *e)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/metadata", data_dir);
    if (unlink(path) != 0 && errno != ENOENT) return error_system(e, ERROR_IO, errno, "removing %s", path);
    int failed = sync_directory(data_dir);
    return failed ? error_system(e, ERROR_IO, failed, "syncing %s", data_dir) : 0;
}
