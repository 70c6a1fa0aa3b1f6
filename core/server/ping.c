#include "server/ping.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int connect_to(const char *host, const char *port, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int problem = getaddrinfo(host, port, &hints, &list);
    if (problem) return error_set(e, ERROR_UNREACHABLE, "cannot resolve '%s': %s", host, gai_strerror(problem)), -1;
    int fd = -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        struct timeval limit = {.tv_sec = 2};
        if (fd < 0) continue;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) ||
            connect(fd, a->ai_addr, a->ai_addrlen)) {
            problem = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) error_system(e, ERROR_UNREACHABLE, problem, "cannot connect to %s:%s", host, port);
    return fd;
}

int ping_node(const struct config *c, struct error *e)
{
    const char *host = config_wildcard_host(c) ? "127.0.0.1" : config_text(c, SETTING_HOST);
    int fd = connect_to(host, config_text(c, SETTING_PORT), e);
    if (fd < 0) return e->code;
    char request[1200], reply[256];
    const char *password = config_text(c, SETTING_REQUIREPASS);
    int len = *password ? snprintf(request, sizeof request, "*2\r\n$4\r\nAUTH\r\n$%zu\r\n%s\r\n*1\r\n$4\r\nPING\r\n", strlen(password), password)
                        : snprintf(request, sizeof request, "*1\r\n$4\r\nPING\r\n");
    int code = 0;
    size_t got = 0;
    if (write(fd, request, (size_t)len) != len) code = error_system(e, ERROR_UNREACHABLE, errno, "cannot write to %s", host);
    while (!code && got < sizeof reply - 1) {
        ssize_t n = read(fd, reply + got, sizeof reply - 1 - got);
        if (n <= 0) {
            code = n ? error_system(e, ERROR_UNREACHABLE, errno, "no answer") : error_set(e, ERROR_UNREACHABLE, "the connection was closed");
            break;
        }
        got += (size_t)n;
        reply[got] = 0;
        if (strstr(reply, "+PONG\r\n") || strstr(reply, "-NOAUTH")) break;
        if (reply[0] == '-' && strchr(reply, '\n')) code = error_set(e, ERROR_UNREACHABLE, "it answers '%.200s'", reply);
    }
    close(fd);
    return code;
}
