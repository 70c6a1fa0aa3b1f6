#include "keyspace/rowkey.h"

#include <endian.h>

#include "base/siphash.h"

void rowkey_seed_init(struct rowkey_seed *s, const uint64_t seed[2])
{
    s->hash[0] = seed[0];
    s->hash[1] = seed[1];
    for (uint8_t i = 0; i < ROWKEY_NAME_SIZE / 8; i++)
        for (uint8_t half = 0; half < 2; half++) s->name[i][half] = siphash(seed, (uint8_t[]){'n', i, half}, 3);
}

static void put_head(struct rowkey *out, unsigned slot, uint32_t database_id, uint8_t kind, uint64_t hash)
{
    out->slot = slot;
    out->database_id = database_id;
    out->hash = hash;
    out->len = ROWKEY_HEAD;
    uint16_t slot_be = htobe16((uint16_t)slot);
    uint32_t id_be = htobe32(database_id);
    uint64_t hash_be = htobe64(hash);
    memcpy(out->bytes, &slot_be, 2);
    memcpy(out->bytes + 2, &id_be, 4);
    out->bytes[6] = kind;
    memcpy(out->bytes + 7, &hash_be, 8);
}

void rowkey_make(struct rowkey *out, const struct rowkey_seed *seed, unsigned slot, uint32_t database_id,
                 struct bytes key)
{
    put_head(out, slot, database_id, 'k', siphash(seed->hash, key.data, key.len));
    uint8_t *name = out->bytes + ROWKEY_HEAD;
    if (!rowkey_is_named_by_hash(key)) {
        if (key.len) memcpy(name, key.data, key.len);
        out->len += key.len;
        return;
    }
    for (size_t i = 0; i < ROWKEY_NAME_SIZE / 8; i++) {
        uint64_t part = htobe64(siphash(seed->name[i], key.data, key.len));
        memcpy(name + 8 * i, &part, 8);
    }
    out->len += ROWKEY_NAME_SIZE;
}

void rowkey_bound(struct rowkey *out, unsigned slot, uint32_t database_id, uint64_t hash)
{
    put_head(out, slot, database_id, 'k', hash);
}

void rowkey_end(struct rowkey *out, unsigned slot, uint32_t database_id)
{
    put_head(out, slot, database_id, 'k' + 1, 0);
}

bool rowkey_parse(struct bytes name, struct rowkey_parts *out)
{
    if (name.len < ROWKEY_HEAD || name.len > ROWKEY_MAX || name.data[6] != 'k') return false;
    uint16_t slot;
    uint32_t id;
    uint64_t hash;
    memcpy(&slot, name.data, 2);
    memcpy(&id, name.data + 2, 4);
    memcpy(&hash, name.data + 7, 8);
    *out = (struct rowkey_parts){be16toh(slot), be32toh(id), be64toh(hash),
                                 bytes_of(name.data + ROWKEY_HEAD, name.len - ROWKEY_HEAD)};
    return out->slot < ROWKEY_SLOTS;
}

struct bytes rowkey_node_name(uint8_t out[ROWKEY_NODE_SIZE], const struct rowkey_node *node)
{
    uint16_t slot = htobe16((uint16_t)node->slot);
    uint32_t id = htobe32(node->database_id), number = htobe32(node->number);
    uint64_t object = htobe64(node->object);
    memcpy(out, &slot, 2);
    memcpy(out + 2, &id, 4);
    out[6] = 'n';
    memcpy(out + 7, &object, 8);
    memcpy(out + 15, &number, 4);
    return bytes_of(out, ROWKEY_NODE_SIZE);
}

bool rowkey_node_parse(struct bytes name, struct rowkey_node *out)
{
    if (name.len != ROWKEY_NODE_SIZE || name.data[6] != 'n') return false;
    uint16_t slot;
    uint32_t id, number;
    uint64_t object;
    memcpy(&slot, name.data, 2);
    memcpy(&id, name.data + 2, 4);
    memcpy(&object, name.data + 7, 8);
    memcpy(&number, name.data + 15, 4);
    *out = (struct rowkey_node){be16toh(slot), be32toh(id), be64toh(object), be32toh(number)};
    return out->slot < ROWKEY_SLOTS;
}
