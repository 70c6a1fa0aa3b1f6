/* A network that can be cut: preloaded (LD_PRELOAD) into a node.
 *
 * AIKV_CUT_FILE: a file of one byte; while that is '1' the node is cut off. Without it this library does nothing.
 * AIKV_CUT_PORTS: FIRST-LAST; connections with one of these ports at either end are cut, the others are not.
 *
 * As behind a switch that drops everything: what was sent and what arrives is lost, without an error; nobody is
 * reached (EHOSTUNREACH), and who connects is hung up on. Afterwards connections that lost something are reset, as
 * those are that have waited too long: a stream goes on without a hole or not at all. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536

static struct {
    const volatile char *file; /* NULL: this library does nothing */
    unsigned first, last;
    atomic_bool lost[FDS_MAX]; /* this connection lost something */
} cut;

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}
#define NEXT(name)                                                                                                     \
    static __typeof__(&name) next_##name;                                                                              \
    if (next_##name == NULL) next_##name = (__typeof__(&name))next(#name)

static _Noreturn void complain(const char *what)
{
    fprintf(stderr, "cut: %s\n", what);
    _exit(99);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("AIKV_CUT_FILE"), *ports = getenv("AIKV_CUT_PORTS");
    if (path == NULL) return;
    if (ports == NULL || sscanf(ports, "%u-%u", &cut.first, &cut.last) != 2) complain("AIKV_CUT_PORTS is FIRST-LAST");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) complain("cannot map AIKV_CUT_FILE");
    close(fd);
    cut.file = mapped;
}

static bool is_cut(void)
{
    return cut.file != NULL && *cut.file == '1';
}

static bool is_ours(const struct sockaddr *address)
{
    const unsigned port = ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    return address->sa_family == AF_INET && port >= cut.first && port <= cut.last;
}

/* Whether `fd` is a socket with one of the ports at either end. Keeps errno. */
static bool is_ours_at(int fd)
{
    struct sockaddr_storage here, there;
    socklen_t here_size = sizeof here, there_size = sizeof there;
    int error = errno;
    bool is = getsockname(fd, (struct sockaddr *)&here, &here_size) == 0 &&
              getpeername(fd, (struct sockaddr *)&there, &there_size) == 0 &&
              (is_ours((struct sockaddr *)&here) || is_ours((struct sockaddr *)&there));
    errno = error;
    return is;
}

enum fate { PASSES, IS_LOST, IS_RESET };
static enum fate fate_of(int fd)
{
    if (cut.file == NULL || fd < 0 || fd >= FDS_MAX) return PASSES;
    const bool now = is_cut();
    if ((!now && !cut.lost[fd]) || !is_ours_at(fd)) return PASSES;
    if (now) cut.lost[fd] = true;
    return now ? IS_LOST : IS_RESET;
}

static ssize_t reset(void)
{
    errno = ECONNRESET;
    return -1;
}

/* What arrived is taken in, or whoever polls would be told of it again and again. That the other end has closed is
 * seen. */
ssize_t read(int fd, void *data, size_t len)
{
    NEXT(read);
    const enum fate fate = fate_of(fd);
    if (fate == IS_RESET) return reset();
    ssize_t n = next_read(fd, data, len);
    if (fate == PASSES || n <= 0) return n;
    errno = EAGAIN;
    return -1;
}

static ssize_t length(const struct iovec *data, size_t parts)
{
    size_t sum = 0;
    for (size_t i = 0; i < parts; i++) sum += data[i].iov_len;
    return (ssize_t)sum;
}

ssize_t write(int fd, const void *data, size_t len)
{
    NEXT(write);
    const enum fate fate = fate_of(fd);
    if (fate == PASSES) return next_write(fd, data, len);
    return fate == IS_RESET ? reset() : (ssize_t)len;
}

ssize_t writev(int fd, const struct iovec *data, int parts)
{
    NEXT(writev);
    const enum fate fate = fate_of(fd);
    if (fate == PASSES) return next_writev(fd, data, parts);
    return fate == IS_RESET ? reset() : length(data, (size_t)parts);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    NEXT(sendmsg);
    const enum fate fate = fate_of(fd);
    if (fate == PASSES) return next_sendmsg(fd, message, flags);
    return fate == IS_RESET ? reset() : length(message->msg_iov, message->msg_iovlen);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    NEXT(connect);
    if (fd >= 0 && fd < FDS_MAX) cut.lost[fd] = false; /* a new connection */
    if (!is_cut() || !is_ours(address)) return next_connect(fd, address, size);
    errno = EHOSTUNREACH;
    return -1;
}

int accept4(int listening, struct sockaddr *address, socklen_t *size, int flags)
{
    NEXT(accept4);
    int fd = next_accept4(listening, address, size, flags);
    if (fd < 0 || fd >= FDS_MAX) return fd;
    cut.lost[fd] = false;
    if (!is_cut() || !is_ours_at(fd)) return fd;
    close(fd);
    errno = EAGAIN;
    return -1;
}
