/* What the files that name rows share (need.h). Private to them: need*.c. */
#ifndef AIKV_KEYSPACE_NEED_ROW_H
#define AIKV_KEYSPACE_NEED_ROW_H

#include "keyspace/counted_tree.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/linear_hash.h"
#include "keyspace/need.h"

#define NEED_DEPTH 1u /* the level of the first rows behind a key's */

/* Whether the next row is of the level that is looked at, and was passed before: then that is all there is to it. */
bool need_is_passed(struct keyspace_ahead *a, unsigned depth, bool leads_on);
/* Whether a node can be read now. One of the level that is looked at cannot; it is named if it is cold. `leads_on`: others follow from it. */
bool need_node(struct keyspace_ahead *a, unsigned depth, const struct object *object, uint32_t node, bool leads_on);
/* The nodes from one number to before another. */
void need_nodes(struct keyspace_ahead *a, unsigned depth, const struct object *object, uint32_t from, uint32_t end);

/* The way to the leaf that a key belongs in, and what goes with a change of `size` bytes there. Whether all of the way can be read now; the leaf, then,
 * only if it `leads_on`. */
bool need_tree_key(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, struct bytes key, const struct keyspace_need *need, size_t size,
                   bool leads_on);
/* The same for a position; at the count, where an element is appended. */
bool need_tree_position(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t position, const struct keyspace_need *need, size_t size,
                        bool leads_on);
/* The leaves with positions from one to before another. With `visit`, calls it with each of these elements whose leaf can be read now. */
typedef void need_visit(void *user, const struct element *el);
void need_tree_range(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t from, uint64_t end, need_visit *visit, void *user);
/* The same of elements that are taken out, and leaves that those they are in may be joined with. */
void need_tree_removed(struct keyspace_ahead *a, unsigned depth, const struct counted_tree *t, uint64_t from, uint64_t end, need_visit *visit, void *user);

/* An element's bucket, and the other ones that a change reads. Whether the bucket can be read now; only if it `leads_on`. */
bool need_bucket(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h, struct bytes name, const struct keyspace_need *need, size_t size, bool leads_on);

/* The buckets of a NEED_SCAN. */
void need_scanned(struct keyspace_ahead *a, unsigned depth, const struct linear_hash *h, const struct keyspace_need *need);

/* Ranks as Redis counts them, of `count` elements: from the first one to behind the last, the same if there are none. */
struct need_range {
    uint64_t from, end;
};
struct need_range need_ranks(const struct keyspace_need *need, uint64_t count);
/* Of what lies between two positions, what the need's offset and limit leave. */
struct need_range need_limited(const struct keyspace_need *need, uint64_t from, uint64_t end);

/* Of a key that has rows of its own. */
void need_of_hash(struct keyspace_ahead *a, const struct keyspace_need *need);
void need_of_set(struct keyspace_ahead *a, const struct keyspace_need *need);
void need_of_zset(struct keyspace_ahead *a, const struct keyspace_need *need);
void need_of_list(struct keyspace_ahead *a, const struct keyspace_need *need);
void need_of_stream(struct keyspace_ahead *a, const struct keyspace_need *need);
void need_of_string(struct keyspace_ahead *a, const struct keyspace_need *need);

#endif
