#include "store/wal_truncate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/crc.h"
#include "store/wal_io.h"
#include "store/wal_segment.h"

static const char magic[8] = {'a', 'i', 'k', 'v', ' ', 'c', 'u', 't'};

static void encode(uint8_t out[WAL_TRUNCATE_SIZE], struct store_position to)
{
    struct buffer b = {.data = out, .cap = WAL_TRUNCATE_SIZE, .max = WAL_TRUNCATE_SIZE};
    uint8_t rest[16];
    struct buffer r = {.data = rest, .cap = sizeof rest, .max = sizeof rest};
    write_u64(&r, to.epoch);
    write_u64(&r, to.sequence);
    buffer_append(&b, magic, sizeof magic);
    write_u32(&b, WAL_TRUNCATE_FORMAT);
    write_u32(&b, crc32c(0, rest, sizeof rest));
    buffer_append(&b, rest, sizeof rest);
}

static int decode(const uint8_t in[WAL_TRUNCATE_SIZE], const char *path, struct store_position *to, struct error *e)
{
    struct reader r = reader_of(bytes_of(in + sizeof magic, WAL_TRUNCATE_SIZE - sizeof magic));
    uint32_t format = read_u32(&r), crc = read_u32(&r);
    *to = (struct store_position){.epoch = read_u64(&r)};
    to->sequence = read_u64(&r);
    if (memcmp(in, magic, sizeof magic) == 0 && format != WAL_TRUNCATE_FORMAT)
        return error_set(e, ERROR_FORMAT, "%s has format %u, this version reads %d", path, format, WAL_TRUNCATE_FORMAT);
    if (memcmp(in, magic, sizeof magic) != 0 || crc != crc32c(0, in + 16, 16) || to->sequence == 0)
        return error_set(e, ERROR_FORMAT, "%s is damaged: nobody can say where the log was to be cut off", path);
    return 0;
}

static char *path_of(const char *dir)
{
    return wal_segment_path_in(dir, WAL_TRUNCATE);
}

int wal_truncate_read(const char *dir, const struct wal_calls *calls, struct store_position *to, struct error *e)
{
    uint8_t raw[WAL_TRUNCATE_SIZE];
    char *path = path_of(dir);
    int fd, rc = wal_io_open(calls, path, O_RDONLY, &fd);
    *to = (struct store_position){0, 0};
    if (rc == ENOENT) {
        free(path);
        return 0;
    }
    if (!rc) {
        rc = wal_io_read(calls, fd, raw, sizeof raw, 0);
        calls->close(calls->user, fd);
    }
    rc = rc ? error_system(e, ERROR_IO, rc, "%s", path) : decode(raw, path, to, e);
    free(path);
    return rc;
}

int wal_truncate_write(const char *dir, int dir_fd, const struct wal_calls *calls, struct store_position to, struct error *e)
{
    uint8_t raw[WAL_TRUNCATE_SIZE];
    struct iovec part = {raw, sizeof raw};
    encode(raw, to);
    char *made = wal_segment_making_path(dir), *path = path_of(dir);
    int fd, rc = wal_io_open(calls, made, O_RDWR | O_CREAT | O_TRUNC, &fd);
    if (!rc) {
        rc = wal_io_write(calls, fd, &part, 1, 0);
        if (!rc) rc = wal_io_sync(calls, fd);
        calls->close(calls->user, fd);
    }
    if (!rc) rc = wal_io_rename(calls, made, path);
    if (!rc) rc = wal_io_sync_dir(calls, dir_fd);
    if (rc) rc = error_system(e, ERROR_IO, rc, "%s: writing", path);
    free(made);
    free(path);
    return rc;
}

int wal_truncate_remove(const char *dir, int dir_fd, const struct wal_calls *calls, struct error *e)
{
    char *path = path_of(dir);
    int rc = wal_io_unlink(calls, path);
    if (!rc) rc = wal_io_sync_dir(calls, dir_fd);
    if (rc) rc = error_system(e, ERROR_IO, rc, "%s: removing", path);
    free(path);
    return rc;
}
