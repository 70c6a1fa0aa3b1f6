#include "keyspace/stream_entry.h"

#include "keyspace/stream_names.h"

/* ---- ids ---- */

bool stream_id_next(struct stream_id *id)
{
    if (id->seq == UINT64_MAX && id->ms == UINT64_MAX) return false;
    if (++id->seq == 0) id->ms++;
    return true;
}

bool stream_id_previous(struct stream_id *id)
{
    if (id->seq == 0 && id->ms == 0) return false;
    if (id->seq-- == 0) id->ms--;
    return true;
}

/* How many bytes follow the first one: that has room for 7 bits less these, each of the others for 8; with 8 others it has none. */
static unsigned following(uint64_t v)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    return bits > 56 ? 8 : (bits - 1) / 7;
}

uint8_t *stream_number_write(uint8_t *out, uint64_t v)
{
    unsigned n = following(v);
    for (unsigned i = n; i > 0; i--, v >>= 8) out[i] = (uint8_t)v;
    out[0] = (uint8_t)(0xff00u >> n | v);
    return out + n + 1;
}

bool stream_number_read(struct bytes *key, uint64_t *out)
{
    if (!key->len) return false;
    unsigned first = key->data[0], n = (unsigned)__builtin_clz(~(first << 24) | 1u << 23);
    uint64_t v = first & 0x7fu >> n;
    if (key->len <= n) return false;
    for (unsigned i = 1; i <= n; i++) v = v << 8 | key->data[i];
    *key = bytes_of(key->data + n + 1, key->len - n - 1);
    *out = v;
    return following(v) == n;
}

struct bytes stream_key_write(uint8_t out[STREAM_KEY_MAX], uint64_t base_ms, struct stream_id id)
{
    uint8_t *end = stream_number_write(stream_number_write(out, id.ms - base_ms), id.seq);
    return bytes_of(out, (size_t)(end - out));
}

bool stream_key_read(struct bytes key, uint64_t base_ms, struct stream_id *out)
{
    uint64_t ms, seq;
    if (!stream_number_read(&key, &ms) || !stream_number_read(&key, &seq) || key.len || ms > UINT64_MAX - base_ms) return false;
    *out = (struct stream_id){base_ms + ms, seq};
    return true;
}

/* ---- names and values ---- */

bool stream_name_next(struct bytes *packed, struct bytes *out)
{
    const uint8_t *end = packed->data + packed->len;
    uint64_t len;
    const uint8_t *at = packed->len ? element_varint_read(packed->data, end, &len) : NULL;
    if (!at || len > (uint64_t)(end - at)) return false;
    *out = bytes_of(at, len);
    *packed = bytes_of(at + len, (size_t)(end - at) - len);
    return true;
}

size_t stream_entry_count(const struct stream_entry *entry)
{
    struct bytes names = entry->names, name;
    size_t count = 0;
    while (stream_name_next(&names, &name)) count++;
    return count;
}

bool stream_entry_next(struct stream_entry *entry, struct bytes *name, struct bytes *value)
{
    struct bytes names = entry->names;
    if (!stream_name_next(&names, name)) return false;
    if (names.len) {
        if (!stream_name_next(&entry->values, value)) return false;
    } else {
        *value = entry->values;
        entry->values.len = 0;
    }
    entry->names = names;
    return true;
}

bool stream_entry_read(const struct element *el, uint64_t base_ms, struct bytes lists, struct stream_entry *out)
{
    struct bytes value = el->value;
    if (!stream_key_read(el->key, base_ms, &out->id)) return false;
    if (!el->mark) {
        if (!stream_name_next(&value, &out->names)) return false;
    } else {
        if (!value.len || !stream_names_get(lists, value.data[0], &out->names)) return false;
        value = bytes_of(value.data + 1, value.len - 1);
    }
    out->values = value;
    return true;
}

/* ---- making one ---- */

size_t stream_fields_room(const struct bytes *fields, size_t count)
{
    size_t room = ELEMENT_VARINT_MAX;
    for (size_t i = 0; i < 2 * count; i++) room += element_varint_size(fields[i].len) + fields[i].len;
    return room;
}

static uint8_t *append(uint8_t *out, struct bytes b)
{
    if (b.len) memcpy(out, b.data, b.len);
    return out + b.len;
}

static uint8_t *append_string(uint8_t *out, struct bytes b)
{
    return append(element_varint_write(out, b.len), b);
}

struct stream_fields stream_fields_pack(uint8_t *room, const struct bytes *fields, size_t count)
{
    uint8_t *names = room + ELEMENT_VARINT_MAX, *values = names;
    for (size_t i = 0; i < count; i++) values = append_string(values, fields[2 * i]);
    uint8_t *end = values;
    for (size_t i = 0; i + 1 < count; i++) end = append_string(end, fields[2 * i + 1]);
    end = append(end, fields[2 * count - 1]);
    return (struct stream_fields){names, (size_t)(values - names), (size_t)(end - values)};
}

struct bytes stream_fields_value(const struct stream_fields *f, int list)
{
    uint8_t *values = f->names + f->names_len, *begin = f->names - element_varint_size(f->names_len);
    if (list < 0) {
        element_varint_write(begin, f->names_len);
    } else {
        begin = values - 1;
        *begin = (uint8_t)list;
    }
    return bytes_of(begin, (size_t)(values - begin) + f->values_len);
}
