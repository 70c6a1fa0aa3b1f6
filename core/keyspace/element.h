/* Elements: what collections are made of, packed one after the other: in the key's row while they are few, in nodes when they are many.
 *
 *   varint(key length · 2 + mark) · varint(value length) · key · value
 *
 * A hash's field and value, a set's member (no value), a sorted set's member and score, a list's value (no key), an entry of a stream. The
 * mark is one bit that means what the type says (a hash: the value begins with the field's expiry). Pure. */
#ifndef AIKV_KEYSPACE_ELEMENT_H
#define AIKV_KEYSPACE_ELEMENT_H

#include "base/bytes.h"

struct element {
    struct bytes key, value;
    bool mark;
};

/* Numbers, as in the head: seven bits a byte, the lowest first. */
size_t element_varint_size(uint64_t v);
uint8_t *element_varint_write(uint8_t *out, uint64_t v);
/* Where it ends; NULL: it is cut off, or too long to be one of ours. */
const uint8_t *element_varint_read(const uint8_t *at, const uint8_t *end, uint64_t *out);
#define ELEMENT_VARINT_MAX 10

size_t element_size(const struct element *el);
/* Writes element_size() bytes; returns the end. */
uint8_t *element_write(uint8_t *out, const struct element *el);
/* The same as element_next, of lengths of any size. */
bool element_next_long(struct bytes *packed, struct element *out);

/* Reads the element at the front of `packed` and moves its beginning behind it. False: it is empty, or what is there is damaged (told apart
 * by packed->len, which is not changed then). */
static inline bool element_next(struct bytes *packed, struct element *out)
{
    const uint8_t *at = packed->data;
    if (packed->len < 2 || (at[0] | at[1]) > 127) {
        struct bytes rest = *packed; /* a copy, so that the caller's stay in registers */
        struct element el;
        if (!element_next_long(&rest, &el)) return false;
        *packed = rest;
        *out = el;
        return true;
    }
    size_t key_len = at[0] >> 1, value_len = at[1], size = 2 + key_len + value_len; /* both lengths in a byte each, as most are */
    if (size > packed->len) return false;
    *out = (struct element){bytes_of(at + 2, key_len), bytes_of(at + 2 + key_len, value_len), at[0] & 1};
    *packed = bytes_of(at + size, packed->len - size);
    return true;
}
/* Only the second half of that, for those that pass many by. */
static inline bool element_skip(struct bytes *packed)
{
    struct element passed;
    return element_next(packed, &passed);
}
/* The first element with this key. `*at`: where in `packed` it begins; it takes element_size() bytes. */
bool element_find(struct bytes packed, struct bytes key, struct element *out, size_t *at);

#endif
