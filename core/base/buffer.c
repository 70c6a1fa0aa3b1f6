#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *b, size_t max)
{
    *b = (struct buffer){.max = max};
}

void buffer_release(struct buffer *b)
{
    free(b->data);
    buffer_init(b, b->max);
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
    if (b->failed || len > b->max || b->len > b->max - len) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + len;
    if (need > b->cap || !b->data) {
        size_t cap = b->cap < 128 ? 128 : b->cap;
        while (cap < need) cap = cap > b->max / 2 ? b->max : cap * 2;
        uint8_t *data = realloc(b->data, cap);
        if (!data) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

bool buffer_append(struct buffer *b, const void *data, size_t len)
{
    if (len == 0) return !b->failed;
    uint8_t *to = buffer_reserve(b, len);
    if (!to) return false;
    memcpy(to, data, len);
    b->len += len;
    return true;
}

bool buffer_append_text(struct buffer *b, const char *text)
{
    return buffer_append(b, text, strlen(text));
}

bool buffer_printf(struct buffer *b, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
        return false;
    }
    if ((size_t)len < sizeof small) return buffer_append(b, small, (size_t)len);
    uint8_t *to = buffer_reserve(b, (size_t)len + 1);
    if (!to) return false;
    va_start(args, format);
    vsnprintf((char *)to, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
    return true;
}

void buffer_consume(struct buffer *b, size_t len)
{
    if (len >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

uint8_t *buffer_detach(struct buffer *b, size_t *len)
{
    uint8_t *data = b->data;
    *len = b->len;
    buffer_init(b, b->max);
    return data;
}
