#include "wal_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

#define SECTOR 512u

static void must(bool ok, const char *what)
{
    if (ok) return;
    perror(what);
    abort();
}

/* ---- what was synced ---- */

static struct sim_image *image_of(struct sim *s, uint64_t inode)
{
    for (size_t i = 0; i < s->image_count; i++)
        if (s->images[i].inode == inode) return &s->images[i];
    s->images = realloc(s->images, (s->image_count + 1) * sizeof *s->images);
    must(s->images != NULL, "realloc");
    s->images[s->image_count] = (struct sim_image){inode, NULL, 0};
    return &s->images[s->image_count++];
}

static uint8_t *content(int fd, size_t *len)
{
    struct stat st;
    must(fstat(fd, &st) == 0, "fstat");
    *len = (size_t)st.st_size;
    uint8_t *out = malloc(*len + 1);
    must(out && pread(fd, out, *len, 0) == (ssize_t)*len, "pread");
    return out;
}

static void remember(struct sim *s, int fd)
{
    struct stat st;
    must(fstat(fd, &st) == 0, "fstat");
    struct sim_image *image = image_of(s, st.st_ino);
    free(image->data);
    image->data = content(fd, &image->len);
}

static void forget_image(struct sim *s, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) return;
    struct sim_image *image = image_of(s, st.st_ino);
    free(image->data);
    *image = s->images[--s->image_count];
}

/* ---- what was done to the directory ---- */

static void log_op(struct sim *s, const char *from, const char *to, const char *kept)
{
    s->ops = realloc(s->ops, (s->op_count + 1) * sizeof *s->ops);
    must(s->ops != NULL, "realloc");
    s->ops[s->op_count++] = (struct sim_op){from ? strdup(from) : NULL, to ? strdup(to) : NULL,
                                            kept ? strdup(kept) : NULL};
}

static void free_op(struct sim_op *op)
{
    free(op->from);
    free(op->to);
    free(op->kept);
}

static void dir_is_synced(struct sim *s)
{
    for (size_t i = 0; i < s->op_count; i++) {
        if (s->ops[i].kept) {
            forget_image(s, s->ops[i].kept);
            must(unlink(s->ops[i].kept) == 0, "unlink");
        }
        free_op(&s->ops[i]);
    }
    s->op_count = 0;
}

static void undo(struct sim *s, const struct sim_op *op)
{
    if (!op->from) {
        forget_image(s, op->to);
        must(unlink(op->to) == 0, "undo make");
    } else if (op->to) {
        must(rename(op->to, op->from) == 0, "undo rename");
    }
    if (op->kept) must(rename(op->kept, op->to ? op->to : op->from) == 0, "undo remove");
}

/* Moves a file out of the way; `kept` says where. False: there is none. */
static bool bury(struct sim *s, const char *path, char kept[400])
{
    snprintf(kept, 400, "%s/%u", s->graveyard, s->buried++);
    return rename(path, kept) == 0;
}

/* ---- the calls ---- */

enum verdict { GO, REFUSE, HALF };

static enum verdict judge(struct sim *s, bool is_write)
{
    if (s->stopped || (s->stop_at && s->count + 1 >= s->stop_at)) {
        bool first = !s->stopped;
        s->stopped = true;
        errno = EIO;
        return first && is_write ? HALF : REFUSE;
    }
    s->count++;
    if (!s->fault_at || s->count < s->fault_at || s->count > s->fault_at + s->fault_for) return GO;
    if (s->writes_only && !is_write) return GO;
    if (s->fault == SIM_SHORT) {
        s->faulted = s->faulted || is_write;
        return is_write ? HALF : GO;
    }
    s->faulted = true;
    errno = s->fault == SIM_INTERRUPT ? EINTR : s->fault_errno;
    return REFUSE;
}

static struct sim *enter(void *user)
{
    struct sim *s = user;
    pthread_mutex_lock(&s->lock);
    return s;
}

static int leave(struct sim *s, int rc)
{
    int saved = errno;
    pthread_mutex_unlock(&s->lock);
    errno = saved;
    return rc;
}

static int sim_open(void *user, const char *path, int flags, mode_t mode)
{
    struct sim *s = enter(user);
    int fd = -1;
    if (judge(s, false) == GO) {
        bool makes = (flags & O_CREAT) && access(path, F_OK) < 0;
        fd = open(path, flags, mode);
        if (fd >= 0 && makes) {
            log_op(s, NULL, path, NULL);
            forget_image(s, path); /* the number was another file's before */
        }
    }
    return leave(s, fd);
}

static ssize_t sim_pwritev(void *user, int fd, const struct iovec *parts, int count, off_t at)
{
    struct sim *s = enter(user);
    enum verdict v = judge(s, true);
    ssize_t n = -1;
    size_t len = 0;
    struct stat st;
    for (int i = 0; i < count; i++) len += parts[i].iov_len;
    must(fstat(fd, &st) == 0, "fstat");
    int64_t growth = at + (off_t)len - st.st_size;
    if (v == GO && s->space >= 0 && growth > s->space) {
        errno = ENOSPC;
        v = REFUSE;
    }
    if (v != REFUSE) {
        uint8_t *all = malloc(len), *to = all;
        must(all != NULL, "malloc");
        for (int i = 0; i < count; to += parts[i].iov_len, i++)
            if (parts[i].iov_len) memcpy(to, parts[i].iov_base, parts[i].iov_len);
        if (v == HALF) len = (s->stopped ? 0 : 1) + random_below(&s->random, len);
        n = pwrite(fd, all, len, at);
        must(n == (ssize_t)len, "pwrite");
        free(all);
        if (s->stopped) {
            n = -1;
            errno = EIO;
        } else if (s->space >= 0 && growth > 0) {
            s->space -= growth;
        }
    }
    leave(s, 0);
    return n;
}

static ssize_t sim_pread(void *user, int fd, void *to, size_t len, off_t at)
{
    struct sim *s = enter(user);
    ssize_t n = judge(s, false) == GO ? pread(fd, to, len, at) : -1;
    leave(s, 0);
    return n;
}

static int sim_fdatasync(void *user, int fd)
{
    struct sim *s = enter(user);
    int rc = -1;
    if (judge(s, false) == GO) {
        remember(s, fd);
        rc = 0;
    }
    return leave(s, rc);
}

static int sim_fsync(void *user, int fd)
{
    struct sim *s = enter(user);
    struct stat st;
    int rc = -1;
    if (judge(s, false) == GO) {
        must(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode), "fsync of a file");
        dir_is_synced(s);
        rc = 0;
    }
    return leave(s, rc);
}

static int sim_rename(void *user, const char *from, const char *to)
{
    struct sim *s = enter(user);
    int rc = -1;
    if (judge(s, false) == GO) {
        char kept[400];
        bool replaced = bury(s, to, kept);
        rc = rename(from, to);
        must(rc == 0, "rename");
        log_op(s, from, to, replaced ? kept : NULL);
    }
    return leave(s, rc);
}

static int sim_unlink(void *user, const char *path)
{
    struct sim *s = enter(user);
    int rc = -1;
    if (judge(s, false) == GO) {
        char kept[400];
        rc = bury(s, path, kept) ? 0 : -1;
        if (rc == 0) log_op(s, path, NULL, kept);
    }
    return leave(s, rc);
}

/* Also when stopped: the file descriptors are the test's. */
static int sim_close(void *user, int fd)
{
    struct sim *s = enter(user);
    s->count += !s->stopped;
    return leave(s, close(fd));
}

/* ---- life and death ---- */

void sim_init(struct sim *s, const char *graveyard, uint64_t seed)
{
    *s = (struct sim){.random = seed, .space = -1};
    s->calls = (struct wal_calls){s,          sim_open,   sim_pwritev, sim_pread, sim_fdatasync,
                                  sim_rename, sim_unlink, sim_close,   sim_fsync};
    snprintf(s->graveyard, sizeof s->graveyard, "%s", graveyard);
    must(mkdir(graveyard, 0700) == 0, graveyard);
    pthread_mutex_init(&s->lock, NULL);
}

void sim_release(struct sim *s)
{
    dir_is_synced(s);
    for (size_t i = 0; i < s->image_count; i++) free(s->images[i].data);
    free(s->images);
    free(s->ops);
    pthread_mutex_destroy(&s->lock);
}

/* 0: as it was; 1: as written; 2: zeroes. */
static unsigned fate(struct sim *s, unsigned manner)
{
    if (manner < 2) return manner;
    return (unsigned)random_below(&s->random, manner);
}

/* A disk writes a sector whole or not at all, so what was synced in it before stays, whatever comes of the rest. */
static void zero_what_is_new(const uint8_t *old, uint8_t *now, size_t n, bool header)
{
    size_t same = 0;
    while (same < n && old[same] == now[same]) same++;
    if (header && same < 128) same = 0; /* all of the segment is new */
    memset(now + same, 0, n - same);
}

static void lose_in_file(struct sim *s, const char *path, unsigned manner)
{
    int fd = open(path, O_RDWR);
    struct stat st;
    must(fd >= 0 && fstat(fd, &st) == 0, path);
    struct sim_image *image = image_of(s, st.st_ino);
    size_t len;
    uint8_t *now = content(fd, &len);
    size_t kept = len > image->len && fate(s, manner) == 0 ? image->len : len;
    for (size_t at = 0; at < kept; at += SECTOR) {
        size_t n = kept - at < SECTOR ? kept - at : SECTOR;
        uint8_t old[SECTOR] = {0};
        if (at < image->len) memcpy(old, image->data + at, image->len - at < n ? image->len - at : n);
        if (memcmp(old, now + at, n) == 0) continue;
        unsigned f = fate(s, manner);
        if (f == 0) memcpy(now + at, old, n);
        if (f == 2) zero_what_is_new(old, now + at, n, at == 0);
    }
    must(ftruncate(fd, (off_t)kept) == 0 && pwrite(fd, now, kept, 0) == (ssize_t)kept, path);
    free(now);
    close(fd);
}

static void each_file(struct sim *s, const char *dir, void (*visit)(struct sim *s, const char *path, unsigned manner),
                      unsigned manner)
{
    DIR *d = opendir(dir);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char path[700];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.') visit(s, path, manner);
    }
    if (d) closedir(d);
}

static void is_on_disk(struct sim *s, const char *path, unsigned manner)
{
    (void)manner;
    int fd = open(path, O_RDONLY);
    must(fd >= 0, path);
    remember(s, fd);
    close(fd);
}

void sim_lose_power(struct sim *s, const char *dir)
{
    uint64_t keep = random_below(&s->random, s->op_count + 1);
    while (s->op_count > keep) {
        undo(s, &s->ops[--s->op_count]);
        free_op(&s->ops[s->op_count]);
    }
    each_file(s, dir, lose_in_file,
              (unsigned)random_below(&s->random, 4)); /* all old, all new, either, or zeroes too */
    dir_is_synced(s);
    each_file(s, dir, is_on_disk, 0);
}

void sim_restart(struct sim *s)
{
    s->stopped = s->faulted = false;
    s->stop_at = s->fault_at = s->fault_for = s->count = 0;
}

uint64_t sim_count(struct sim *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t count = s->count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

void sim_stop_now(struct sim *s)
{
    enter(s);
    s->stopped = true;
    leave(s, 0);
}

void sim_set_space(struct sim *s, int64_t space)
{
    enter(s);
    s->space = space;
    leave(s, 0);
}
