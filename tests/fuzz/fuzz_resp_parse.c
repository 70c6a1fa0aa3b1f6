/* Feeds requests to the parser whole and in pieces, from memory that moves, one by one and in groups; all must come out the same.
 *
 * Input: a byte that picks the limits, a byte that seeds the splits, the bytes of the connection. */
#include "base/buffer.h"
#include "base/random.h"
#include "resp/parse.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool within(struct bytes part, const uint8_t *data, size_t len)
{
    return part.len == 0 || (part.data >= data && part.data + part.len <= data + len);
}

/* What came of it, written down: compared in the end. */
static void record(struct buffer *log, enum resp_status status, const struct resp_request *request,
                   const struct error *e)
{
    buffer_printf(log, "\n%d ", status);
    if (status == RESP_BAD) buffer_append_text(log, e->text);
    if (status != RESP_READY) return;
    buffer_printf(log, "%zu", request->size);
    for (int i = 0; i < request->argc; i++) {
        buffer_printf(log, " %zu:", request->argv[i].len);
        buffer_append(log, request->argv[i].data, request->argv[i].len);
    }
}

static enum resp_status parse_once(struct resp_parser *p, struct bytes window, const struct resp_limits *limits,
                                   struct buffer *log, size_t *taken)
{
    struct resp_request request = {.argc = -1};
    struct error e = {.code = ERROR_NONE};
    enum resp_status status = resp_parse(p, window, limits, &request, &e);
    *taken = 0;
    if (status == RESP_READY) {
        must(request.size > 0 && request.size <= window.len, "a request takes some of the input");
        must(request.argc >= 0, "a request has arguments or none");
        bool is_inline = window.data[0] != '*';
        for (int i = 0; i < request.argc; i++)
            must(is_inline ? within(request.argv[i], p->inline_copy, p->inline_cap)
                           : within(request.argv[i], window.data, request.size),
                 "arguments lie in the request");
        must(resp_parser_wants(p, window.len) == 0, "nothing is wanted between requests");
        *taken = request.size;
    } else if (status == RESP_BAD) {
        must(e.code != ERROR_NONE && e.text[0], "an error says what it is");
    } else {
        must(status == RESP_MORE, "there is no other status");
        must(resp_parser_wants(p, window.len) <= limits->bulk_max + 2, "no more is wanted than a bulk");
        must(resp_parser_memory(p) <= 64 * window.len + 8192, "memory grows with what arrived");
    }
    if (status != RESP_MORE) record(log, status, &request, &e);
    return status;
}

/* Parses all of `input`, which arrives in pieces of up to `piece_max` bytes (0: at once). Returns how much was taken.
 */
static size_t parse_all(struct bytes input, const struct resp_limits *limits, uint64_t seed, size_t piece_max,
                        struct buffer *log)
{
    struct resp_parser parser;
    resp_parser_init(&parser);
    size_t from = 0, to = 0;
    enum resp_status status = RESP_MORE;
    while (status != RESP_BAD && to < input.len) {
        size_t piece = piece_max ? 1 + (size_t)random_below(&seed, piece_max) : input.len;
        to = piece < input.len - to ? to + piece : input.len;
        do {
            uint8_t *moved = malloc(to - from + 1);
            must(moved != NULL, "there is memory");
            memcpy(moved, input.data + from, to - from);
            size_t taken;
            status = parse_once(&parser, bytes_of(moved, to - from), limits, log, &taken);
            from += taken;
            free(moved);
        } while (status == RESP_READY);
    }
    resp_parser_release(&parser);
    return from;
}

/* The same in groups. */
static size_t group_all(struct bytes input, const struct resp_limits *limits, uint64_t seed, size_t piece_max, struct buffer *log)
{
    struct resp_parser parser;
    struct resp_group group;
    resp_parser_init(&parser);
    size_t from = 0, to = 0;
    enum resp_status status = RESP_MORE;
    while (status != RESP_BAD && to < input.len) {
        size_t piece = piece_max ? 1 + (size_t)random_below(&seed, piece_max) : input.len;
        to = piece < input.len - to ? to + piece : input.len;
        do {
            struct error e = {.code = ERROR_NONE};
            status = resp_parse_group(&parser, bytes_of(input.data + from, to - from), limits, &group, &e);
            if (status == RESP_BAD) record(log, status, NULL, &e);
            if (status != RESP_READY) break;
            must(group.count > 0 && group.count <= RESP_GROUP_MAX, "a group has requests");
            for (size_t i = 0; i < group.count; from += group.requests[i++].size) record(log, status, &group.requests[i], &e);
            must(from <= to, "requests lie in the input");
        } while (true);
    }
    resp_parser_release(&parser);
    return from;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct resp_limits small = {.bulk_max = 20, .args_max = 4, .request_max = 80, .inline_max = 32};
    if (size < 2) return 0;
    const struct resp_limits *choices[] = {&resp_limits_default, &resp_limits_unauthenticated, &small};
    const struct resp_limits *limits = choices[data[0] % 3];
    struct bytes input = bytes_of(data + 2, size - 2);
    struct buffer whole, pieces;
    buffer_init(&whole, (size_t)64 << 20);
    buffer_init(&pieces, (size_t)64 << 20);
    size_t taken = parse_all(input, limits, 0, 0, &whole);
    size_t taken_in_pieces = parse_all(input, limits, data[1], 1 + data[1] % 16, &pieces);
    must(!whole.failed && !pieces.failed, "there is memory");
    must(taken == taken_in_pieces && bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces)),
         "splitting does not change what comes out");
    for (size_t piece_max = 0; piece_max < 64; piece_max += 1 + data[1] % 63) {
        struct buffer groups;
        buffer_init(&groups, (size_t)64 << 20);
        size_t taken_in_groups = group_all(input, limits, data[1], piece_max, &groups);
        must(taken == taken_in_groups && bytes_equal(buffer_bytes(&whole), buffer_bytes(&groups)), "groups do not change what comes out");
        buffer_release(&groups);
    }
    buffer_release(&whole);
    buffer_release(&pieces);
    return 0;
}
