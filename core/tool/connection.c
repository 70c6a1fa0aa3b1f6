#include "tool/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "resp/reply.h"

#define REPLY_MAX ((size_t)64 << 20)
#define READ_SIZE (64u << 10)
#define DEPTH_MAX 32

/* ---- waiting ---- */

static uint64_t call_deadline(const struct connection *c)
{
    uint64_t limit = clock_monotonic_ms() + CONNECTION_CALL_MS;
    return limit < c->deadline_ms ? limit : c->deadline_ms;
}

/* Waits for `events` until `deadline`. */
static int wait_for(int fd, short events, uint64_t deadline, struct error *e)
{
    for (;;) {
        uint64_t now = clock_monotonic_ms();
        if (now >= deadline) return error_set(e, ERROR_GENERIC, "no answer in time"), TOOL_TIMEOUT;
        struct pollfd p = {.fd = fd, .events = events};
        int ready = poll(&p, 1, (int)(deadline - now));
        if (ready > 0) return TOOL_DONE;
        if (ready < 0 && errno != EINTR) return error_system(e, ERROR_UNREACHABLE, errno, "poll"), TOOL_UNREACHABLE;
    }
}

/* ---- connecting ---- */

static int connect_socket(int fd, const struct addrinfo *a, uint64_t deadline, struct error *e)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) return TOOL_DONE;
    if (errno != EINPROGRESS) return error_system(e, ERROR_UNREACHABLE, errno, "cannot connect"), TOOL_UNREACHABLE;
    int code = wait_for(fd, POLLOUT, deadline, e);
    if (code) return code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size)) problem = errno;
    return problem ? (error_system(e, ERROR_UNREACHABLE, problem, "cannot connect"), TOOL_UNREACHABLE) : TOOL_DONE;
}

static int connect_to(struct connection *c, const struct tool_call *call, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int code = TOOL_UNREACHABLE, problem = getaddrinfo(call->host, call->port, &hints, &list);
    if (problem) return error_set(e, ERROR_UNREACHABLE, "cannot find it: %s", gai_strerror(problem)), TOOL_UNREACHABLE;
    uint64_t deadline = call_deadline(c);
    for (struct addrinfo *a = list; a && code; a = a->ai_next) {
        c->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (c->fd < 0) {
            error_system(e, ERROR_UNREACHABLE, errno, "cannot make a socket");
            continue;
        }
        code = connect_socket(c->fd, a, deadline, e);
        if (code) connection_close(c);
    }
    freeaddrinfo(list);
    return code;
}

static int say_hello(struct connection *c, const struct tool_call *call, struct error *e)
{
    const char *words[] = {"HELLO", "3", "AUTH", call->user, call->password};
    struct bytes argv[5], reply;
    int argc = call->password ? 5 : 2;
    for (int i = 0; i < argc; i++) argv[i] = bytes_text(words[i]);
    int code = connection_call(c, argv, argc, &reply, e);
    if (code != TOOL_FAILED) return code;
    if (strncmp(e->text, "NOAUTH", 6) == 0)
        error_set(e, ERROR_UNREACHABLE, "it wants a password: --pass, or AIKV_AUTH in the environment");
    return TOOL_UNREACHABLE; /* it does not let us in */
}

int connection_open(struct connection *c, const struct tool_call *call, struct error *e)
{
    uint64_t deadline = c->deadline_ms;
    *c = (struct connection){.fd = -1, .deadline_ms = deadline};
    buffer_init(&c->in, REPLY_MAX + READ_SIZE);
    int code = connect_to(c, call, e);
    if (!code) code = say_hello(c, call, e);
    if (!code) return TOOL_DONE;
    connection_close(c);
    error_prefix(e, "%.200s:%.20s: ", call->host, call->port);
    return code;
}

void connection_close(struct connection *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    buffer_release(&c->in);
}

/* ---- a call ---- */

static int send_all(struct connection *c, struct bytes data, uint64_t deadline, struct error *e)
{
    while (data.len) {
        ssize_t n = send(c->fd, data.data, data.len, MSG_NOSIGNAL);
        if (n > 0) {
            data = bytes_of(data.data + n, data.len - (size_t)n);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return error_system(e, ERROR_UNREACHABLE, errno, "cannot send"), TOOL_UNREACHABLE;
        int code = wait_for(c->fd, POLLOUT, deadline, e);
        if (code) return code;
    }
    return TOOL_DONE;
}

static int send_command(struct connection *c, const struct bytes *argv, int argc, uint64_t deadline, struct error *e)
{
    struct buffer out;
    buffer_init(&out, REPLY_MAX);
    buffer_printf(&out, "*%d\r\n", argc);
    for (int i = 0; i < argc; i++) {
        buffer_printf(&out, "$%zu\r\n", argv[i].len);
        buffer_append(&out, argv[i].data, argv[i].len);
        buffer_append_text(&out, "\r\n");
    }
    int code = out.failed
                   ? (error_set(e, ERROR_LIMIT, "the command is longer than %zu bytes", REPLY_MAX), TOOL_UNREACHABLE)
                   : send_all(c, buffer_bytes(&out), deadline, e);
    buffer_release(&out);
    return code;
}

/* One read. */
static int receive(struct connection *c, uint64_t deadline, struct error *e)
{
    int code = wait_for(c->fd, POLLIN, deadline, e);
    uint8_t *room = code ? NULL : buffer_reserve(&c->in, READ_SIZE);
    if (code) return code;
    if (!room) return error_set(e, ERROR_OOM, "no memory for the reply"), TOOL_UNREACHABLE;
    ssize_t n = recv(c->fd, room, READ_SIZE, 0);
    if (n == 0) return error_set(e, ERROR_UNREACHABLE, "the node closed the connection"), TOOL_UNREACHABLE;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return error_system(e, ERROR_UNREACHABLE, errno, "cannot read"), TOOL_UNREACHABLE;
    if (n > 0) c->in.len += (size_t)n;
    return TOOL_DONE;
}

static int receive_reply(struct connection *c, uint64_t deadline, struct bytes *reply, struct error *e)
{
    struct resp_scan scan = {0};
    for (;;) {
        enum resp_status status = resp_reply_scan(&scan, buffer_bytes(&c->in), REPLY_MAX, e);
        if (status == RESP_BAD) return TOOL_UNREACHABLE;
        if (status == RESP_READY) {
            *reply = bytes_of(c->in.data, scan.at);
            return TOOL_DONE;
        }
        int code = receive(c, deadline, e);
        if (code) return code;
    }
}

int connection_call(struct connection *c, const struct bytes *argv, int argc, struct bytes *reply, struct error *e)
{
    uint64_t deadline = call_deadline(c);
    if (c->fd < 0) return error_set(e, ERROR_UNREACHABLE, "not connected"), TOOL_UNREACHABLE;
    buffer_clear(&c->in);
    int code = send_command(c, argv, argc, deadline, e);
    if (!code) code = receive_reply(c, deadline, reply, e);
    if (code) {
        connection_close(c);
        return code;
    }
    struct resp_part part;
    size_t at = 0;
    if (resp_part_read(*reply, &at, &part, e) != RESP_READY || part.type != RESP_PART_ERROR) return TOOL_DONE;
    error_set(e, ERROR_GENERIC, "%.*s", (int)(part.text.len > 370 ? 370 : part.text.len), (const char *)part.text.data);
    return TOOL_FAILED;
}

/* ---- the reply as a value ---- */

static json_t *text_value(struct bytes text)
{
    json_t *value = json_stringn((const char *)text.data, text.len);
    if (value) return value;
    char *ascii = malloc(text.len + 1);
    if (!ascii) return NULL;
    for (size_t i = 0; i < text.len; i++) ascii[i] = text.data[i] < 0x80 ? (char)text.data[i] : '?';
    value = json_stringn(ascii, text.len);
    free(ascii);
    return value;
}

static json_t *value_at(struct bytes reply, size_t *at, int depth);

static json_t *list_at(struct bytes reply, size_t *at, size_t count, int depth)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, value_at(reply, at, depth))) return json_decref(list), NULL;
    return list;
}

static json_t *map_at(struct bytes reply, size_t *at, size_t count, int depth)
{
    json_t *map = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *key = value_at(reply, at, depth), *value = value_at(reply, at, depth);
        int set = json_is_string(key) ? json_object_set(map, json_string_value(key), value) : -1;
        json_decref(key);
        json_decref(value);
        if (set) return json_decref(map), NULL;
    }
    return map;
}

/* JSON has no infinity and no NaN. */
static json_t *number_value(double number)
{
    json_t *value = json_real(number);
    return value ? value : json_null();
}

static json_t *value_at(struct bytes reply, size_t *at, int depth)
{
    struct resp_part part;
    if (depth > DEPTH_MAX || resp_part_read(reply, at, &part, NULL) != RESP_READY) return NULL;
    switch (part.type) {
    case RESP_PART_STATUS:
    case RESP_PART_ERROR:
    case RESP_PART_TEXT: return text_value(part.text);
    case RESP_PART_INTEGER: return json_integer(part.integer);
    case RESP_PART_BOOL: return json_boolean(part.integer);
    case RESP_PART_DOUBLE: return number_value(part.number);
    case RESP_PART_LIST: return list_at(reply, at, part.count, depth + 1);
    case RESP_PART_MAP: return map_at(reply, at, part.count, depth + 1);
    case RESP_PART_NULL: break;
    }
    return json_null();
}

json_t *connection_value(struct bytes reply)
{
    size_t at = 0;
    return value_at(reply, &at, 0);
}
