/* Bytes that somebody else owns. */
#ifndef AIKV_BASE_BYTES_H
#define AIKV_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){(const uint8_t *)data, len};
}

static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether `a` is the word `text`, ASCII letters compared without case. */
static inline bool bytes_is(struct bytes a, const char *text)
{
    return a.len == strlen(text) && strncasecmp((const char *)a.data, text, a.len) == 0;
}

/* memcmp order, a prefix first. Most keys differ in their first eight bytes, or four where one is short. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    if (a.len >= 8 && b.len >= 8) {
        uint64_t left, right;
        memcpy(&left, a.data, sizeof left);
        memcpy(&right, b.data, sizeof right);
        if (left != right) return be64toh(left) < be64toh(right) ? -1 : 1;
    } else if (a.len >= 4 && b.len >= 4) {
        uint32_t left, right;
        memcpy(&left, a.data, sizeof left);
        memcpy(&right, b.data, sizeof right);
        if (left != right) return be32toh(left) < be32toh(right) ? -1 : 1;
    }
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

#endif
