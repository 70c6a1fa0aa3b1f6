#include "store/wal_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "store/memory.h"
#include "store/wal_io.h"

#define DIGITS 20

char *wal_segment_path_in(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *out = memory_zeroed(1, size);
    snprintf(out, size, "%s/%s", dir, name);
    return out;
}

char *wal_segment_path(const char *dir, uint64_t number)
{
    char name[DIGITS + 5];
    snprintf(name, sizeof name, "%0*" PRIu64 ".log", DIGITS, number);
    return wal_segment_path_in(dir, name);
}

char *wal_segment_making_path(const char *dir)
{
    return wal_segment_path_in(dir, WAL_MAKING);
}

static bool parse_name(const char *name, uint64_t *number)
{
    if (strlen(name) != DIGITS + 4 || strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, ".log") != 0)
        return false;
    errno = 0;
    *number = strtoull(name, NULL, 10);
    return errno == 0 && *number > 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int wal_segment_numbers(const char *dir, uint64_t **numbers, size_t *count, struct error *e)
{
    DIR *d = opendir(dir);
    if (!d) return error_system(e, ERROR_IO, errno, "%s", dir);
    size_t cap = 0;
    for (struct dirent *entry; (void)(errno = 0), (entry = readdir(d));) {
        uint64_t number;
        if (!parse_name(entry->d_name, &number)) continue;
        if (*count == cap) *numbers = memory_resize(*numbers, (cap = cap * 2 + 16) * sizeof **numbers);
        (*numbers)[(*count)++] = number;
    }
    int rc = errno;
    closedir(d);
    if (rc) return error_system(e, ERROR_IO, rc, "%s", dir);
    if (*count) qsort(*numbers, *count, sizeof **numbers, by_number);
    return 0;
}

struct wal_segment *wal_segment_new(uint64_t number, int fd, size_t size)
{
    struct wal_segment *s = memory_zeroed(1, sizeof *s);
    s->number = number;
    s->fd = fd;
    s->size = size;
    return s;
}

void wal_segment_free(struct wal_segment *s, const struct wal_calls *calls)
{
    calls->close(calls->user, s->fd); /* nothing to lose: what had to be synced is, or has been reported */
    free(s);
}

void wal_segment_free_all(struct wal_segment *first, const struct wal_calls *calls)
{
    for (struct wal_segment *next; first; first = next) {
        next = first->next;
        wal_segment_free(first, calls);
    }
}

static int read_header(struct wal_segment *s, const char *path, const struct wal_calls *calls, struct error *e)
{
    uint8_t raw[WAL_BEGIN];
    struct stat st;
    uint32_t format = 0;
    if (fstat(s->fd, &st) < 0) return error_system(e, ERROR_IO, errno, "%s", path);
    s->size = (size_t)st.st_size & ~(size_t)7;
    if (s->size < WAL_BEGIN)
        return error_set(e, ERROR_FORMAT, "%s: offset %zu: the file ends within the segment's header", path,
                         (size_t)st.st_size);
    int rc = wal_io_read(calls, s->fd, raw, sizeof raw, 0);
    if (rc) return error_system(e, ERROR_IO, rc, "%s: reading offset 0", path);
    switch (wal_segment_header_read(raw, s->number, &s->header, &format)) {
    case WAL_UNUSED: return 0;
    case WAL_BEGUN: s->begun = true; return 0;
    case WAL_OTHER_FORMAT:
        return error_set(e, ERROR_FORMAT, "%s: offset 8: the log has format %u, this version reads %d", path, format,
                         WAL_FORMAT);
    case WAL_DAMAGED: break;
    }
    return error_set(e, ERROR_FORMAT, "%s: offset 0: the segment's header is damaged", path);
}

static int open_one(const char *dir, uint64_t number, const struct wal_calls *calls, int flags,
                    struct wal_segment **out, struct error *e)
{
    int fd;
    char *path = wal_segment_path(dir, number);
    int rc = wal_io_open(calls, path, flags, &fd);
    if (rc) {
        rc = error_system(e, ERROR_IO, rc, "%s", path);
    } else {
        *out = wal_segment_new(number, fd, 0);
        rc = read_header(*out, path, calls, e);
        if (rc) {
            wal_segment_free(*out, calls);
            *out = NULL;
        }
    }
    free(path);
    return rc;
}

int wal_segment_list(const char *dir, const struct wal_calls *calls, int flags, struct wal_segment **out,
                     struct error *e)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    struct wal_segment **end = out;
    *out = NULL;
    int rc = wal_segment_numbers(dir, &numbers, &count, e);
    for (size_t i = 0; !rc && i < count; i++) {
        rc = open_one(dir, numbers[i], calls, flags, end, e);
        if (*end) end = &(*end)->next;
    }
    free(numbers);
    return rc;
}
