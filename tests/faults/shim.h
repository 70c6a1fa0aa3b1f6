/* A disk that can be cut from power, or fail: preloaded (LD_PRELOAD) into a program under test.
 *
 * Stands between the program and libc for the calls that change files below one directory. Two uses, both chosen by
 * the environment:
 *
 * AIKV_SHIM_ROOT: the directory, an absolute path; without it the shim does nothing.
 *
 * AIKV_SHIM_JOURNAL: a file. Every such call is appended to it with its data, in the order in which they happened, and
 * so is what leaves on sockets. It survives kill -9; disk.py makes of any beginning of it a directory as a power cut
 * may leave it.
 *
 * AIKV_SHIM_SYNC_US: each sync takes that much longer, so that there are moments within one.
 *
 * AIKV_SHIM_FAIL: KIND:PART:N:HOW, the N-th call (N+: that one and all that follow) of KIND on a path that contains
 * PART fails. KIND: open read write sync truncate rename unlink mkdir. HOW: EIO ENOSPC EINTR, or short: half of what
 * was asked for is done.
 *
 * What goes around libc's names is not seen: stdio's own files, memory that is mapped, io_submit (libraft). */
#ifndef AIKV_TESTS_SHIM_H
#define AIKV_TESTS_SHIM_H

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX       4096
#define IOV_PARTS_MAX 1024
#define PATH_BYTES    4096

/* The journal: records of this head and `len` bytes, little-endian. disk.py has the same list. */
enum record_kind {
    RECORD_OPEN = 1,       /* path; extra: 1 if the file was made, 2 if it was cut to nothing */
    RECORD_WRITE = 2,      /* data at offset */
    RECORD_ZEROS = 3,      /* `extra` zeroes at offset */
    RECORD_SYNC_BEGIN = 4, /* a sync of the file or directory; extra: its number */
    RECORD_SYNC_END = 5,   /* and what was there when it began is on the disk */
    RECORD_SYNCED = 6,     /* `extra` bytes at offset are on the disk: written with O_DSYNC */
    RECORD_TRUNCATE = 7,   /* to offset bytes */
    RECORD_RENAME = 8,     /* two paths, a NUL between them */
    RECORD_UNLINK = 9,     /* path */
    RECORD_MKDIR = 10,     /* path */
    RECORD_REPLY = 11,     /* `extra` bytes left on the socket to port `offset` */
    RECORD_FAULT = 12,     /* path of a call that was made to fail */
};
struct record {
    uint32_t kind, len;
    uint64_t file; /* number of the inode */
    uint64_t offset, extra;
};
_Static_assert(sizeof(struct record) == 32, "as disk.py reads it");

enum call_kind {
    CALL_OPEN,
    CALL_READ,
    CALL_WRITE,
    CALL_SYNC,
    CALL_TRUNCATE,
    CALL_RENAME,
    CALL_UNLINK,
    CALL_MKDIR,
    CALL_KINDS
};
/* A file below the root that is open. */
struct tracked {
    bool is_tracked, is_dsync;
    uint64_t inode;
    char path[PATH_BYTES];
};

struct shim {
    pthread_mutex_t lock; /* held from a call to its record, so that their order is the same; never during a sync */
    bool is_on;
    char root[PATH_BYTES];
    size_t root_len;
    int journal;
    uint64_t syncs;
    useconds_t sync_us;
    struct {
        bool is_on, goes_on, is_short;
        int kind, error;
        char part[256];
        unsigned long at, seen;
    } fail;
    struct tracked fds[FDS_MAX];
};
extern struct shim shim;

/* The function of that name behind this library. */
void *shim_next(const char *name);
#define NEXT(name)                                                                                                     \
    static __typeof__(&name) next_##name;                                                                              \
    if (next_##name == NULL) next_##name = (__typeof__(&name))shim_next(#name)

/* Says what the shim cannot do and ends the process with code 99. */
_Noreturn void shim_complain(const char *what);
void shim_lock(void);
void shim_unlock(void); /* keeps errno */

/* Whether `path`, seen from the directory `at`, is below the root; it is in `out` then (PATH_BYTES bytes), absolute and
 * without . and .. */
bool shim_path_is_ours(int at, const char *path, char *out);
/* What is known of `fd`, or NULL if it is no file of ours: descriptors are used again, and not every close is seen. */
struct tracked *shim_tracked(int fd);
/* Whether what is written to `fd` goes to a client and is to be journalled. Anything else is written without the lock:
 * libuv writes to a pipe from within a signal handler. */
bool shim_is_client(int fd, uint64_t *port);

enum fault { FAULT_NONE, FAULT_FAIL, FAULT_SHORT };
/* Whether this call fails; sets errno then. Locked. */
enum fault shim_fault(enum call_kind kind, const char *path);

/* The journal, if there is one. Locked. `data`: at least r->len bytes. */
void shim_journal_append(const struct record *r, const struct iovec *data, int parts);
/* `second`: of a rename, else NULL. */
void shim_journal_path(enum record_kind kind, uint64_t inode, uint64_t extra, const char *path, const char *second);
void shim_journal_write(const struct tracked *t, const struct iovec *data, int parts, uint64_t offset, size_t len);
/* Keeps errno; `len` <= 0: nothing left. */
void shim_journal_reply(uint64_t port, ssize_t len);

#endif
