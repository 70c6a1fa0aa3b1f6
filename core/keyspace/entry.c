#include "keyspace/entry.h"

#include "base/codec.h"
#include "keyspace/chunks.h"

enum { TYPE_STRING = 1 };
enum { FLAG_EXPIRY = 1, FLAG_KEY = 2 };

#define KEY_LEN_MAX STORE_VALUE_MAX

static bool is_known_form(uint8_t form, struct bytes payload)
{
    struct chunks c;
    return form == ENTRY_WHOLE || (form == ENTRY_CHUNKS && chunks_parse(payload, 0, &c));
}

bool entry_read(struct bytes row, struct entry *out)
{
    struct reader r = reader_of(row);
    uint8_t type = read_u8(&r), form = read_u8(&r), flags = read_u8(&r);
    *out = (struct entry){.type = KEYSPACE_STRING, .form = form, .expires_ms = KEYSPACE_NO_EXPIRY, .has_key = flags & FLAG_KEY};
    if (flags & FLAG_EXPIRY) out->expires_ms = (int64_t)read_u64(&r);
    if (flags & FLAG_KEY) out->key = read_bytes(&r, KEY_LEN_MAX);
    out->payload = read_raw(&r, reader_left(&r));
    return !r.failed && type == TYPE_STRING && is_known_form(form, out->payload) && !(flags & ~(FLAG_EXPIRY | FLAG_KEY));
}

int64_t entry_expiry(struct bytes row)
{
    struct reader r = reader_of(row);
    read_raw(&r, ENTRY_EXPIRY_AT);
    uint8_t flags = read_u8(&r);
    int64_t expires_ms = (int64_t)read_u64(&r);
    return r.failed || !(flags & FLAG_EXPIRY) ? KEYSPACE_NO_EXPIRY : expires_ms;
}

static uint8_t flags_of(const struct entry *en)
{
    return (uint8_t)((entry_has_expiry(en) ? FLAG_EXPIRY : 0) | (en->has_key ? FLAG_KEY : 0));
}

size_t entry_write_expiry(uint8_t out[ENTRY_EXPIRY_MAX], const struct entry *en, int64_t expires_ms, size_t *removed)
{
    struct entry changed = *en;
    struct buffer b = {.data = out, .cap = ENTRY_EXPIRY_MAX, .max = ENTRY_EXPIRY_MAX};
    changed.expires_ms = expires_ms;
    write_u8(&b, flags_of(&changed));
    if (entry_has_expiry(&changed)) write_u64(&b, (uint64_t)expires_ms);
    *removed = entry_has_expiry(en) ? ENTRY_EXPIRY_MAX : 1;
    return b.len;
}

size_t entry_payload_at(const struct entry *en)
{
    return 3u + (entry_has_expiry(en) ? 8u : 0u) + (en->has_key ? 4 + en->key.len : 0);
}

size_t entry_size(const struct entry *en)
{
    return entry_payload_at(en) + en->payload.len;
}

void entry_write(uint8_t *out, const struct entry *en)
{
    size_t head = entry_payload_at(en);
    out[0] = TYPE_STRING;
    out[1] = (uint8_t)en->form;
    out[2] = flags_of(en);
    struct buffer b = {.data = out, .len = 3, .cap = head, .max = head};
    if (entry_has_expiry(en)) write_u64(&b, (uint64_t)en->expires_ms);
    if (en->has_key) write_bytes(&b, en->key);
    if (en->payload.len) memcpy(out + head, en->payload.data, en->payload.len);
}
