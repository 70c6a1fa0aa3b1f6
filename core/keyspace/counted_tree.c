/* Finding. */
#include "keyspace/counted_tree.h"

#include <assert.h>
#include <endian.h>

#include "keyspace/counted_tree_path.h"

/* ---- the root ---- */

bool counted_tree_read(struct reader *r, uint32_t database_id, struct counted_tree *out)
{
    bool whole = object_root_read(r, database_id, &out->root);
    out->top = read_u32(r);
    out->free = read_u32(r);
    out->height = read_u8(r);
    uint32_t nodes = out->root.object.nodes;
    return whole && !r->failed && out->top < nodes && out->free <= nodes && out->height > 0 && out->height <= COUNTED_TREE_HEIGHT_MAX;
}

void counted_tree_write(struct buffer *b, const struct counted_tree *t)
{
    object_root_write(b, &t->root);
    write_u32(b, t->top);
    write_u32(b, t->free);
    write_u8(b, t->height);
}

void counted_tree_init(struct counted_tree *t, const struct object *object)
{
    *t = (struct counted_tree){.root.object = *object, .height = 1};
    t->root.object.nodes = 1;
}

/* ---- children ---- */

struct element tree_child_element(const struct tree_child *child, uint8_t value[COUNTED_TREE_CHILD])
{
    uint32_t node = htole32(child->node);
    uint64_t count = htole64(child->count);
    memcpy(value, &node, 4);
    memcpy(value + 4, &count, 8);
    return (struct element){.key = child->separator, .value = bytes_of(value, COUNTED_TREE_CHILD)};
}

/* ---- the way down ---- */

/* The child that `rest` begins with; p->first is the position of its first element. */
static uint32_t take_chosen(struct tree_target *target, struct tree_step *s, struct tree_path *p, struct bytes rest)
{
    s->at = s->row.len - rest.len;
    struct tree_child child = tree_child_take(&rest);
    s->size = s->row.len - rest.len - s->at;
    p->count = child.count;
    if (child.separator.len) target->lower = child.separator;
    return child.node;
}

/* The child in the row of `s` that has target->position, by counts alone. */
static uint32_t choose_by_position(struct tree_target *target, struct tree_step *s, struct tree_path *p)
{
    struct bytes rest = s->row;
    uint64_t left = target->position - p->first;
    for (size_t size; (size = tree_child_size(rest)) < rest.len;) {
        uint64_t count = tree_child_count(rest.data + size);
        if (left < count) break;
        left -= count;
        rest = bytes_of(rest.data + size, rest.len - size);
    }
    p->first = target->position - left;
    return take_chosen(target, s, p, rest);
}

/* The first eight bytes as a number that rises with keys; zeros stand behind a shorter one. */
static uint64_t word_of(struct bytes key)
{
    uint64_t word = 0;
    if (key.len) memcpy(&word, key.data, key.len < sizeof word ? key.len : sizeof word);
    return be64toh(word);
}

/* The same of a separator, which its child's node and count follow: eight bytes can be read in any case. */
static inline uint64_t separator_word(struct bytes separator)
{
    uint64_t word;
    memcpy(&word, separator.data, sizeof word);
    unsigned behind = separator.len < sizeof word ? 64 - 8 * (unsigned)separator.len : 0;
    return behind < 64 ? be64toh(word) >> behind << behind : 0;
}

/* Whether the child comes after those that have keys up to `key`. */
static inline bool is_above(struct bytes separator, struct bytes key, uint64_t key_word)
{
    uint64_t word = separator_word(separator);
    return word != key_word ? word > key_word : bytes_compare(separator, key) > 0;
}

/* The child that target->key belongs to. */
static uint32_t choose_by_key(struct tree_target *target, struct tree_step *s, struct tree_path *p)
{
    struct bytes rest = s->row;
    uint64_t key_word = word_of(target->key);
    size_t size = tree_child_size(rest);
    while (size < rest.len) {
        struct bytes behind = bytes_of(rest.data + size, rest.len - size), separator = tree_child_separator(behind);
        if (is_above(separator, target->key, key_word)) {
            target->upper = separator;
            break;
        }
        p->first += tree_child_count(behind.data);
        rest = behind;
        size = tree_child_size(rest);
    }
    return take_chosen(target, s, p, rest);
}

/* The child that an element goes to which comes before target->position; at the border of two, the later one if the key, where there is one, belongs there. */
static uint32_t choose_for_insert(struct tree_target *target, struct tree_step *s, struct tree_path *p)
{
    struct bytes rest = s->row, behind = rest;
    struct tree_child child = tree_child_take(&behind), next;
    while (behind.len) {
        struct bytes at = behind;
        uint64_t end = p->first + child.count;
        next = tree_child_take(&behind);
        bool goes_on = target->position > end || (target->position == end && target->key.len && bytes_compare(next.separator, target->key) <= 0);
        if (!goes_on) {
            target->upper = next.separator;
            break;
        }
        p->first = end;
        child = next;
        rest = at;
    }
    return take_chosen(target, s, p, rest);
}

uint32_t tree_choose(struct tree_target *target, struct tree_step *s, struct tree_path *p)
{
    assert(s->row.len);
    switch (target->mode) {
    case TREE_FIND: return choose_by_position(target, s, p);
    case TREE_RANK: return choose_by_key(target, s, p);
    case TREE_INSERT: break;
    }
    return choose_for_insert(target, s, p);
}

void tree_descend(struct keyspace *ks, const struct counted_tree *t, struct tree_target *target, struct tree_path *p)
{
    uint32_t node = t->top;
    tree_begin(t, target, p);
    for (unsigned level = 0; level < t->height; level++) {
        struct tree_step *s = &p->steps[level];
        s->node = node;
        s->row = node_get(ks, &t->root.object, node);
        if (level + 1 < t->height) node = tree_choose(target, s, p);
    }
}

/* ---- finding ---- */

static void load_leaf(struct keyspace *ks, const struct counted_tree *t, struct counted_tree_walk *w)
{
    struct tree_target target = {.mode = TREE_FIND, .position = w->position};
    struct tree_path p;
    tree_descend(ks, t, &target, &p);
    w->leaf = tree_leaf(&p)->row;
    w->leaf_first = p.first;
    w->leaf_count = p.count;
    w->places.known = 0;
    if (!w->backwards) w->rest = packed_skip(w->leaf, w->position - p.first);
}

bool counted_tree_next(struct keyspace *ks, const struct counted_tree *t, struct counted_tree_walk *w, struct element *out)
{
    if (w->position >= t->root.count) return false;
    if (w->position - w->leaf_first >= w->leaf_count) load_leaf(ks, t, w);
    if (w->backwards) w->rest = packed_from(&w->places, w->leaf, w->position - w->leaf_first);
    bool there = element_next(&w->rest, out);
    assert(there);
    w->position += w->backwards ? UINT64_MAX : 1;
    return there;
}
