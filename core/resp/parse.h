/* Reading requests: RESP arrays of bulk strings, and inline commands.
 *
 * The parser does no I/O and copies nothing. It is fed the connection's unread bytes from their beginning each time;
 * it remembers how far it got, so a request that arrives byte by byte costs linear time. The bytes may move between
 * calls (the buffer may be reallocated), they must not change.
 *
 * Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/ ; errors and limits as redis-server 7.0. */
#ifndef AIKV_RESP_PARSE_H
#define AIKV_RESP_PARSE_H

#include "base/bytes.h"
#include "base/error.h"

struct resp_limits {
    size_t bulk_max;   /* bytes of one argument */
    size_t args_max;   /* arguments of one request */
    size_t request_max; /* bytes of one request, all told */
    size_t inline_max; /* bytes of an inline request, and of a line of the protocol (at least 32) */
    bool unauthenticated; /* the errors of args_max and bulk_max say so, as Redis's do */
};

/* Redis's: 512 MiB, 1,048,576 arguments, 1 GiB, 64 KiB. */
extern const struct resp_limits resp_limits_default;
/* Before authentication, as Redis: 10 arguments of 16 KiB. */
extern const struct resp_limits resp_limits_unauthenticated;

struct resp_parser {
    size_t at;           /* bytes understood so far */
    size_t scanned;      /* bytes looked at for the end of the line that begins at `at` */
    int64_t args_left;   /* -1: between requests */
    int64_t bulk_len;    /* -1: its length line comes next */
    struct resp_span { size_t at, len; } *spans; /* arguments found so far */
    size_t span_count, span_cap;
    struct bytes *argv;  /* what resp_request points to */
    size_t argv_cap;
    uint8_t *inline_copy; /* unquoted inline arguments */
    size_t inline_cap;
};

struct resp_request {
    int argc;
    const struct bytes *argv; /* into the bytes given, or into the parser (inline); until the next call */
    size_t size;              /* bytes this request took: drop them when done with argv */
};

enum resp_status {
    RESP_MORE,  /* not whole yet; nothing is wrong so far */
    RESP_READY, /* `out` holds a request; argc 0 for an empty one (`*0`, an empty line): drop `size` bytes and go on */
    RESP_BAD,   /* `e` says what ("Protocol error: …"); the connection must be closed, and the parser released */
};

void resp_parser_init(struct resp_parser *p);
/* Frees its memory; the parser is as new and may be used again. */
void resp_parser_release(struct resp_parser *p);

/* Looks for one request at the beginning of `input`. After RESP_READY the parser is ready for the next one. */
enum resp_status resp_parse(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                            struct resp_request *out, struct error *e);

/* Requests that follow each other. `argv` is where the arguments of most of them are listed. */
#define RESP_GROUP_MAX  16
#define RESP_GROUP_ARGS 64
struct resp_group {
    size_t count;
    struct resp_request requests[RESP_GROUP_MAX];
    struct bytes argv[RESP_GROUP_ARGS];
};

/* The same for as many requests as are there, whole and short, and go into `out`: RESP_READY means one at least. What resp_parse() would
 * say of the one behind them, the next call does. */
enum resp_status resp_parse_group(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                                  struct resp_group *out, struct error *e);

/* The memory it holds. */
size_t resp_parser_memory(const struct resp_parser *p);

/* How many bytes beyond `input` the request needs at least, as far as is known (0: unknown): what to reserve. */
size_t resp_parser_wants(const struct resp_parser *p, size_t input_len);

#endif
