/* What must hold of the tree of a stream's groups, whatever its rows say. */
#include <inttypes.h>

#include "keyspace/stream_group_key.h"

struct groups_check {
    struct keyspace_stream s; /* of the tree alone */
    uint64_t groups, marks;
    uint64_t at; /* the number of the group at hand */
    uint64_t consumers, names, own, pending; /* of the group at hand */
    struct error *e;
};

static int damaged(struct groups_check *c, const char *what)
{
    return error_set(c->e, ERROR_FORMAT, "groups of a stream (object %" PRIu64 "): %s", c->s.groups.root.object.id, what);
}

static int check_name(struct groups_check *c, struct bytes name, struct bytes value)
{
    struct stream_group g;
    struct group_key k;
    struct element mark;
    if (name.len > KEYSPACE_STREAM_NAME_MAX || !group_read(value, &g)) return damaged(c, "a group is damaged");
    group_key_begin(&k, g.number, GROUP_MARK);
    c->groups++;
    return group_find(&c->s, &k, &mark) ? 0 : damaged(c, "a group's number is not in use");
}

static int check_consumer(struct groups_check *c, uint64_t group, struct bytes name, struct bytes value)
{
    struct stream_consumer consumer;
    struct group_key k;
    struct element named;
    if (name.len > KEYSPACE_STREAM_NAME_MAX || !group_read_consumer(value, &consumer)) return damaged(c, "a consumer is damaged");
    group_key_begin(&k, group, GROUP_OWN);
    group_key_add_number(&k, consumer.number);
    c->consumers++;
    return group_find(&c->s, &k, &named) && bytes_equal(named.value, name) ? 0 : damaged(c, "a consumer's number is another's");
}

static int check_own(struct groups_check *c, struct bytes rest, struct bytes value)
{
    uint64_t consumer;
    struct stream_id id;
    if (!stream_number_read(&rest, &consumer) || !consumer) return damaged(c, "a consumer's number is damaged");
    if (!rest.len) {
        c->names++;
        return 0;
    }
    c->own++;
    return !value.len && stream_key_read(rest, 0, &id) ? 0 : damaged(c, "what a consumer has pending is damaged");
}

static int check_pending(struct groups_check *c, uint64_t group, struct bytes rest, struct bytes value)
{
    struct stream_pending p;
    struct group_key k;
    struct element own;
    if (!stream_key_read(rest, 0, &p.id) || !group_read_pending(value, &p)) return damaged(c, "what is pending is damaged");
    group_key_begin(&k, group, GROUP_OWN);
    group_key_add_number(&k, p.consumer);
    c->pending++;
    if (!group_find(&c->s, &k, &own)) return damaged(c, "something is pending of no consumer");
    group_key_add_id(&k, p.id);
    return group_find(&c->s, &k, &own) ? 0 : damaged(c, "something is pending that its consumer does not have");
}

/* The group at hand has ended. */
static int end_group(struct groups_check *c)
{
    bool equal = c->consumers == c->names && c->own == c->pending;
    c->consumers = c->names = c->own = c->pending = 0;
    return equal ? 0 : damaged(c, "a consumer or what it has pending is known in one place only");
}

static int check_element(struct groups_check *c, const struct element *el)
{
    struct bytes rest = el->key;
    uint64_t group;
    enum group_kind kind;
    if (!rest.len || el->mark) return damaged(c, "a key is damaged");
    if (!rest.data[0]) return check_name(c, bytes_of(rest.data + 1, rest.len - 1), el->value);
    if (!group_key_take_kind(&rest, &group, &kind)) return damaged(c, "a key is damaged");
    if (kind == GROUP_MARK) {
        c->marks++;
        c->at = group;
        return rest.len || el->value.len ? damaged(c, "a key is damaged") : end_group(c);
    }
    if (group != c->at) return damaged(c, "a key is of no group");
    switch (kind) {
    case GROUP_CONSUMER: return check_consumer(c, group, rest, el->value);
    case GROUP_OWN: return check_own(c, rest, el->value);
    default: return check_pending(c, group, rest, el->value);
    }
}

int keyspace_groups_check(struct keyspace *ks, const struct counted_tree *t, struct error *e)
{
    struct groups_check c = {.s = {.ks = ks, .has_groups = true, .groups = *t}, .e = e};
    struct counted_tree_walk w = {0};
    struct element el;
    int rc = counted_tree_check(ks, t, true, e);
    while (!rc && counted_tree_next(ks, t, &w, &el)) rc = check_element(&c, &el);
    if (!rc) rc = end_group(&c);
    if (!rc && (c.groups != c.marks || !c.groups)) rc = damaged(&c, "names and numbers do not agree");
    return rc;
}
