#include "keyspace/chunks.h"

#include "base/codec.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/node.h"

bool chunks_parse(struct bytes payload, uint32_t database_id, struct chunks *out)
{
    struct reader r = reader_of(payload);
    struct object object = {.database_id = database_id};
    object.id = read_u64(&r);
    object.slot = read_u16(&r);
    uint64_t len = read_u64(&r);
    *out = chunks_of(object, len);
    return reader_done(&r) && object.id && object.slot < ROWKEY_SLOTS && len > CHUNKS_WHOLE_MAX && len <= STORE_VALUE_MAX;
}

struct bytes chunks_payload(uint8_t out[CHUNKS_PAYLOAD], const struct chunks *c)
{
    struct buffer b = {.data = out, .cap = CHUNKS_PAYLOAD, .max = CHUNKS_PAYLOAD};
    write_u64(&b, c->object.id);
    write_u16(&b, (uint16_t)c->object.slot);
    write_u64(&b, c->len);
    return buffer_bytes(&b);
}

/* How much of `len` bytes from `at` on is in one chunk. */
static size_t part(uint64_t at, size_t len)
{
    size_t room = CHUNKS_BYTES - at % CHUNKS_BYTES;
    return len < room ? len : room;
}

void chunks_read(struct keyspace *ks, const struct chunks *c, uint64_t at, size_t len, uint8_t *out)
{
    while (len) {
        size_t within = at % CHUNKS_BYTES, wanted = part(at, len);
        struct bytes row = node_get(ks, &c->object, (uint32_t)(at / CHUNKS_BYTES)); /* what it lacks is zeros */
        size_t have = row.len <= within ? 0 : row.len - within < wanted ? row.len - within : wanted;
        if (have) memcpy(out, row.data + within, have);
        memset(out + have, 0, wanted - have);
        at += wanted;
        out += wanted;
        len -= wanted;
    }
}

struct bytes chunks_piece(struct keyspace *ks, const struct chunks *c, uint64_t at)
{
    size_t within = at % CHUNKS_BYTES, len = part(at, c->len - at);
    struct bytes row = node_get(ks, &c->object, (uint32_t)(at / CHUNKS_BYTES));
    if (row.len <= within) return bytes_of(NULL, len);
    return bytes_of(row.data + within, row.len - within < len ? row.len - within : len);
}

void chunks_put(struct keyspace *ks, const struct chunks *c, struct bytes value)
{
    for (size_t at = 0; at < value.len;) {
        size_t len = part(at, value.len - at);
        node_put(ks, &c->object, (uint32_t)(at / CHUNKS_BYTES), bytes_of(value.data + at, len));
        at += len;
    }
}

static bool is_zeros(const uint8_t *p, size_t len)
{
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

void chunks_make(struct keyspace *ks, const struct chunks *c, void (*fill)(void *user, size_t at, uint8_t *out, size_t len), void *user)
{
    uint8_t bytes[CHUNKS_BYTES];
    for (uint64_t at = 0; at < c->len; at += CHUNKS_BYTES) {
        size_t len = part(at, c->len - at);
        fill(user, at, bytes, len);
        if (!is_zeros(bytes, len)) node_put(ks, &c->object, (uint32_t)(at / CHUNKS_BYTES), bytes_of(bytes, len));
    }
}

/* Makes a row of `len` bytes reach to `to`. */
static void fill_up(struct keyspace *ks, const struct object *object, uint32_t number, size_t len, size_t to)
{
    uint8_t zeros[CHUNKS_BYTES];
    memset(zeros, 0, to - len);
    node_splice(ks, object, number, len, 0, bytes_of(zeros, to - len));
}

/* Within one chunk. */
static void write_part(struct keyspace *ks, const struct object *object, uint32_t number, size_t within, struct bytes with)
{
    if (with.len == CHUNKS_BYTES) {
        node_put(ks, object, number, with);
        return;
    }
    size_t len = node_get(ks, object, number).len;
    if (within > len) {
        fill_up(ks, object, number, len, within);
        len = within;
    }
    node_splice(ks, object, number, within, len - within < with.len ? len - within : with.len, with);
}

void chunks_write(struct keyspace *ks, const struct chunks *c, uint64_t offset, struct bytes with)
{
    for (size_t done = 0; done < with.len;) {
        uint64_t at = offset + done;
        size_t len = part(at, with.len - done);
        write_part(ks, &c->object, (uint32_t)(at / CHUNKS_BYTES), at % CHUNKS_BYTES, bytes_of(with.data + done, len));
        done += len;
    }
}
