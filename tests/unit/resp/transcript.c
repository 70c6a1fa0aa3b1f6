#include "transcript.h"

#include <stdlib.h>

#include "tests.h"

static void append_request(const struct resp_request *request, struct buffer *out)
{
    buffer_append_text(out, "[");
    for (int i = 0; i < request->argc; i++) {
        if (i > 0) buffer_append_text(out, " ");
        for (size_t k = 0; k < request->argv[i].len; k++) {
            uint8_t c = request->argv[i].data[k];
            buffer_printf(out, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
        }
    }
    buffer_append_text(out, "]");
}

/* One by one, or as many at once as there are. */
static enum resp_status parse(struct resp_parser *p, struct bytes input, const struct resp_limits *limits, bool grouped, struct resp_group *out,
                              struct error *e)
{
    if (grouped) return resp_parse_group(p, input, limits, out, e);
    out->count = 1;
    return resp_parse(p, input, limits, out->requests, e);
}

/* Parses what is in the window [*from, to) of the input; false after an error. */
static bool parse_window(struct resp_parser *p, struct bytes input, size_t *from, size_t to,
                         const struct resp_limits *limits, bool grouped, struct buffer *out)
{
    for (;;) {
        size_t len = to - *from;
        uint8_t *exact = malloc(len ? len : 1); /* so that the sanitizer sees a read past the end */
        if (len) memcpy(exact, input.data + *from, len);
        struct resp_group group;
        struct error e;
        enum resp_status status = parse(p, bytes_of(exact, len), limits, grouped, &group, &e);
        if (status == RESP_BAD) buffer_printf(out, "!%s", e.text);
        for (size_t i = 0; status == RESP_READY && i < group.count; i++) {
            append_request(&group.requests[i], out);
            *from += group.requests[i].size;
        }
        free(exact);
        if (status != RESP_READY) return status == RESP_MORE;
    }
}

static void feed(struct bytes input, size_t step, const struct resp_limits *limits, bool grouped, struct buffer *out)
{
    struct resp_parser parser;
    resp_parser_init(&parser);
    size_t from = 0, to = 0;
    bool good = true;
    while (good && to < input.len) {
        to = step == 0 || input.len - to < step ? input.len : to + step;
        good = parse_window(&parser, input, &from, to, limits, grouped, out);
    }
    if (good && from < input.len) buffer_append_text(out, "…");
    resp_parser_release(&parser);
}

void transcript_of(struct bytes input, size_t step, const struct resp_limits *limits, struct buffer *out)
{
    struct buffer grouped;
    size_t before = out->len;
    buffer_init(&grouped, SIZE_MAX);
    feed(input, step, limits, false, out);
    feed(input, step, limits, true, &grouped);
    assert_int_equal(grouped.len, out->len - before);
    if (grouped.len) assert_memory_equal(grouped.data, out->data + before, grouped.len);
    buffer_release(&grouped);
}
