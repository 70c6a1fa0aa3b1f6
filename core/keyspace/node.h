/* Nodes: the rows of an object, by number. All within a command, those that change within its batch. */
#ifndef AIKV_KEYSPACE_NODE_H
#define AIKV_KEYSPACE_NODE_H

#include "keyspace/keyspace.h"
#include "keyspace/objects.h"

/* The node's bytes, until it is written or the store is flushed; empty if there is no such row. */
struct bytes node_get(struct keyspace *ks, const struct object *object, uint32_t number);
/* `value` may lie in a row of the store's. */
void node_put(struct keyspace *ks, const struct object *object, uint32_t number, struct bytes value);
/* The same, the bytes being for the caller to fill in before anything else is read or written. */
uint8_t *node_put_open(struct keyspace *ks, const struct object *object, uint32_t number, size_t len);
/* In place of `removed` bytes at `at` come others, which do not lie in a row of the store's. A small record for a small change of a large node. */
void node_splice(struct keyspace *ks, const struct object *object, uint32_t number, size_t at, size_t removed, struct bytes inserted);
void node_delete(struct keyspace *ks, const struct object *object, uint32_t number);
/* Every row of `from` once more under `to`, a new object of as many nodes. */
void node_copy_all(struct keyspace *ks, const struct object *from, const struct object *to);

#endif
