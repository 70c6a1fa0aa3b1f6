/* What must hold of a counted tree, whatever its rows say. */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>

#include "keyspace/counted_tree_path.h"

struct tree_check {
    struct keyspace *ks;
    const struct counted_tree *t;
    bool ordered;
    bool begun;         /* there is a key before the one at hand ... */
    struct bytes before; /* ... which is this */
    uint64_t bytes;
    uint8_t *seen; /* a bit for each node */
    struct error *e;
};

static int damaged(struct tree_check *c, uint32_t node, const char *what)
{
    return error_set(c->e, ERROR_FORMAT, "node %" PRIu32 " of object %" PRIu64 " %s", node, c->t->root.object.id, what);
}

static int see(struct tree_check *c, uint32_t node)
{
    if (node >= c->t->root.object.nodes) return damaged(c, node, "is outside of the tree");
    if (c->seen[node / 8] >> node % 8 & 1) return damaged(c, node, "is in the tree twice");
    c->seen[node / 8] |= (uint8_t)(1u << node % 8);
    return 0;
}

static bool follows(const struct tree_check *c, struct bytes key)
{
    return !c->begun || bytes_compare(c->before, key) < 0;
}

static int check_leaf(struct tree_check *c, uint32_t node, struct bytes separator, struct bytes rest, uint64_t *count)
{
    size_t len = rest.len;
    struct element el;
    *count = 0;
    while (element_next(&rest, &el)) {
        ++*count;
        if (!c->ordered && el.key.len) return damaged(c, node, "has a key");
        if (!c->ordered) continue;
        if (!follows(c, el.key) || bytes_compare(separator, el.key) > 0) return damaged(c, node, "is out of order");
        c->before = el.key;
        c->begun = true;
    }
    c->bytes += len;
    if (rest.len) return damaged(c, node, "has a damaged element");
    return len > COUNTED_TREE_NODE && *count > 1 ? damaged(c, node, "is too large") : 0;
}

static int check_node(struct tree_check *c, uint32_t node, unsigned height, struct bytes separator, uint64_t *count);

static int check_child(struct tree_check *c, uint32_t node, unsigned height, const struct tree_child *child, bool first)
{
    uint64_t count;
    bool separates = first || !c->ordered ? !child->separator.len : child->separator.len && follows(c, child->separator);
    if (!separates) return damaged(c, node, "has a wrong separator");
    int rc = check_node(c, child->node, height - 1, child->separator, &count);
    return rc || count == child->count ? rc : damaged(c, node, "has a wrong count");
}

static int check_inner(struct tree_check *c, uint32_t node, unsigned height, struct bytes rest, uint64_t *count)
{
    size_t len = rest.len, children = 0;
    struct tree_child child;
    *count = 0;
    while (tree_child_next(&rest, &child)) {
        int rc = check_child(c, node, height, &child, children++ == 0);
        if (rc) return rc;
        *count += child.count;
    }
    if (rest.len) return damaged(c, node, "has a damaged child");
    return len > COUNTED_TREE_NODE && children > 2 ? damaged(c, node, "is too large") : 0;
}

static int check_node(struct tree_check *c, uint32_t node, unsigned height, struct bytes separator, uint64_t *count)
{
    int rc = see(c, node);
    if (rc) return rc;
    struct bytes row = node_get(c->ks, &c->t->root.object, node);
    if (!row.len) return damaged(c, node, "is empty");
    return height > 1 ? check_inner(c, node, height, row, count) : check_leaf(c, node, separator, row, count);
}

static int check_free(struct tree_check *c)
{
    for (uint32_t next = c->t->free; next;) {
        uint32_t node = next - 1;
        int rc = see(c, node);
        if (rc) return rc;
        struct bytes row = node_get(c->ks, &c->t->root.object, node);
        if (row.len != sizeof next) return damaged(c, node, "is free, but says something else");
        memcpy(&next, row.data, sizeof next);
        next = le32toh(next);
    }
    return 0;
}

/* Without elements there is one node, the top, and it has no row. */
static int check_empty(struct tree_check *c)
{
    int rc = see(c, c->t->top);
    if (rc) return rc;
    bool empty = c->t->height == 1 && !c->t->root.bytes && !node_get(c->ks, &c->t->root.object, c->t->top).len;
    return empty ? 0 : damaged(c, c->t->top, "is of a tree without elements, but is not empty");
}

static int check_all(struct tree_check *c)
{
    const struct object_root *root = &c->t->root;
    uint64_t count = 0;
    int rc = root->count ? check_node(c, c->t->top, c->t->height, bytes_of(NULL, 0), &count) : check_empty(c);
    if (rc || (rc = check_free(c))) return rc;
    if (count != root->count || c->bytes != root->bytes)
        return error_set(c->e, ERROR_FORMAT, "object %" PRIu64 " has %" PRIu64 " elements in %" PRIu64 " bytes, but its root says %" PRIu64 " in %" PRIu64,
                         root->object.id, count, c->bytes, root->count, root->bytes);
    for (uint32_t n = 0; n < root->object.nodes; n++)
        if (!(c->seen[n / 8] >> n % 8 & 1)) return damaged(c, n, "is neither in the tree nor free");
    return 0;
}

int counted_tree_check(struct keyspace *ks, const struct counted_tree *t, bool ordered, struct error *e)
{
    struct tree_check c = {.ks = ks, .t = t, .ordered = ordered, .e = e};
    c.seen = calloc(t->root.object.nodes / 8 + 1, 1);
    if (!c.seen) return error_set(e, ERROR_OOM, "no memory to check object %" PRIu64, t->root.object.id);
    int rc = check_all(&c);
    free(c.seen);
    return rc;
}
