#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/disk.h"

/* LMDB's file begins with two pages, each with what it needs to open: transactions write them in turn, all of it within a sector of 512 bytes.
 * Of one, as of lmdb.h 0.9: */
#define SECTOR       ((size_t)512)
#define MAGIC_AT     16u /* 0xBEEFC0DE, in this machine's order */
#define PAGE_SIZE_AT 40u
#define PAGE_MAX     ((size_t)1 << 16)

struct first_pages {
    enum { SOUND, UNFINISHED, TORN } state; /* SOUND: or damaged in a way that LMDB tells */
    size_t page_size;                       /* TORN: the file's */
    unsigned torn;                          /* TORN: 0 or 1 */
};

static bool read_sector(int fd, size_t at, uint8_t out[SECTOR])
{
    return pread(fd, out, SECTOR, (off_t)at) == (ssize_t)SECTOR;
}

static bool is_zero(const uint8_t sector[SECTOR])
{
    static const uint8_t zeros[SECTOR];
    return memcmp(sector, zeros, SECTOR) == 0;
}

static uint32_t number_at(const uint8_t *sector, size_t at)
{
    uint32_t n;
    memcpy(&n, sector + at, sizeof n);
    return n;
}

static bool is_first_page(const uint8_t *sector)
{
    return number_at(sector, MAGIC_AT) == 0xBEEFC0DE;
}

/* The second page, where the first does not say how far it is. */
static bool find_second(int fd, struct first_pages *out)
{
    uint8_t sector[SECTOR];
    for (size_t size = SECTOR; size <= PAGE_MAX; size *= 2) {
        if (!read_sector(fd, size, sector) || !is_first_page(sector) || number_at(sector, PAGE_SIZE_AT) != size) continue;
        *out = (struct first_pages){.state = TORN, .page_size = size, .torn = 0};
        return true;
    }
    return false;
}

static struct first_pages look(int fd)
{
    struct first_pages found = {.state = SOUND};
    struct stat file;
    uint8_t first[SECTOR], second[SECTOR];
    if (fstat(fd, &file) || !read_sector(fd, 0, first)) return found;
    bool zero = is_zero(first);
    if (!zero && !is_first_page(first)) return found;
    size_t size = zero ? (size_t)sysconf(_SC_PAGESIZE) : number_at(first, PAGE_SIZE_AT);
    if (size < SECTOR || size > PAGE_MAX) return found;
    if (zero && find_second(fd, &found)) return found;
    if ((size_t)file.st_size < 2 * size || !read_sector(fd, size, second)) {
        found.state = UNFINISHED;
    } else if (is_zero(second)) {
        found = zero ? (struct first_pages){.state = UNFINISHED} : (struct first_pages){.state = TORN, .page_size = size, .torn = 1};
    }
    return found;
}

/* Each page begins with its number. */
static int copy_page(int fd, const struct first_pages *p)
{
    uint8_t page[PAGE_MAX];
    uint64_t number = p->torn;
    off_t from = p->torn ? 0 : (off_t)p->page_size, to = p->torn ? (off_t)p->page_size : 0;
    if (pread(fd, page, p->page_size, from) != (ssize_t)p->page_size) return errno ? errno : EIO;
    memcpy(page, &number, sizeof number);
    if (pwrite(fd, page, p->page_size, to) != (ssize_t)p->page_size) return errno ? errno : EIO;
    return fdatasync(fd) ? errno : 0;
}

static int open_file(const char *dir, char *path, size_t path_cap, int flags)
{
    snprintf(path, path_cap, "%s/data.mdb", dir);
    return open(path, flags | O_CLOEXEC);
}

int disk_mend(const char *dir, bool expected, struct error *e)
{
    char path[4096];
    int fd = open_file(dir, path, sizeof path, O_RDWR), rc = 0;
    if (fd < 0) return 0; /* opening it as LMDB says why */
    struct first_pages p = look(fd);
    errno = 0;
    if (p.state == TORN) rc = copy_page(fd, &p);
    close(fd);
    if (rc) return error_system(e, ERROR_IO, rc, "cannot mend page %u of '%s'", p.torn, path);
    if (p.state == TORN)
        log_warn("a page that a power cut left unwritten was made anew from the one before it", "file=%s page=%u", log_quote(path), p.torn);
    if (p.state == UNFINISHED && !expected && unlink(path)) return error_system(e, ERROR_IO, errno, "cannot remove '%s'", path);
    return 0;
}

int disk_check_mended(const char *dir, struct error *e)
{
    char path[4096];
    int fd = open_file(dir, path, sizeof path, O_RDONLY);
    if (fd < 0) return 0;
    struct first_pages p = look(fd);
    close(fd);
    if (p.state != TORN) return 0;
    return error_set(e, ERROR_FORMAT, "page %u of '%s' was left unwritten by a power cut: start the node, which mends it", p.torn, path);
}
