#include "transcript.h"

#include <stdlib.h>

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

/* Parses what is in the window [*from, to) of the input; false after an error. */
static bool parse_window(struct resp_parser *p, struct bytes input, size_t *from, size_t to,
                         const struct resp_limits *limits, struct buffer *out)
{
    for (;;) {
        size_t len = to - *from;
        uint8_t *exact = malloc(len ? len : 1); /* so that the sanitizer sees a read past the end */
        if (len) memcpy(exact, input.data + *from, len);
        struct resp_request request;
        struct error e;
        enum resp_status status = resp_parse(p, bytes_of(exact, len), limits, &request, &e);
        if (status == RESP_READY) {
            append_request(&request, out);
            *from += request.size;
        } else if (status == RESP_BAD) {
            buffer_printf(out, "!%s", e.text);
        }
        free(exact);
        if (status != RESP_READY) return status == RESP_MORE;
    }
}

void transcript_of(struct bytes input, size_t step, const struct resp_limits *limits, struct buffer *out)
{
    struct resp_parser parser;
    resp_parser_init(&parser);
    size_t from = 0, to = 0;
    bool good = true;
    while (good && to < input.len) {
        to = step == 0 || input.len - to < step ? input.len : to + step;
        good = parse_window(&parser, input, &from, to, limits, out);
    }
    if (good && from < input.len) buffer_append_text(out, "…");
    resp_parser_release(&parser);
}
