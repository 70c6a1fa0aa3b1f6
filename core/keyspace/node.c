#include "keyspace/node.h"

#include "keyspace/keyspace_state.h"

static struct bytes name_of(uint8_t out[ROWKEY_NODE_SIZE], const struct object *object, uint32_t number)
{
    struct rowkey_node node = {object->slot, object->database_id, object->id, number};
    return rowkey_node_name(out, &node);
}

struct bytes node_get(struct keyspace *ks, const struct object *object, uint32_t number)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    struct store_value value;
    bool there = store_get(ks->store, name_of(name, object, number), &value);
    keyspace_note(ks, value.position);
    return there ? value.data : bytes_of(NULL, 0);
}

void node_put(struct keyspace *ks, const struct object *object, uint32_t number, struct bytes value)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    store_put(ks->store, name_of(name, object, number), value);
}

uint8_t *node_put_open(struct keyspace *ks, const struct object *object, uint32_t number, size_t len)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    return store_put_open(ks->store, name_of(name, object, number), len);
}

void node_splice(struct keyspace *ks, const struct object *object, uint32_t number, size_t at, size_t removed, struct bytes inserted)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    store_splice(ks->store, name_of(name, object, number), at, removed, inserted);
}

void node_delete(struct keyspace *ks, const struct object *object, uint32_t number)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    store_delete(ks->store, name_of(name, object, number));
}

void node_copy_all(struct keyspace *ks, const struct object *from, const struct object *to)
{
    for (uint32_t n = 0; n < from->nodes; n++) {
        struct bytes row = node_get(ks, from, n);
        if (row.len) node_put(ks, to, n, row);
    }
}
