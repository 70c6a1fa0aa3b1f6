/* Streams (stream.h). */
#include "keyspace/stream.h"

#include <assert.h>
#include <endian.h>

#include "keyspace/keyspace_state.h"
#include "keyspace/stream_groups.h"

#define ID_SIZE      16
#define HEAD_SIZE    40 /* last id · highest deleted id · entries added(8) */
#define PAYLOAD_ROOT (COUNTED_TREE_ROOT_SIZE + HEAD_SIZE)
#define PAYLOAD_MAX  (COUNTED_TREE_ROOT_SIZE + PAYLOAD_ROOT) /* with groups: their root · the entries' root · head */

static void must(bool holds)
{
    assert(holds); /* only this file writes these rows */
    (void)holds;
}

/* ---- ids ---- */

bool stream_id_next(struct stream_id *id)
{
    if (id->seq == UINT64_MAX && id->ms == UINT64_MAX) return false;
    if (++id->seq == 0) id->ms++;
    return true;
}

bool stream_id_previous(struct stream_id *id)
{
    if (id->seq == 0 && id->ms == 0) return false;
    if (id->seq-- == 0) id->ms--;
    return true;
}

static struct bytes id_write(uint8_t out[ID_SIZE], struct stream_id id)
{
    uint64_t words[2] = {htobe64(id.ms), htobe64(id.seq)};
    memcpy(out, words, ID_SIZE);
    return bytes_of(out, ID_SIZE);
}

static struct stream_id id_read(const uint8_t *in)
{
    uint64_t words[2];
    memcpy(words, in, ID_SIZE);
    return (struct stream_id){be64toh(words[0]), be64toh(words[1])};
}

static void head_write(uint8_t out[HEAD_SIZE], const struct stream_head *head)
{
    uint64_t added = htole64(head->added);
    id_write(out, head->last);
    id_write(out + ID_SIZE, head->max_deleted);
    memcpy(out + 2 * ID_SIZE, &added, sizeof added);
}

static struct stream_head head_read(const uint8_t *in)
{
    uint64_t added;
    memcpy(&added, in + 2 * ID_SIZE, sizeof added);
    return (struct stream_head){id_read(in), id_read(in + ID_SIZE), le64toh(added)};
}

static struct stream_entry entry_of(const struct element *el)
{
    return (struct stream_entry){id_read(el->key.data), el->value};
}

/* ---- opening and closing ---- */

void keyspace_stream_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_stream *out)
{
    bool exists = e->type != KEYSPACE_NONE, large = exists && e->form != ENTRY_WHOLE;
    assert(!exists || e->type == KEYSPACE_STREAM);
    *out = (struct keyspace_stream){.ks = ks, .key = key, .exists = exists, .large = large, .has_groups = exists && e->form == ENTRY_TREES};
    out->en = (struct entry){KEYSPACE_STREAM, exists ? e->form : ENTRY_WHOLE, e->expires_ms, rowkey_is_named_by_hash(key), key, e->payload, 0};
    if (!exists) return;
    must(e->payload.len >= HEAD_SIZE);
    out->head = head_read(e->payload.data + e->payload.len - HEAD_SIZE);
    if (large) {
        struct reader r = reader_of(e->payload);
        uint32_t database_id = ks->databases.list[ks->current].id;
        must(!out->has_groups || counted_tree_read(&r, database_id, &out->groups));
        must(counted_tree_read(&r, database_id, &out->tree));
        out->count = out->tree.root.count;
        return;
    }
    out->packed = bytes_of(e->payload.data, e->payload.len - HEAD_SIZE);
    for (struct bytes rest = out->packed; rest.len; out->count++) must(element_skip(&rest));
}

/* The draft is the payload with the head. */
static void begin_draft(struct keyspace_stream *s)
{
    if (s->draft.begun) return;
    draft_begin(&s->draft, s->ks, s->en.payload);
    if (!s->exists) draft_open(&s->draft, 0, 0, HEAD_SIZE);
}

static uint8_t *edit(struct keyspace_stream *s, size_t at, size_t removed, size_t len)
{
    begin_draft(s);
    uint8_t *room = draft_open(&s->draft, at, removed, len);
    struct bytes all = draft_bytes(&s->draft);
    s->packed = bytes_of(all.data, all.len - HEAD_SIZE);
    s->changed = true;
    return room;
}

static enum entry_form form_of(const struct keyspace_stream *s)
{
    return !s->large ? ENTRY_WHOLE : s->has_groups ? ENTRY_TREES : ENTRY_TREE;
}

/* Writes what has changed of a payload of the same form: the groups' root, or what follows it, or both. */
static void splice_roots(struct keyspace_stream *s, struct bytes payload)
{
    struct object_root was[ENTRY_ROOTS_MAX];
    struct object *objects = s->ks->place.objects;
    size_t groups = s->has_groups ? COUNTED_TREE_ROOT_SIZE : 0, at = s->groups_changed ? 0 : groups, end = s->changed ? payload.len : groups;
    unsigned entries = s->has_groups ? 1 : 0;
    entry_roots(&s->en, 0, was);
    uint64_t held = s->tree.root.bytes - was[entries].bytes;
    if (s->has_groups) held += s->groups.root.bytes - was[0].bytes;
    keyspace_splice_payload(s->ks, &s->en, at, end - at, bytes_of(payload.data + at, end - at), (int64_t)held);
    if (s->has_groups) objects[0] = s->groups.root.object;
    objects[entries] = s->tree.root.object;
}

static void write_row(struct keyspace_stream *s, struct bytes payload)
{
    struct entry en = s->en;
    if (!s->exists || s->en.form != form_of(s)) {
        en.form = form_of(s);
        en.payload = payload;
        keyspace_put_entry(s->ks, s->key, &en);
    } else if (s->large) {
        splice_roots(s, payload);
    } else {
        draft_splice(&s->draft, &s->en);
    }
}

void keyspace_stream_close(struct keyspace_stream *s)
{
    uint8_t room[PAYLOAD_MAX];
    if (!s->changed && !s->groups_changed) return;
    keyspace_go_to(s->ks, s->key);
    if (s->has_groups && !s->groups.root.count) s->has_groups = false; /* the last has gone, and its object with it */
    if (s->large) {
        struct buffer b = {.data = room, .cap = sizeof room, .max = sizeof room};
        if (s->has_groups) counted_tree_write(&b, &s->groups);
        counted_tree_write(&b, &s->tree);
        head_write(room + b.len, &s->head);
        s->ks->quiet = !s->changed;
        write_row(s, bytes_of(room, b.len + HEAD_SIZE));
        s->ks->quiet = false;
        return;
    }
    head_write(edit(s, s->packed.len, HEAD_SIZE, HEAD_SIZE), &s->head);
    write_row(s, draft_bytes(&s->draft));
}

/* ---- reading ---- */

uint64_t keyspace_stream_rank(struct keyspace_stream *s, struct stream_id id, bool *equal)
{
    uint8_t key[ID_SIZE];
    struct element el;
    uint64_t n = 0;
    if (s->large) return counted_tree_rank(s->ks, &s->tree, id_write(key, id), equal);
    if (equal) *equal = false;
    for (struct bytes rest = s->packed; rest.len; n++) {
        must(element_next(&rest, &el));
        int order = stream_id_compare(id_read(el.key.data), id);
        if (order < 0) continue;
        if (equal) *equal = order == 0;
        break;
    }
    return n;
}

void keyspace_stream_walk(struct keyspace_stream *s, uint64_t position, bool backwards, struct keyspace_stream_walk *w)
{
    *w = (struct keyspace_stream_walk){.tree = {.position = position, .backwards = backwards}};
    if (!s->large && !backwards) w->rest = packed_skip(s->packed, position);
}

bool keyspace_stream_next(struct keyspace_stream *s, struct keyspace_stream_walk *w, struct stream_entry *out)
{
    struct element el;
    if (s->large) {
        if (!counted_tree_next(s->ks, &s->tree, &w->tree, &el)) return false;
    } else {
        if (w->tree.position >= s->count) return false;
        if (w->tree.backwards) w->rest = packed_from(&w->places, s->packed, w->tree.position);
        must(element_next(&w->rest, &el));
        w->tree.position += w->tree.backwards ? UINT64_MAX : 1;
    }
    *out = entry_of(&el);
    return true;
}

/* ---- changing ---- */

/* All that a small one has goes into a tree. */
static void convert(struct keyspace_stream *s)
{
    struct element el;
    begin_draft(s); /* rows move while others are written */
    struct bytes all = draft_bytes(&s->draft), rest = bytes_of(all.data, all.len - HEAD_SIZE);
    keyspace_go_to(s->ks, s->key);
    struct object object = keyspace_new_object(s->ks);
    counted_tree_init(&s->tree, &object);
    while (rest.len) {
        must(element_next(&rest, &el));
        counted_tree_insert(s->ks, &s->tree, s->tree.root.count, &el, 1);
    }
    s->large = true;
}

void keyspace_stream_need_groups(struct keyspace_stream *s)
{
    if (s->has_groups) return;
    if (!s->large) convert(s);
    keyspace_go_to(s->ks, s->key);
    struct object object = keyspace_new_object(s->ks);
    counted_tree_init(&s->groups, &object);
    s->has_groups = s->groups_changed = true;
}

void keyspace_stream_append(struct keyspace_stream *s, const struct stream_entry *entry)
{
    uint8_t key[ID_SIZE];
    struct element el = {.key = id_write(key, entry->id), .value = entry->fields};
    assert(stream_id_compare(entry->id, s->head.last) > 0 && entry->fields.len <= KEYSPACE_STREAM_ENTRY_MAX);
    size_t size = element_size(&el);
    if (!s->large && s->packed.len + size > KEYSPACE_STREAM_SMALL) convert(s);
    if (s->large)
        counted_tree_insert(s->ks, &s->tree, s->count, &el, 1);
    else
        element_write(edit(s, s->packed.len, 0, size), &el);
    s->count++;
    s->head.last = entry->id;
    s->head.added++;
    s->changed = true;
}

void keyspace_stream_remove(struct keyspace_stream *s, uint64_t position, uint64_t count)
{
    assert(position <= s->count && count <= s->count - position);
    if (!count) return;
    if (s->large) {
        counted_tree_remove(s->ks, &s->tree, position, count);
    } else {
        struct bytes from = packed_skip(s->packed, position);
        size_t at = s->packed.len - from.len, len = from.len - packed_skip(from, count).len;
        edit(s, at, len, 0);
    }
    s->count -= count;
    s->changed = true;
}

void keyspace_stream_set_head(struct keyspace_stream *s, const struct stream_head *head)
{
    s->head = *head;
    s->changed = true;
}

/* ---- what must hold ---- */

static int damaged(struct error *e)
{
    return error_set(e, ERROR_FORMAT, "a stream's entries are damaged or out of order");
}

/* An entry's form, and that its id lies above `before` (NULL: none is) and not above the last. */
static int check_entry(const struct element *el, const struct stream_id *before, struct stream_id last, struct error *e)
{
    struct bytes fields = el->value;
    if (el->key.len != ID_SIZE) return damaged(e);
    struct stream_id id = id_read(el->key.data);
    if ((before && stream_id_compare(*before, id) >= 0) || stream_id_compare(id, last) > 0) return damaged(e);
    while (fields.len)
        if (!element_skip(&fields)) return damaged(e);
    return 0;
}

int keyspace_stream_check(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    struct bytes payload = en->payload, rest;
    struct counted_tree tree, groups;
    struct counted_tree_walk w = {0};
    struct element el;
    struct stream_id before;
    bool any = false, large = en->form != ENTRY_WHOLE, has_groups = en->form == ENTRY_TREES;
    if (payload.len < HEAD_SIZE) return error_set(e, ERROR_FORMAT, "a stream's head is damaged");
    struct stream_head head = head_read(payload.data + payload.len - HEAD_SIZE);
    rest = bytes_of(payload.data, payload.len - HEAD_SIZE);
    int rc = 0;
    if (large) {
        struct reader r = reader_of(rest);
        bool whole = !has_groups || counted_tree_read(&r, database_id, &groups);
        if (!whole || !counted_tree_read(&r, database_id, &tree) || !reader_done(&r)) return error_set(e, ERROR_FORMAT, "a stream's root is damaged");
        rc = counted_tree_check(ks, &tree, true, e);
        if (!rc && has_groups) rc = keyspace_groups_check(ks, &groups, e);
    }
    while (!rc && (large ? counted_tree_next(ks, &tree, &w, &el) : element_next(&rest, &el))) {
        rc = check_entry(&el, any ? &before : NULL, head.last, e);
        if (!rc) before = id_read(el.key.data);
        any = true;
    }
    return !rc && en->form == ENTRY_WHOLE && rest.len ? damaged(e) : rc;
}
