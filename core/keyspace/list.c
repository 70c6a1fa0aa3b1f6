/* Opening, closing, reading. */
#include "keyspace/list.h"

#include <assert.h>

#include "keyspace/list_row.h"

/* ---- the row ---- */

static uint32_t u32_at(struct bytes b, size_t at)
{
    struct reader r = reader_of(bytes_of(b.data + at, 4));
    return read_u32(&r);
}

/* Reads a larger list's payload. False: damaged. */
static bool read_parts(struct bytes payload, uint32_t database_id, struct keyspace_list *l)
{
    struct reader r = reader_of(payload);
    if (!counted_tree_read(&r, database_id, &l->tree) || payload.len < LIST_HEAD_AT + LIST_TAIL_SIZE) return false;
    size_t ends = payload.len - LIST_HEAD_AT - LIST_TAIL_SIZE;
    l->head = (struct list_end){u32_at(payload, COUNTED_TREE_ROOT_SIZE), u32_at(payload, COUNTED_TREE_ROOT_SIZE + 4)};
    if (l->head.len > ends) return false;
    l->tail = (struct list_end){u32_at(payload, payload.len - LIST_TAIL_SIZE), (uint32_t)(ends - l->head.len)};
    l->tree_bytes = l->tree.root.bytes;
    return true;
}

static uint32_t count_packed(struct bytes packed)
{
    struct element el;
    uint32_t count = 0;
    while (element_next(&packed, &el)) count++;
    return count;
}

void keyspace_list_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_list *l)
{
    bool there = e->type == KEYSPACE_LIST;
    *l = (struct keyspace_list){.ks = ks, .key = key, .there = there};
    l->en = (struct entry){.type = KEYSPACE_LIST,
                           .form = there ? e->form : ENTRY_WHOLE,
                           .expires_ms = e->expires_ms,
                           .has_key = rowkey_is_named_by_hash(key),
                           .key = key,
                           .payload = there ? e->payload : bytes_text("")};
    if (list_is_large(l)) {
        bool whole = read_parts(l->en.payload, ks->databases.list[ks->current].id, l);
        assert(whole); /* only this version writes here */
        (void)whole;
    } else {
        l->head = (struct list_end){count_packed(l->en.payload), (uint32_t)l->en.payload.len};
    }
}

void list_look(struct keyspace_list *l)
{
    if (!l->stale) return;
    bool there = keyspace_find_entry(l->ks, l->key, &l->en);
    assert(there);
    (void)there;
    l->stale = false;
}

struct bytes list_head(struct keyspace_list *l)
{
    list_look(l);
    return bytes_of(l->en.payload.data + list_head_at(l), l->head.len);
}

struct bytes list_tail(struct keyspace_list *l)
{
    list_look(l);
    return bytes_of(l->en.payload.data + list_head_at(l) + l->head.len, l->tail.len);
}

/* ---- closing ---- */

static void write_root(struct keyspace_list *l)
{
    uint8_t root[COUNTED_TREE_ROOT_SIZE];
    struct buffer b = {.data = root, .cap = sizeof root, .max = sizeof root};
    counted_tree_write(&b, &l->tree);
    keyspace_splice_payload(l->ks, &l->en, 0, sizeof root, buffer_bytes(&b), (int64_t)(l->tree.root.bytes - l->tree_bytes));
    l->ks->place.objects[0] = l->tree.root.object;
    l->tree_changed = false;
    l->tree_bytes = l->tree.root.bytes;
    l->stale = true;
}

void keyspace_list_close(struct keyspace_list *l)
{
    if (!l->there) return;
    keyspace_go_to(l->ks, l->key);
    if (l->tree_changed) write_root(l);
    if (keyspace_list_len(l)) return;
    if (list_is_large(l) && l->tree.root.object.nodes == 1 && !l->tree.free) l->ks->place.object_count = 0; /* it has no rows */
    keyspace_drop(l->ks);
    l->there = false;
}

/* ---- reading ---- */

/* Makes the part with the next value the one at hand. */
static void choose_part(struct keyspace_list *l, struct keyspace_list_walk *w)
{
    uint64_t in_tree = list_is_large(l) ? l->tree.root.count : 0, behind = l->head.count + in_tree;
    w->part = bytes_of(NULL, 0);
    w->places.known = 0;
    if (w->index < l->head.count) {
        w->part_first = 0;
        w->part_count = l->head.count;
        w->part = list_head(l);
    } else if (w->index < behind) {
        w->part_first = l->head.count;
        w->part_count = in_tree;
        w->tree = (struct counted_tree_walk){.position = w->index - l->head.count, .backwards = w->backwards};
    } else {
        w->part_first = behind;
        w->part_count = l->tail.count;
        w->part = list_tail(l);
    }
    if (w->part.data && !w->backwards) w->rest = packed_skip(w->part, w->index - w->part_first);
}

bool keyspace_list_next(struct keyspace_list *l, struct keyspace_list_walk *w, struct bytes *value)
{
    struct element el = {0};
    if (w->index >= keyspace_list_len(l)) return false;
    if (w->index - w->part_first >= w->part_count) choose_part(l, w);
    if (!w->part.data) {
        counted_tree_next(l->ks, &l->tree, &w->tree, &el);
    } else {
        if (w->backwards) w->rest = packed_from(&w->places, w->part, w->index - w->part_first);
        element_next(&w->rest, &el);
    }
    *value = el.value;
    w->index += w->backwards ? UINT64_MAX : 1;
    return true;
}

/* ---- checking ---- */

static int damaged(const char *what, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "a list's row %s", what);
}

static int check_packed(struct bytes packed, uint32_t count, struct error *e)
{
    struct element el;
    uint32_t found = 0;
    while (element_next(&packed, &el)) {
        found++;
        if (el.key.len || el.mark) return damaged("has an element with a key", e);
    }
    if (packed.len) return damaged("has a damaged element", e);
    return found == count ? 0 : damaged("has a wrong count", e);
}

int keyspace_list_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    struct keyspace_list l = {.ks = ks, .en = *en};
    if (!list_is_large(&l)) {
        uint32_t count = count_packed(en->payload);
        if (count == 0) return damaged("is empty", e);
        return en->payload.len <= LIST_WHOLE_MAX && count <= LIST_WHOLE_COUNT ? check_packed(en->payload, count, e) : damaged("is too large", e);
    }
    if (!read_parts(en->payload, database_id, &l)) return damaged("is damaged", e);
    if (keyspace_list_len(&l) == 0) return damaged("is empty", e);
    if (l.head.len > LIST_END_MAX || l.tail.len > LIST_END_MAX || l.head.count > LIST_END_COUNT || l.tail.count > LIST_END_COUNT) return damaged("is too large", e);
    int rc = check_packed(list_head(&l), l.head.count, e);
    if (!rc) rc = check_packed(list_tail(&l), l.tail.count, e);
    return rc ? rc : counted_tree_check(ks, &l.tree, false, e);
}
