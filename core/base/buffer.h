/* A growable buffer with a bound.
 *
 * Appending past `max`, or without memory, sets `failed` and leaves the content alone; further appends do nothing. So a
 * writer may append many times and look once at the end. */
#ifndef AIKV_BASE_BUFFER_H
#define AIKV_BASE_BUFFER_H

#include "base/bytes.h"

struct buffer {
    uint8_t *data;
    size_t len, cap, max;
    bool failed;
};

/* An empty buffer that may grow to `max` bytes; allocates nothing yet. */
void buffer_init(struct buffer *b, size_t max);
/* Frees the memory; the buffer is empty and may be used again. */
void buffer_release(struct buffer *b);
/* Forgets the content and `failed`, keeps the memory. */
void buffer_clear(struct buffer *b);
/* Makes room for `len` more bytes and returns where they go; the caller adds what it wrote to `len` itself. NULL: failed. */
uint8_t *buffer_reserve(struct buffer *b, size_t len);
bool buffer_append(struct buffer *b, const void *data, size_t len);
bool buffer_append_text(struct buffer *b, const char *text);
bool buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `len` bytes (moves the rest down). */
void buffer_consume(struct buffer *b, size_t len);
/* Gives the memory to the caller, who frees it with free(); the buffer is empty. */
uint8_t *buffer_detach(struct buffer *b, size_t *len);
static inline struct bytes buffer_bytes(const struct buffer *b)
{
    return (struct bytes){b->data, b->len};
}

#endif
