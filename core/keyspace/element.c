#include "keyspace/element.h"

size_t element_varint_size(uint64_t v)
{
    size_t size = 1;
    for (; v > 127; v >>= 7) size++;
    return size;
}

uint8_t *element_varint_write(uint8_t *out, uint64_t v)
{
    for (; v > 127; v >>= 7) *out++ = (uint8_t)(v | 128);
    *out++ = (uint8_t)v;
    return out;
}

const uint8_t *element_varint_read(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; at < end && shift < 63; shift += 7) {
        v |= (uint64_t)(*at & 127) << shift;
        if (*at++ < 128) {
            *out = v;
            return at;
        }
    }
    return NULL;
}

static uint64_t head_of(const struct element *el)
{
    return (uint64_t)el->key.len << 1 | el->mark;
}

size_t element_size(const struct element *el)
{
    return element_varint_size(head_of(el)) + element_varint_size(el->value.len) + el->key.len + el->value.len;
}

uint8_t *element_write(uint8_t *out, const struct element *el)
{
    out = element_varint_write(element_varint_write(out, head_of(el)), el->value.len);
    if (el->key.len) memcpy(out, el->key.data, el->key.len);
    out += el->key.len;
    if (el->value.len) memcpy(out, el->value.data, el->value.len);
    return out + el->value.len;
}

bool element_next_long(struct bytes *packed, struct element *out)
{
    if (!packed->len) return false;
    const uint8_t *at = packed->data, *end = packed->data + packed->len;
    uint64_t head, value_len;
    if (!(at = element_varint_read(at, end, &head)) || !(at = element_varint_read(at, end, &value_len))) return false;
    uint64_t key_len = head >> 1, left = (uint64_t)(end - at);
    if (key_len > left || value_len > left - key_len) return false;
    *out = (struct element){bytes_of(at, key_len), bytes_of(at + key_len, value_len), head & 1};
    at += key_len + value_len;
    *packed = bytes_of(at, (size_t)(end - at));
    return true;
}

bool element_find(struct bytes packed, struct bytes key, struct element *out, size_t *at)
{
    struct bytes rest = packed;
    do {
        *at = packed.len - rest.len;
        if (!element_next(&rest, out)) return false;
    } while (!bytes_equal(out->key, key));
    return true;
}
