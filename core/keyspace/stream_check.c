/* What must hold of a stream (stream.h). */
#include "keyspace/stream_groups.h"
#include "keyspace/stream_row.h"

static int damaged(struct error *e)
{
    return error_set(e, ERROR_FORMAT, "a stream's entries are damaged or out of order");
}

struct check {
    struct keyspace_stream *s;
    struct stream_names names;
    uint64_t count;
    struct stream_id before;
};

/* Whether it has as many values as names, and these can be read. */
static bool has_all_fields(struct stream_entry entry)
{
    struct bytes name, value;
    while (stream_entry_next(&entry, &name, &value))
        continue;
    return entry.names.len == 0 && entry.values.len == 0;
}

/* An entry's form, that its id lies above the one before and not above the last, and that its list of names is known to be in use up to there. */
static int check_element(struct check *c, const struct element *el, bool in_tree, struct error *e)
{
    struct stream_entry entry;
    struct stream_id id, known;
    if (!stream_entry_read(el, c->s->base_ms, c->s->names, &entry) || !has_all_fields(entry)) return damaged(e);
    id = entry.id;
    if ((c->count && stream_id_compare(c->before, id) >= 0) || stream_id_compare(id, c->s->head.last) > 0) return damaged(e);
    if (el->mark && in_tree) {
        struct bytes key = c->names.lists[el->value.data[0]].key;
        if (!stream_key_read(key, c->s->base_ms, &known) || stream_id_compare(id, known) > 0)
            return error_set(e, ERROR_FORMAT, "a stream's list of names is in use beyond what it says");
    }
    c->before = id;
    c->count++;
    return 0;
}

/* Lists of names are whole, and none is there twice. */
static bool check_names(const struct stream_names *n)
{
    struct bytes name;
    for (unsigned i = 0; i < n->count; i++) {
        struct bytes names = n->lists[i].value;
        if (n->lists[i].mark || (names.len && stream_names_find(n, names) != (int)i)) return false;
        while (stream_name_next(&names, &name))
            continue;
        if (names.len) return false;
    }
    return true;
}

int keyspace_stream_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    struct keyspace_stream s = {.ks = ks, .en = *en};
    struct check c = {.s = &s};
    struct counted_tree_walk w = {0};
    struct element el;
    if (!stream_row_read(&s, database_id)) return error_set(e, ERROR_FORMAT, "a stream's root or head is damaged");
    if (!stream_names_read(s.names, &c.names) || !check_names(&c.names)) return error_set(e, ERROR_FORMAT, "a stream's lists of names are damaged");
    int rc = s.large ? counted_tree_check(ks, &s.tree, true, e) : 0;
    if (!rc && s.has_groups) rc = keyspace_groups_check(ks, &s.groups, e);
    while (!rc && counted_tree_next(ks, &s.tree, &w, &el)) rc = check_element(&c, &el, true, e);
    if (!rc && s.tail.len > KEYSPACE_STREAM_TAIL_MAX) return damaged(e);
    while (!rc && element_next(&s.tail, &el)) rc = check_element(&c, &el, false, e);
    if (!rc && (s.tail.len || c.count != s.count)) return damaged(e);
    return rc;
}
