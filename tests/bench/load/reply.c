#include "reply.h"

#include <stdlib.h>
#include <string.h>

/* A whole line without CR LF. An array's elements are added to those awaited, a bulk string's bytes to those
 * skipped. */
static void take_line(struct load_reply *r)
{
    r->line[r->line_len < LOAD_REPLY_LINE ? r->line_len : LOAD_REPLY_LINE - 1] = 0;
    r->line_len = 0;
    if (!r->elements) r->elements = 1;
    r->elements--;
    long long n = strtoll(r->line + 1, NULL, 10);
    switch (r->line[0]) {
    case '+':
    case ':': break;
    case '-':
        if (r->errors++ == 0) memcpy(r->error, r->line, sizeof r->error);
        break;
    case '$':
        if (n < 0) r->nulls++;
        if (n >= 0) r->skip = (uint64_t)n + 2;
        break;
    case '*':
        if (n > 0) r->elements += (uint64_t)n;
        break;
    default: r->is_bad = true;
    }
}

size_t load_reply_read(struct load_reply *r, const char *bytes, size_t len, bool *is_whole)
{
    size_t at = 0;
    *is_whole = false;
    while (at < len && !*is_whole && !r->is_bad) {
        if (r->skip) {
            size_t n = r->skip < len - at ? (size_t)r->skip : len - at;
            r->skip -= n;
            at += n;
            *is_whole = !r->skip && !r->elements;
            continue;
        }
        char c = bytes[at++];
        if (c == '\n') {
            take_line(r);
            *is_whole = !r->skip && !r->elements && !r->is_bad;
        } else if (c != '\r') {
            if (r->line_len < LOAD_REPLY_LINE - 1) r->line[r->line_len++] = c;
        }
    }
    return at;
}
