#include "resp/reply.h"

#include <math.h>

#include "base/number.h"

#define LINE_MAX_BYTES (64u << 10)
#define COUNT_MAX      (1 << 24)

static enum resp_status bad(struct error *e, const char *what)
{
    error_set(e, ERROR_SYNTAX, "not a reply: %s", what);
    return RESP_BAD;
}

/* The line at `*at` without its first byte and its end. */
static enum resp_status read_line(struct bytes input, size_t *at, struct bytes *line, struct error *e)
{
    const uint8_t *from = input.data + *at + 1, *end = input.data + input.len;
    const uint8_t *cr = from < end ? memchr(from, '\r', (size_t)(end - from)) : NULL;
    if (!cr || cr + 1 == end) return input.len - *at > LINE_MAX_BYTES ? bad(e, "a line without an end") : RESP_MORE;
    if (cr[1] != '\n') return bad(e, "a carriage return within a line");
    *line = bytes_of(from, (size_t)(cr - from));
    *at += line->len + 3;
    return RESP_READY;
}

static enum resp_status read_length(struct bytes line, int64_t max, int64_t *out, struct error *e)
{
    if (number_parse_integer(line, out) && *out >= -1 && *out <= max) return RESP_READY;
    return bad(e, "a length that is no number, or too large");
}

/* The `len` bytes and their end. Both are there, or *at is left. */
static enum resp_status read_body(struct bytes input, size_t *at, size_t len, struct bytes *out, struct error *e)
{
    if (input.len - *at < len + 2) return RESP_MORE;
    if (memcmp(input.data + *at + len, "\r\n", 2) != 0) return bad(e, "a string that does not end where it should");
    *out = bytes_of(input.data + *at, len);
    *at += len + 2;
    return RESP_READY;
}

static enum resp_status read_text(char type, struct bytes line, struct bytes input, size_t *at, struct resp_part *out,
                                  struct error *e)
{
    int64_t len;
    if (read_length(line, INT32_MAX, &len, e) != RESP_READY) return RESP_BAD;
    if (len < 0) {
        out->type = RESP_PART_NULL;
        return RESP_READY;
    }
    enum resp_status status = read_body(input, at, (size_t)len, &out->text, e);
    if (status != RESP_READY || type != '=') return status;
    if (len < 4 || out->text.data[3] != ':') return bad(e, "a verbatim string without a format");
    out->text = bytes_of(out->text.data + 4, out->text.len - 4);
    return RESP_READY;
}

static enum resp_status read_aggregate(struct bytes line, struct resp_part *out, struct error *e)
{
    int64_t count;
    if (read_length(line, COUNT_MAX, &count, e) != RESP_READY) return RESP_BAD;
    if (count < 0) {
        out->type = RESP_PART_NULL;
        return RESP_READY;
    }
    out->count = (size_t)count;
    return RESP_READY;
}

static enum resp_status read_number(struct bytes line, double *out, struct error *e)
{
    long double value;
    if (bytes_is(line, "nan")) {
        *out = NAN;
        return RESP_READY;
    }
    if (!number_parse_real(line, &value)) return bad(e, "a double that is no number");
    *out = (double)value;
    return RESP_READY;
}

static enum resp_status read_scalar(char type, struct bytes line, struct resp_part *out, struct error *e)
{
    out->text = line;
    switch (type) {
    case ':': return number_parse_integer(line, &out->integer) ? RESP_READY : bad(e, "an integer that is no number");
    case '#':
        out->integer = line.len == 1 && line.data[0] == 't';
        return line.len == 1 && (line.data[0] == 't' || line.data[0] == 'f')
                   ? RESP_READY
                   : bad(e, "a boolean that is neither t nor f");
    case ',': return read_number(line, &out->number, e);
    default: return RESP_READY;
    }
}

static const struct {
    char sign;
    enum resp_part_type type;
} types[] = {
    {'+', RESP_PART_STATUS}, {'-', RESP_PART_ERROR},  {':', RESP_PART_INTEGER}, {'$', RESP_PART_TEXT},
    {'=', RESP_PART_TEXT},   {'(', RESP_PART_TEXT},   {'!', RESP_PART_ERROR},   {'_', RESP_PART_NULL},
    {'#', RESP_PART_BOOL},   {',', RESP_PART_DOUBLE}, {'*', RESP_PART_LIST},    {'~', RESP_PART_LIST},
    {'>', RESP_PART_LIST},   {'%', RESP_PART_MAP},
};

enum resp_status resp_part_read(struct bytes input, size_t *at, struct resp_part *out, struct error *e)
{
    *out = (struct resp_part){0};
    if (*at >= input.len) return RESP_MORE;
    char sign = (char)input.data[*at];
    size_t i = 0, next = *at;
    while (i < sizeof types / sizeof *types && types[i].sign != sign) i++;
    if (i == sizeof types / sizeof *types) return bad(e, "an unknown type");
    out->type = types[i].type;
    struct bytes line = {0};
    enum resp_status status = read_line(input, &next, &line, e);
    if (status != RESP_READY) return status;
    if (sign == '$' || sign == '=' || sign == '!')
        status = read_text(sign, line, input, &next, out, e);
    else if (out->type == RESP_PART_LIST || out->type == RESP_PART_MAP)
        status = read_aggregate(line, out, e);
    else
        status = read_scalar(sign, line, out, e);
    if (status == RESP_READY) *at = next;
    return status;
}

enum resp_status resp_reply_scan(struct resp_scan *s, struct bytes input, size_t max, struct error *e)
{
    if (!s->begun) *s = (struct resp_scan){.begun = true, .parts = 1};
    while (s->parts) {
        struct resp_part part;
        enum resp_status status = resp_part_read(input, &s->at, &part, e);
        if (status == RESP_MORE && input.len < max) return RESP_MORE;
        if (status == RESP_BAD) return RESP_BAD;
        s->parts += part.count * (part.type == RESP_PART_MAP ? 2 : 1);
        /* A part takes three bytes at least. */
        if (status == RESP_MORE || s->parts > max / 3) {
            error_set(e, ERROR_LIMIT, "the reply is longer than %zu bytes", max);
            return RESP_BAD;
        }
        s->parts--;
    }
    return RESP_READY;
}
