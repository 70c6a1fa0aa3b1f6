/* Changing a list. */
#include <assert.h>

#include "keyspace/list_row.h"

#define NEAR_RIGHT 32 /* elements that an empty end is filled with at the right, where each pop passes those that are left */
#define BATCH    256  /* elements that are put into the tree at once */

static struct element element_of(struct bytes value)
{
    return (struct element){.value = value};
}

static size_t packed_size(const struct bytes *values, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        struct element el = element_of(values[i]);
        size += element_size(&el);
    }
    return size;
}

/* As they come to lie when they were pushed to this side. */
static void pack(uint8_t *out, enum keyspace_list_side side, const struct bytes *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct element el = element_of(values[side == LIST_LEFT ? count - 1 - i : i]);
        out = element_write(out, &el);
    }
}

/* ---- the key's row ---- */

static void splice(struct keyspace_list *l, size_t at, size_t removed, struct bytes inserted)
{
    keyspace_splice_payload(l->ks, &l->en, at, removed, inserted, 0);
    l->stale = true;
}

/* A small list, or its first elements. */
static void change_whole(struct keyspace_list *l, size_t at, size_t removed, struct bytes packed)
{
    if (l->there) {
        splice(l, at, removed, packed);
        return;
    }
    l->en.payload = packed;
    keyspace_put_entry(l->ks, l->key, &l->en);
    l->there = l->stale = true;
}

/* The head's count and length come before it: one splice if what changes is at its beginning. */
static void change_head(struct keyspace_list *l, size_t at, size_t removed, struct bytes packed)
{
    uint8_t room[LIST_HEAD_SIZE + LIST_END_MAX];
    struct buffer b = {.data = room, .cap = sizeof room, .max = sizeof room};
    write_u32(&b, l->head.count);
    write_u32(&b, l->head.len);
    if (at > 0) {
        splice(l, COUNTED_TREE_ROOT_SIZE, LIST_HEAD_SIZE, buffer_bytes(&b));
        splice(l, LIST_HEAD_AT + at, removed, packed);
        return;
    }
    buffer_append(&b, packed.data, packed.len);
    splice(l, COUNTED_TREE_ROOT_SIZE, LIST_HEAD_SIZE + removed, buffer_bytes(&b));
}

/* The tail's count comes behind it; `len` is its length before. */
static void change_tail(struct keyspace_list *l, size_t len, size_t at, size_t removed, struct bytes packed)
{
    uint8_t room[LIST_END_MAX + LIST_TAIL_SIZE];
    struct buffer b = {.data = room, .cap = sizeof room, .max = sizeof room};
    size_t tail_at = LIST_HEAD_AT + l->head.len, behind = len - at - removed;
    if (behind > 0) {
        splice(l, tail_at + at, removed, packed);
        at = l->tail.len;
        removed = 0;
    } else {
        buffer_append(&b, packed.data, packed.len);
    }
    write_u32(&b, l->tail.count);
    splice(l, tail_at + at, removed + LIST_TAIL_SIZE, buffer_bytes(&b));
}

/* In an end, in place of `removed` bytes at `at` come packed elements, `grown` more of them than there were. */
static void change_end(struct keyspace_list *l, struct list_end *end, size_t at, size_t removed, struct bytes packed, int64_t grown)
{
    size_t len = end->len;
    end->len = (uint32_t)(len - removed + packed.len);
    end->count = (uint32_t)(end->count + grown);
    keyspace_go_to(l->ks, l->key);
    if (!list_is_large(l))
        change_whole(l, at, removed, packed);
    else if (end == &l->head)
        change_head(l, at, removed, packed);
    else
        change_tail(l, len, at, removed, packed);
}

/* ---- the tree ---- */

/* Packed elements, which lie in the key's row or not. */
static void insert_packed(struct keyspace_list *l, uint64_t position, struct bytes packed)
{
    struct element els[BATCH];
    while (packed.len) {
        size_t n = 0;
        while (n < BATCH && element_next(&packed, &els[n])) n++;
        counted_tree_insert(l->ks, &l->tree, position, els, n);
        position += n;
    }
    l->tree_changed = true;
}

static void insert_values(struct keyspace_list *l, enum keyspace_list_side side, const struct bytes *values, size_t count)
{
    struct element els[BATCH];
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < BATCH ? count - done : BATCH;
        for (size_t i = 0; i < n; i++) els[i] = element_of(values[done + (side == LIST_LEFT ? n - 1 - i : i)]);
        counted_tree_insert(l->ks, &l->tree, side == LIST_LEFT ? 0 : l->tree.root.count, els, n);
    }
    l->tree_changed = true;
}

_Static_assert(LIST_WHOLE_MAX <= LIST_END_MAX && LIST_WHOLE_COUNT <= LIST_END_COUNT, "a small list becomes an end of a larger one");

/* A small list becomes a larger one: the head of a tree without elements. */
static void convert(struct keyspace_list *l)
{
    uint8_t room[LIST_HEAD_AT + LIST_WHOLE_MAX + LIST_TAIL_SIZE];
    struct buffer b = {.data = room, .cap = sizeof room, .max = sizeof room};
    struct bytes packed = list_head(l);
    keyspace_go_to(l->ks, l->key);
    struct object object = keyspace_new_object(l->ks);
    counted_tree_init(&l->tree, &object);
    counted_tree_write(&b, &l->tree);
    write_u32(&b, l->head.count);
    write_u32(&b, l->head.len);
    buffer_append(&b, packed.data, packed.len);
    write_u32(&b, l->tail.count);
    l->en.form = ENTRY_TREE;
    l->en.payload = buffer_bytes(&b);
    keyspace_put_entry(l->ks, l->key, &l->en);
    l->there = l->stale = true;
}

/* An end goes into the tree. */
static void flush(struct keyspace_list *l, struct list_end *end)
{
    if (end->count == 0) return;
    if (end == &l->head)
        insert_packed(l, 0, list_head(l));
    else
        insert_packed(l, l->tree.root.count, list_tail(l));
    change_end(l, end, 0, end->len, bytes_of(NULL, 0), -(int64_t)end->count);
}

/* ---- pushing, and what is near ---- */

void keyspace_list_push(struct keyspace_list *l, enum keyspace_list_side side, const struct bytes *values, size_t count)
{
    uint8_t packed[LIST_END_MAX];
    size_t size = packed_size(values, count);
    bool small = l->head.len + size <= LIST_WHOLE_MAX && l->head.count + count <= LIST_WHOLE_COUNT;
    if (!list_is_large(l) && !small) convert(l);
    struct list_end *end = side == LIST_LEFT || !list_is_large(l) ? &l->head : &l->tail;
    if (list_is_large(l) && (end->len + size > LIST_END_MAX || end->count + count > LIST_END_COUNT)) flush(l, end);
    if (list_is_large(l) && (size > LIST_END_MAX || count > LIST_END_COUNT)) {
        insert_values(l, side, values, count);
        return;
    }
    pack(packed, side, values, count);
    change_end(l, end, side == LIST_LEFT ? 0 : end->len, 0, bytes_of(packed, size), (int64_t)count);
}

/* The tree's outermost elements at a side, as many as there is room for. Returns how many. */
static uint64_t copy_near(struct keyspace_list *l, enum keyspace_list_side side, uint8_t *out, size_t *len)
{
    uint64_t count = l->tree.root.count, near = 0, most = side == LIST_LEFT ? LIST_END_COUNT : NEAR_RIGHT;
    struct counted_tree_walk w = {.position = side == LIST_LEFT ? 0 : count - 1, .backwards = side == LIST_RIGHT};
    struct element el;
    *len = 0;
    while (near < most && counted_tree_next(l->ks, &l->tree, &w, &el) && *len + element_size(&el) <= LIST_NEAR_MAX) {
        *len += element_size(&el);
        near++;
    }
    w = (struct counted_tree_walk){.position = side == LIST_LEFT ? 0 : count - near};
    for (uint64_t i = 0; i < near; i++) {
        counted_tree_next(l->ks, &l->tree, &w, &el);
        out = element_write(out, &el);
    }
    return near;
}

/* All there is is at one end: it becomes the other. They are neighbours, so no element moves. */
static void change_ends(struct keyspace_list *l)
{
    uint8_t room[LIST_HEAD_SIZE];
    struct buffer b = {.data = room, .cap = sizeof room, .max = sizeof room};
    struct list_end head = l->tail;
    size_t count_at = LIST_HEAD_AT + l->head.len + l->tail.len;
    l->tail = l->head;
    l->head = head;
    keyspace_go_to(l->ks, l->key);
    write_u32(&b, l->tail.count);
    splice(l, count_at, LIST_TAIL_SIZE, buffer_bytes(&b));
    buffer_clear(&b);
    write_u32(&b, l->head.count);
    write_u32(&b, l->head.len);
    splice(l, COUNTED_TREE_ROOT_SIZE, LIST_HEAD_SIZE, buffer_bytes(&b));
}

void keyspace_list_near(struct keyspace_list *l, enum keyspace_list_side side)
{
    uint8_t packed[LIST_NEAR_MAX];
    size_t len;
    struct list_end *end = side == LIST_LEFT ? &l->head : &l->tail;
    if (!list_is_large(l) || end->count) return;
    if (!l->tree.root.count) {
        if (keyspace_list_len(l)) change_ends(l);
        return;
    }
    uint64_t near = copy_near(l, side, packed, &len);
    if (near < 2) return;
    counted_tree_remove(l->ks, &l->tree, side == LIST_LEFT ? 0 : l->tree.root.count - near, near, NULL);
    l->tree_changed = true;
    change_end(l, end, 0, 0, bytes_of(packed, len), (int64_t)near);
}

/* ---- by index ---- */

/* Where in `packed` elements `from` to `to` are. */
static void find_range(struct bytes packed, uint64_t from, uint64_t to, size_t *at, size_t *len)
{
    struct bytes first = packed_skip(packed, from);
    *at = packed.len - first.len;
    *len = first.len - packed_skip(first, to - from).len;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void remove_from_end(struct keyspace_list *l, struct list_end *end, uint64_t from, uint64_t count)
{
    size_t at, len;
    if (count == 0) return;
    find_range(end == &l->head ? list_head(l) : list_tail(l), from, from + count, &at, &len);
    change_end(l, end, at, len, bytes_of(NULL, 0), -(int64_t)count);
}

/* How many of `*count` from `*index` on are among the first `in`; what is left is counted from there. */
static uint64_t take(uint64_t in, uint64_t *index, uint64_t *count)
{
    uint64_t from = smaller(*index, in), taken = smaller(*count, in - from);
    *index -= from;
    *count -= taken;
    return taken;
}

void keyspace_list_remove(struct keyspace_list *l, uint64_t index, uint64_t count)
{
    assert(index <= keyspace_list_len(l) && count <= keyspace_list_len(l) - index);
    uint64_t at_head = index, in_head = take(l->head.count, &index, &count);
    uint64_t at_tree = index, in_tree = list_is_large(l) ? take(l->tree.root.count, &index, &count) : 0;
    remove_from_end(l, &l->tail, index, count);
    if (in_tree) {
        counted_tree_remove(l->ks, &l->tree, at_tree, in_tree, NULL);
        l->tree_changed = true;
    }
    remove_from_end(l, &l->head, at_head, in_head);
}

/* In an end, in place of `removed` elements from `index` on comes a value. False: it has no room. */
static bool put_in_end(struct keyspace_list *l, struct list_end *end, uint64_t index, unsigned removed, struct bytes value)
{
    uint8_t packed[LIST_END_MAX];
    struct element el = element_of(value);
    size_t at, len, size = element_size(&el);
    size_t most = list_is_large(l) ? LIST_END_MAX : LIST_WHOLE_MAX, count_most = list_is_large(l) ? LIST_END_COUNT : LIST_WHOLE_COUNT;
    find_range(end == &l->head ? list_head(l) : list_tail(l), index, index + removed, &at, &len);
    if (end->len - len + size > most || end->count + 1 - removed > count_most) return false;
    element_write(packed, &el);
    change_end(l, end, at, len, bytes_of(packed, size), 1 - (int64_t)removed);
    return true;
}

/* The end, or a small list, has no room for what comes: it goes into the tree. */
static void make_room(struct keyspace_list *l, struct list_end *end)
{
    if (!list_is_large(l)) convert(l);
    flush(l, end);
}

void keyspace_list_set(struct keyspace_list *l, uint64_t index, struct bytes value)
{
    struct element el = element_of(value);
    assert(index < keyspace_list_len(l));
    if (index < l->head.count) {
        if (put_in_end(l, &l->head, index, 1, value)) return;
        make_room(l, &l->head);
    }
    uint64_t behind = l->head.count + l->tree.root.count;
    if (index >= behind) {
        if (put_in_end(l, &l->tail, index - behind, 1, value)) return;
        make_room(l, &l->tail);
    }
    counted_tree_replace(l->ks, &l->tree, index - l->head.count, &el);
    l->tree_changed = true;
}

void keyspace_list_insert(struct keyspace_list *l, uint64_t index, struct bytes value)
{
    struct element el = element_of(value);
    assert(index <= keyspace_list_len(l));
    if (index < l->head.count || !list_is_large(l)) {
        if (put_in_end(l, &l->head, index, 0, value)) return;
        make_room(l, &l->head);
    }
    uint64_t behind = l->head.count + l->tree.root.count;
    if (index >= behind) {
        if (put_in_end(l, &l->tail, index - behind, 0, value)) return;
        make_room(l, &l->tail);
    }
    counted_tree_insert(l->ks, &l->tree, index - l->head.count, &el, 1);
    l->tree_changed = true;
}
