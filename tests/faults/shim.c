/* The shim's settings, what it knows of open files, its journal, its faults. */
#include "shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *const call_names[CALL_KINDS] = {"open",     "read",   "write",  "sync",
                                                   "truncate", "rename", "unlink", "mkdir"};

struct shim shim = {.lock = PTHREAD_MUTEX_INITIALIZER, .journal = -1};

void *shim_next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

_Noreturn void shim_complain(const char *what)
{
    fprintf(stderr, "shim: %s\n", what);
    _exit(99);
}

static void read_fail(const char *spec)
{
    char kind[16], how[16], more[2];
    memset(&shim.fail, 0, sizeof shim.fail);
    const char *first = strchr(spec, ':'), *second = first != NULL ? strchr(first + 1, ':') : NULL;
    if (second == NULL || (size_t)(first - spec) >= sizeof kind || (size_t)(second - first) >= sizeof shim.fail.part)
        shim_complain("AIKV_SHIM_FAIL is KIND:PART:N:HOW");
    snprintf(kind, sizeof kind, "%.*s", (int)(first - spec), spec);
    snprintf(shim.fail.part, sizeof shim.fail.part, "%.*s", (int)(second - first - 1), first + 1);
    if (sscanf(second + 1, "%lu%1[+]:%15s", &shim.fail.at, more, how) == 3)
        shim.fail.goes_on = true;
    else if (sscanf(second + 1, "%lu:%15s", &shim.fail.at, how) != 2)
        shim_complain("AIKV_SHIM_FAIL is KIND:PART:N:HOW");
    shim.fail.kind = -1;
    for (int i = 0; i < CALL_KINDS; i++)
        if (strcmp(call_names[i], kind) == 0) shim.fail.kind = i;
    if (strcmp(how, "EIO") == 0)
        shim.fail.error = EIO;
    else if (strcmp(how, "ENOSPC") == 0)
        shim.fail.error = ENOSPC;
    else if (strcmp(how, "EINTR") == 0)
        shim.fail.error = EINTR;
    else if (strcmp(how, "short") == 0)
        shim.fail.is_short = true;
    else
        shim_complain("AIKV_SHIM_FAIL: unknown HOW");
    if (shim.fail.kind < 0) shim_complain("AIKV_SHIM_FAIL: unknown KIND");
    shim.fail.is_on = true;
}

__attribute__((constructor)) static void begin(void)
{
    const char *root = getenv("AIKV_SHIM_ROOT"), *journal = getenv("AIKV_SHIM_JOURNAL"),
               *fail = getenv("AIKV_SHIM_FAIL"), *us = getenv("AIKV_SHIM_SYNC_US");
    if (root == NULL) return;
    NEXT(open);
    shim.root_len = strlen(root);
    if (root[0] != '/' || shim.root_len >= sizeof shim.root) shim_complain("AIKV_SHIM_ROOT must be an absolute path");
    memcpy(shim.root, root, shim.root_len + 1);
    if (us != NULL) shim.sync_us = (useconds_t)strtoul(us, NULL, 10);
    if (fail != NULL) read_fail(fail);
    if (journal != NULL) {
        shim.journal = next_open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (shim.journal < 0) shim_complain("cannot open AIKV_SHIM_JOURNAL");
    }
    shim.is_on = true;
}

void shim_lock(void)
{
    pthread_mutex_lock(&shim.lock);
}
void shim_unlock(void)
{
    int error = errno;
    pthread_mutex_unlock(&shim.lock);
    errno = error;
}

/* ---- paths ---- */

/* `path` as seen from the directory `at`, absolute and without . and .., into PATH_BYTES bytes. False if it cannot be
 * told. */
static bool path_absolute(int at, const char *path, char *out)
{
    char whole[2 * PATH_BYTES] = "", from[64];
    if (path[0] != '/') {
        if (at == AT_FDCWD) {
            if (getcwd(whole, PATH_BYTES) == NULL) return false;
        } else {
            snprintf(from, sizeof from, "/proc/self/fd/%d", at);
            ssize_t n = readlink(from, whole, PATH_BYTES - 1);
            if (n < 0) return false;
            whole[n] = '\0';
        }
    }
    size_t len = strlen(whole);
    snprintf(whole + len, sizeof whole - len, "/%s", path);
    size_t used = 0;
    for (char *rest = whole, *part; (part = strtok_r(rest, "/", &rest)) != NULL;) {
        if (strcmp(part, ".") == 0) continue;
        if (strcmp(part, "..") == 0) {
            while (used > 0 && out[--used] != '/') {}
            continue;
        }
        size_t n = strlen(part);
        if (used + n + 2 > PATH_BYTES) return false;
        out[used++] = '/';
        memcpy(out + used, part, n);
        used += n;
    }
    out[used] = '\0';
    return true;
}

bool shim_path_is_ours(int at, const char *path, char *out)
{
    if (!shim.is_on || !path_absolute(at, path, out)) return false;
    return strncmp(out, shim.root, shim.root_len) == 0 && (out[shim.root_len] == '/' || out[shim.root_len] == '\0');
}

struct tracked *shim_tracked(int fd)
{
    struct stat s;
    if (!shim.is_on || fd < 0 || fd >= FDS_MAX || !shim.fds[fd].is_tracked) return NULL;
    if (fstat(fd, &s) == 0 && s.st_ino == shim.fds[fd].inode && !S_ISSOCK(s.st_mode)) return &shim.fds[fd];
    shim.fds[fd].is_tracked = false;
    return NULL;
}

/* ---- journal ---- */

void shim_journal_append(const struct record *r, const struct iovec *data, int parts)
{
    NEXT(writev);
    struct iovec all[IOV_PARTS_MAX + 1];
    if (shim.journal < 0) return;
    all[0] = (struct iovec){(void *)(uintptr_t)r, sizeof *r};
    size_t left = r->len, total = sizeof *r + r->len;
    int n = 1;
    for (int i = 0; i < parts && left > 0; i++) {
        size_t take = data[i].iov_len < left ? data[i].iov_len : left;
        all[n++] = (struct iovec){data[i].iov_base, take};
        left -= take;
    }
    if (next_writev(shim.journal, all, n) != (ssize_t)total) shim_complain("cannot write the journal");
}

void shim_journal_path(enum record_kind kind, uint64_t inode, uint64_t extra, const char *path, const char *second)
{
    struct iovec data[2] = {{(void *)(uintptr_t)path, strlen(path) + 1},
                            {(void *)(uintptr_t)second, second != NULL ? strlen(second) : 0}};
    size_t len = second != NULL ? data[0].iov_len + data[1].iov_len : data[0].iov_len - 1;
    shim_journal_append(&(struct record){kind, (uint32_t)len, inode, 0, extra}, data, 2);
}

static bool is_zero(const struct iovec *data, int parts)
{
    for (int i = 0; i < parts; i++) {
        const char *p = data[i].iov_base;
        size_t n = data[i].iov_len;
        if (n > 0 && (p[0] != 0 || memcmp(p, p + 1, n - 1) != 0)) return false;
    }
    return true;
}

void shim_journal_write(const struct tracked *t, const struct iovec *data, int parts, uint64_t offset, size_t len)
{
    if (is_zero(data, parts))
        shim_journal_append(&(struct record){RECORD_ZEROS, 0, t->inode, offset, len}, NULL, 0);
    else
        shim_journal_append(&(struct record){RECORD_WRITE, (uint32_t)len, t->inode, offset, 0}, data, parts);
    if (t->is_dsync) shim_journal_append(&(struct record){RECORD_SYNCED, 0, t->inode, offset, len}, NULL, 0);
}

bool shim_is_client(int fd, uint64_t *port)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int error = errno;
    bool is = shim.journal >= 0 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET;
    errno = error;
    if (is) *port = ntohs(peer.sin_port);
    return is;
}

void shim_journal_reply(uint64_t port, ssize_t len)
{
    int error = errno;
    if (len > 0) shim_journal_append(&(struct record){RECORD_REPLY, 0, 0, port, (uint64_t)len}, NULL, 0);
    errno = error;
}

/* ---- faults ---- */

enum fault shim_fault(enum call_kind kind, const char *path)
{
    if (!shim.fail.is_on || shim.fail.kind != (int)kind || strstr(path, shim.fail.part) == NULL) return FAULT_NONE;
    shim.fail.seen++;
    if (shim.fail.seen != shim.fail.at && !(shim.fail.goes_on && shim.fail.seen > shim.fail.at)) return FAULT_NONE;
    shim_journal_path(RECORD_FAULT, 0, 0, path, NULL);
    if (shim.fail.is_short) return FAULT_SHORT;
    errno = shim.fail.error;
    return FAULT_FAIL;
}
