#include "resp/write.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>

/* Type byte, number, CRLF: the head of everything but text. */
static size_t format_head(char out[NUMBER_TEXT_MAX + 3], char type, int64_t number)
{
    out[0] = type;
    size_t len = 1 + number_format_integer(out + 1, number);
    out[len++] = '\r';
    out[len++] = '\n';
    return len;
}

static void put_head(struct resp_writer *w, char type, int64_t number)
{
    char head[NUMBER_TEXT_MAX + 3];
    buffer_append(w->out, head, format_head(head, type, number));
}

static void put_crlf(uint8_t *to)
{
    to[0] = '\r';
    to[1] = '\n';
}

static void put_line(struct resp_writer *w, char type, struct bytes text)
{
    uint8_t *to = buffer_reserve(w->out, text.len + 3);
    if (!to) return;
    to[0] = (uint8_t)type;
    memcpy(to + 1, text.data, text.len);
    put_crlf(to + 1 + text.len);
    w->out->len += text.len + 3;
}

/* Length line, room for `len` bytes, CRLF, with one look at the buffer's room. Returns where the bytes go; NULL: failed. */
static uint8_t *put_blob(struct resp_writer *w, char type, size_t len)
{
    char head[NUMBER_TEXT_MAX + 3];
    size_t head_len = format_head(head, type, (int64_t)len);
    uint8_t *to = buffer_reserve(w->out, head_len + len + 2);
    if (!to) return NULL;
    memcpy(to, head, head_len);
    put_crlf(to + head_len + len);
    w->out->len += head_len + len + 2;
    return to + head_len;
}

/* The text that printf makes, of `len` bytes as it told before, and CRLF. Returns where the text is; NULL: failed. */
static uint8_t *put_formatted(struct resp_writer *w, int len, const char *format, va_list args)
{
    uint8_t *to = buffer_reserve(w->out, (size_t)len + 2);
    if (!to) return NULL;
    vsnprintf((char *)to, (size_t)len + 1, format, args);
    put_crlf(to + len);
    w->out->len += (size_t)len + 2;
    return to;
}

void resp_simple(struct resp_writer *w, const char *text)
{
    put_line(w, '+', bytes_text(text));
}

void resp_error(struct resp_writer *w, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) len = 0; /* cannot be: our formats are sound */
    buffer_printf(w->out, "-%s ", error_resp_prefix(code));
    va_start(args, format);
    uint8_t *text = put_formatted(w, len, format, args);
    va_end(args);
    for (int i = 0; text && i < len; i++)
        if (text[i] == '\r' || text[i] == '\n') text[i] = ' ';
}

void resp_error_of(struct resp_writer *w, const struct error *e)
{
    resp_error(w, e->code, "%s", e->text);
}

void resp_integer(struct resp_writer *w, int64_t value)
{
    put_head(w, ':', value);
}

void resp_bulk(struct resp_writer *w, struct bytes value)
{
    uint8_t *to = put_blob(w, '$', value.len);
    if (to && value.len) memcpy(to, value.data, value.len);
}

uint8_t *resp_bulk_open(struct resp_writer *w, size_t len)
{
    return put_blob(w, '$', len);
}

void resp_bulk_text(struct resp_writer *w, const char *text)
{
    resp_bulk(w, bytes_text(text));
}

void resp_bulk_printf(struct resp_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) len = 0; /* cannot be: our formats are sound */
    put_head(w, '$', len);
    va_start(args, format);
    put_formatted(w, len, format, args);
    va_end(args);
}

void resp_verbatim(struct resp_writer *w, struct bytes text)
{
    if (w->protocol < 3) {
        resp_bulk(w, text);
        return;
    }
    uint8_t *to = put_blob(w, '=', 4 + text.len);
    if (!to) return;
    memcpy(to, "txt:", 4);
    if (text.len) memcpy(to + 4, text.data, text.len);
}

void resp_null(struct resp_writer *w)
{
    buffer_append_text(w->out, w->protocol >= 3 ? "_\r\n" : "$-1\r\n");
}

void resp_null_array(struct resp_writer *w)
{
    buffer_append_text(w->out, w->protocol >= 3 ? "_\r\n" : "*-1\r\n");
}

void resp_bool(struct resp_writer *w, bool value)
{
    if (w->protocol >= 3)
        buffer_append_text(w->out, value ? "#t\r\n" : "#f\r\n");
    else
        resp_integer(w, value);
}

static void put_number(struct resp_writer *w, struct bytes text)
{
    if (w->protocol >= 3)
        put_line(w, ',', text);
    else
        resp_bulk(w, text);
}

void resp_double(struct resp_writer *w, double value)
{
    char text[NUMBER_DOUBLE_MAX];
    put_number(w, bytes_of(text, number_format_double(text, value)));
}

void resp_real(struct resp_writer *w, double value)
{
    char text[NUMBER_REAL_MAX];
    put_number(w, bytes_of(text, number_format_real(text, value)));
}

void resp_array(struct resp_writer *w, size_t n)
{
    put_head(w, '*', (int64_t)n);
}

void resp_map(struct resp_writer *w, size_t pairs)
{
    if (w->protocol >= 3)
        put_head(w, '%', (int64_t)pairs);
    else
        put_head(w, '*', (int64_t)pairs * 2);
}

void resp_set(struct resp_writer *w, size_t n)
{
    put_head(w, w->protocol >= 3 ? '~' : '*', (int64_t)n);
}

void resp_push(struct resp_writer *w, size_t n)
{
    put_head(w, w->protocol >= 3 ? '>' : '*', (int64_t)n);
}

void resp_raw(struct resp_writer *w, struct bytes reply)
{
    buffer_append(w->out, reply.data, reply.len);
}
