#include "resp/parse.h"

#include "base/number.h"
#include "resp/parse_inline.h"

#include <limits.h>
#include <stdlib.h>

const struct resp_limits resp_limits_default = {
    .bulk_max = (size_t)512 << 20, .args_max = 1 << 20, .request_max = (size_t)1 << 30, .inline_max = 64 << 10};
const struct resp_limits resp_limits_unauthenticated = {
    .bulk_max = 16 << 10, .args_max = 10, .request_max = 256 << 10, .inline_max = 64 << 10, .unauthenticated = true};

#define ARGS_KEPT   64   /* a parser keeps room for so many arguments between requests, */
#define INLINE_KEPT 1024 /* and for an inline request of so many bytes */

void resp_parser_init(struct resp_parser *p)
{
    memset(p, 0, sizeof *p);
    p->args_left = p->bulk_len = -1;
}

void resp_parser_release(struct resp_parser *p)
{
    free(p->spans);
    free(p->argv);
    free(p->inline_copy);
    resp_parser_init(p);
}

size_t resp_parser_memory(const struct resp_parser *p)
{
    return p->span_cap * sizeof *p->spans + p->argv_cap * sizeof *p->argv + p->inline_cap;
}

size_t resp_parser_wants(const struct resp_parser *p, size_t input_len)
{
    if (p->args_left <= 0 || p->bulk_len < 0) return 0;
    size_t end = p->at + (size_t)p->bulk_len + 2;
    return end > input_len ? end - input_len : 0;
}

static enum resp_status bad(struct error *e, const char *what)
{
    error_set(e, ERROR_SYNTAX, "Protocol error: %s", what);
    return RESP_BAD;
}

static enum resp_status no_memory(struct error *e)
{
    error_set(e, ERROR_OOM, "no memory for the request");
    return RESP_BAD;
}

/* What the last request needed beyond the ordinary is given back when the next one begins: argv lived until now. */
static void begin(struct resp_parser *p)
{
    if (p->span_cap > ARGS_KEPT || p->argv_cap > ARGS_KEPT || p->inline_cap > INLINE_KEPT) resp_parser_release(p);
}

/* The room for arguments grows as they arrive, whatever number was declared. */
static bool add_span(struct resp_parser *p, size_t at, size_t len)
{
    if (p->span_count == p->span_cap) {
        size_t cap = p->span_cap ? p->span_cap * 2 : 8;
        struct resp_span *spans = realloc(p->spans, cap * sizeof *spans);
        if (!spans) return false;
        p->spans = spans;
        p->span_cap = cap;
    }
    p->spans[p->span_count++] = (struct resp_span){at, len};
    return true;
}

/* The request is whole: gives it out, and is ready for the next. `base` is what the spans count from. */
static enum resp_status finish(struct resp_parser *p, const uint8_t *base, size_t size, struct resp_request *out,
                               struct error *e)
{
    if (p->span_count > p->argv_cap) {
        struct bytes *argv = realloc(p->argv, p->span_cap * sizeof *argv);
        if (!argv) return no_memory(e);
        p->argv = argv;
        p->argv_cap = p->span_cap;
    }
    for (size_t i = 0; i < p->span_count; i++) p->argv[i] = bytes_of(base + p->spans[i].at, p->spans[i].len);
    *out = (struct resp_request){.argc = (int)p->span_count, .argv = p->argv, .size = size};
    p->at = p->scanned = p->span_count = 0;
    p->args_left = p->bulk_len = -1;
    return RESP_READY;
}

/* ---- inline requests ---- */

static enum resp_status split_line(struct resp_parser *p, struct bytes line, size_t size, struct resp_request *out,
                                   struct error *e)
{
    if (line.len > p->inline_cap) {
        uint8_t *copy = realloc(p->inline_copy, line.len);
        if (!copy) return no_memory(e);
        p->inline_copy = copy;
        p->inline_cap = line.len;
    }
    struct resp_words words = {.next = line.data, .end = line.data + line.len, .out = p->inline_copy};
    for (;;) {
        size_t from = words.out_len;
        enum resp_word word = resp_words_next(&words);
        if (word == RESP_WORD_UNBALANCED) return bad(e, "unbalanced quotes in request");
        if (word == RESP_WORD_END) return finish(p, p->inline_copy, size, out, e);
        if (!add_span(p, from, words.out_len - from)) return no_memory(e);
    }
}

static enum resp_status parse_inline(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                                     struct resp_request *out, struct error *e)
{
    size_t window = input.len > limits->inline_max ? limits->inline_max + 1 : input.len;
    if (window < p->scanned) window = p->scanned; /* the limit was lowered meanwhile */
    const uint8_t *fresh = input.data + p->scanned;
    size_t fresh_len = window - p->scanned;
    const uint8_t *newline = memchr(fresh, '\n', fresh_len);
    if (newline) fresh_len = (size_t)(newline - fresh);
    /* Binary rubbish (a TLS hello, say) is told so at once. Redis takes a NUL for the end of what it has, and waits. */
    if (memchr(fresh, 0, fresh_len)) return bad(e, "NUL byte in inline request");
    if (!newline) {
        if (input.len > limits->inline_max) return bad(e, "too big inline request");
        p->scanned = window;
        return RESP_MORE;
    }
    size_t len = (size_t)(newline - input.data);
    size_t size = len + 1;
    if (len && input.data[len - 1] == '\r') len--;
    return split_line(p, bytes_of(input.data, len), size, out, e);
}

/* ---- arrays of bulk strings ---- */

/* A line that holds one number, after its type byte. */
struct number_line {
    const char *too_long, *invalid; /* what is said of one over inline_max, and of one that is no number */
};
static const struct number_line count_line = {"too big mbulk count string", "invalid multibulk length"};
static const struct number_line bulk_line = {"too big bulk count string", "invalid bulk length"};

/* Any line, perhaps not whole yet. */
static enum resp_status read_any_line(struct resp_parser *p, struct bytes input, size_t line_max,
                                      const struct number_line *kind, int64_t *out, struct error *e)
{
    const uint8_t *line = input.data + p->at;
    size_t len = input.len - p->at;
    size_t window = len > line_max ? line_max + 1 : len;
    size_t seen = p->scanned > p->at ? p->scanned - p->at : 1;
    const uint8_t *end = seen < window ? memchr(line + seen, '\r', window - seen) : NULL;
    if (!end) {
        if (len > line_max) return bad(e, kind->too_long);
        p->scanned = p->at + window;
        return RESP_MORE;
    }
    p->scanned = (size_t)(end - input.data);
    if (p->scanned + 1 == input.len) return RESP_MORE;
    if (end[1] != '\n') return bad(e, "expected LF after CR");
    if (!number_parse_integer(bytes_of(line + 1, (size_t)(end - line) - 1), out)) return bad(e, kind->invalid);
    p->at = p->scanned + 2;
    return RESP_READY;
}

/* A number of up to 9 digits in a line that is whole, as nearly all are: one short loop. Returns what follows the line; NULL: it is no such. */
static inline const uint8_t *read_short_number(const uint8_t *line, const uint8_t *end, int64_t *out)
{
    const uint8_t *digits = line + 1, *next = digits;
    int64_t value = 0;
    while (next < end && next - digits < 9 && *next >= '0' && *next <= '9') value = value * 10 + (*next++ - '0');
    if (end - next < 2 || next[0] != '\r' || next[1] != '\n' || next == digits) return NULL;
    if (*digits == '0' && next > digits + 1) return NULL;
    *out = value;
    return next + 2;
}

/* Reads the number of the line at `at`. */
static inline enum resp_status read_number(struct resp_parser *p, struct bytes input, size_t line_max,
                                           const struct number_line *kind, int64_t *out, struct error *e)
{
    const uint8_t *next = read_short_number(input.data + p->at, input.data + input.len, out);
    if (!next) return read_any_line(p, input, line_max, kind, out, e);
    p->at = (size_t)(next - input.data);
    return RESP_READY;
}

static enum resp_status read_count(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                                   struct error *e)
{
    int64_t count;
    enum resp_status status = read_number(p, input, limits->inline_max, &count_line, &count, e);
    if (status != RESP_READY) return status;
    if (count > INT_MAX) return bad(e, count_line.invalid);
    if (count > 0 && (size_t)count > limits->args_max)
        return bad(e, limits->unauthenticated ? "unauthenticated multibulk length" : count_line.invalid);
    p->args_left = count > 0 ? count : 0; /* "*-1" is an empty request too */
    return RESP_READY;
}

static enum resp_status read_bulk_len(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                                      struct error *e)
{
    if (p->at == input.len) return RESP_MORE;
    if (input.data[p->at] != '$') {
        error_set(e, ERROR_SYNTAX, "Protocol error: expected '$', got '%c'", input.data[p->at]);
        return RESP_BAD;
    }
    int64_t len;
    enum resp_status status = read_number(p, input, limits->inline_max, &bulk_line, &len, e);
    if (status != RESP_READY) return status;
    size_t valid_max = limits->unauthenticated ? resp_limits_default.bulk_max : limits->bulk_max;
    if (len < 0 || (uint64_t)len > valid_max) return bad(e, bulk_line.invalid);
    if ((size_t)len > limits->bulk_max) return bad(e, "unauthenticated bulk length");
    if (p->at > limits->request_max || (size_t)len > limits->request_max - p->at) return bad(e, "too big request");
    p->bulk_len = len;
    return RESP_READY;
}

static enum resp_status read_bulk(struct resp_parser *p, struct bytes input, struct error *e)
{
    size_t len = (size_t)p->bulk_len, there = input.len - p->at;
    const uint8_t *end = input.data + p->at + len;
    /* Redis skips whatever two bytes follow; here a wrong length is noticed before bytes of a value run as a command.
     */
    if ((there > len && end[0] != '\r') || (there > len + 1 && end[1] != '\n'))
        return bad(e, "expected CRLF after bulk");
    if (there < len + 2) return RESP_MORE;
    if (!add_span(p, p->at, len)) return no_memory(e);
    p->at += len + 2;
    p->bulk_len = -1;
    p->args_left--;
    return RESP_READY;
}

/* Whether nothing of the next request was looked at. */
static bool is_between(const struct resp_parser *p)
{
    return p->args_left < 0 && p->scanned == 0;
}

enum resp_status resp_parse(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                            struct resp_request *out, struct error *e)
{
    if (is_between(p)) begin(p);
    if (input.len == 0) return RESP_MORE;
    if (p->args_left < 0) {
        if (input.data[0] != '*') return parse_inline(p, input, limits, out, e);
        enum resp_status status = read_count(p, input, limits, e);
        if (status != RESP_READY) return status;
    }
    while (p->args_left > 0) {
        enum resp_status status = p->bulk_len < 0 ? read_bulk_len(p, input, limits, e) : read_bulk(p, input, e);
        if (status != RESP_READY) return status;
    }
    return finish(p, input.data, p->at, out, e);
}

/* ---- several at once ---- */

/* Reads an array that is whole and within the limits. Returns its size; 0: it is no such, and resp_parse must say what it is. */
static size_t read_whole(struct bytes input, const struct resp_limits *limits, struct bytes *argv, size_t argv_max, int *argc)
{
    const uint8_t *at = input.data, *end = at + input.len;
    int64_t count, len;
    if (at == end || *at != '*' || !(at = read_short_number(at, end, &count))) return 0;
    if (count == 0 || (size_t)count > argv_max || (size_t)count > limits->args_max) return 0;
    for (int64_t i = 0; i < count; i++) {
        if (at == end || *at != '$' || !(at = read_short_number(at, end, &len))) return 0;
        if ((size_t)len > limits->bulk_max || end - at < len + 2 || at[len] != '\r' || at[len + 1] != '\n') return 0;
        argv[i] = bytes_of(at, (size_t)len);
        at += len + 2;
    }
    *argc = (int)count;
    size_t size = (size_t)(at - input.data);
    return size <= limits->request_max ? size : 0;
}

enum resp_status resp_parse_group(struct resp_parser *p, struct bytes input, const struct resp_limits *limits,
                                  struct resp_group *out, struct error *e)
{
    size_t args = 0;
    out->count = 0;
    while (is_between(p) && out->count < RESP_GROUP_MAX) {
        struct resp_request *r = &out->requests[out->count];
        r->argv = out->argv + args;
        r->size = read_whole(input, limits, out->argv + args, RESP_GROUP_ARGS - args, &r->argc);
        if (r->size == 0) break;
        out->count++;
        args += (size_t)r->argc;
        input = bytes_of(input.data + r->size, input.len - r->size);
    }
    if (out->count == 0) {
        enum resp_status status = resp_parse(p, input, limits, out->requests, e);
        out->count = status == RESP_READY;
        return status;
    }
    begin(p);
    return RESP_READY;
}
