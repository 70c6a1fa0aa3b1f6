#include "keyspace/chunks.h"

#include "base/codec.h"
#include "keyspace/keyspace_state.h"

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

static struct bytes name_of(uint8_t out[ROWKEY_NODE_SIZE], const struct chunks *c, uint64_t number)
{
    struct rowkey_node node = {c->object.slot, c->object.database_id, c->object.id, (uint32_t)number};
    return rowkey_node_name(out, &node);
}

/* The bytes that are in the row; the rest of the chunk is zeros. */
static struct bytes get(struct keyspace *ks, struct bytes name)
{
    struct store_value value;
    bool there = store_get(ks->store, name, &value);
    keyspace_note(ks, value.position);
    return there ? value.data : bytes_of(NULL, 0);
}

/* How much of `len` bytes from `at` on is in one chunk. */
static size_t part(uint64_t at, size_t len)
{
    size_t room = CHUNKS_BYTES - at % CHUNKS_BYTES;
    return len < room ? len : room;
}

void chunks_read(struct keyspace *ks, const struct chunks *c, uint64_t at, size_t len, uint8_t *out)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    while (len) {
        size_t within = at % CHUNKS_BYTES, wanted = part(at, len);
        struct bytes row = get(ks, name_of(name, c, at / CHUNKS_BYTES));
        size_t have = row.len <= within ? 0 : row.len - within < wanted ? row.len - within : wanted;
        if (have) memcpy(out, row.data + within, have);
        memset(out + have, 0, wanted - have);
        at += wanted;
        out += wanted;
        len -= wanted;
    }
}

void chunks_put(struct keyspace *ks, const struct chunks *c, struct bytes value)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    for (size_t at = 0; at < value.len;) {
        size_t len = part(at, value.len - at);
        store_put(ks->store, name_of(name, c, at / CHUNKS_BYTES), bytes_of(value.data + at, len));
        at += len;
    }
}

/* Makes a row of `len` bytes reach to `to`. */
static void fill_up(struct keyspace *ks, struct bytes name, size_t len, size_t to)
{
    uint8_t zeros[CHUNKS_BYTES];
    memset(zeros, 0, to - len);
    store_splice(ks->store, name, len, 0, bytes_of(zeros, to - len));
}

/* Within one chunk. */
static void write_part(struct keyspace *ks, struct bytes name, size_t within, struct bytes with)
{
    if (with.len == CHUNKS_BYTES) {
        store_put(ks->store, name, with);
        return;
    }
    size_t len = get(ks, name).len;
    if (within > len) {
        fill_up(ks, name, len, within);
        len = within;
    }
    store_splice(ks->store, name, within, len - within < with.len ? len - within : with.len, with);
}

void chunks_write(struct keyspace *ks, const struct chunks *c, uint64_t offset, struct bytes with)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    for (size_t done = 0; done < with.len;) {
        uint64_t at = offset + done;
        size_t len = part(at, with.len - done);
        write_part(ks, name_of(name, c, at / CHUNKS_BYTES), at % CHUNKS_BYTES, bytes_of(with.data + done, len));
        done += len;
    }
}

void chunks_copy(struct keyspace *ks, const struct chunks *from, const struct chunks *to)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    for (uint32_t n = 0; n < from->object.nodes; n++) {
        struct bytes row = get(ks, name_of(name, from, n));
        if (row.len) store_put(ks->store, name_of(name, to, n), row);
    }
}
