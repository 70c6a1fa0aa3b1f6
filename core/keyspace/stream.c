/* Streams (stream.h). */
#include "keyspace/stream.h"

#include <assert.h>
#include <endian.h>

#include "keyspace/stream_row.h"

#define LOOK_BACK 8                              /* entries among which names must have come before to be kept as a list */
#define TAIL_MOST (KEYSPACE_STREAM_TAIL_MAX / 4) /* entries: an element has two bytes of lengths and two of key at least */

static void must(bool holds)
{
    assert(holds); /* only the stream's files write these rows */
    (void)holds;
}

/* ---- the row ---- */

enum { BASE_AT = 0, NAMES_AT = 8, TAIL_AT = 10, DELETED_AT = 12, ADDED_AT = 28, LAST_AT = 36 };

static uint64_t u64_at(const uint8_t *in)
{
    uint64_t v;
    memcpy(&v, in, sizeof v);
    return le64toh(v);
}

static uint16_t u16_at(const uint8_t *in)
{
    uint16_t v;
    memcpy(&v, in, sizeof v);
    return le16toh(v);
}

static struct stream_id id_at(const uint8_t *in)
{
    return (struct stream_id){u64_at(in), u64_at(in + 8)};
}

static void put_u64(uint8_t *out, uint64_t v)
{
    v = htole64(v);
    memcpy(out, &v, sizeof v);
}

static void put_u16(uint8_t *out, size_t v)
{
    uint16_t word = htole16((uint16_t)v);
    memcpy(out, &word, sizeof word);
}

static void put_id(uint8_t *out, struct stream_id id)
{
    put_u64(out, id.ms);
    put_u64(out + 8, id.seq);
}

/* Finds names and tail, whose lengths are known, in the payload. */
static void find_parts(struct keyspace_stream *s, struct bytes payload)
{
    s->payload = payload;
    s->names.data = payload.data + s->roots;
    s->tail.data = s->names.data + s->names.len;
}

bool stream_row_read(struct keyspace_stream *s, uint32_t database_id)
{
    struct bytes payload = s->en.payload;
    struct reader r = reader_of(payload);
    s->large = s->en.form != ENTRY_WHOLE;
    s->has_groups = s->en.form == ENTRY_TREES;
    if (s->has_groups && !counted_tree_read(&r, database_id, &s->groups)) return false;
    if (s->large && !counted_tree_read(&r, database_id, &s->tree)) return false;
    s->roots = r.at;
    if (reader_left(&r) < STREAM_HEAD_SIZE) return false;
    size_t parts = reader_left(&r) - STREAM_HEAD_SIZE;
    const uint8_t *head = payload.data + payload.len - STREAM_HEAD_SIZE;
    s->base_ms = u64_at(head + BASE_AT);
    s->names.len = u16_at(head + NAMES_AT);
    s->tail_count = u16_at(head + TAIL_AT);
    s->head = (struct stream_head){id_at(head + LAST_AT), id_at(head + DELETED_AT), u64_at(head + ADDED_AT)};
    if (s->names.len > parts) return false;
    s->tail.len = parts - s->names.len;
    s->count = s->tree.root.count + s->tail_count;
    find_parts(s, payload);
    return true;
}

void keyspace_stream_open(struct keyspace *ks, struct bytes key, const struct keyspace_entry *e, struct keyspace_stream *out)
{
    bool exists = e->type != KEYSPACE_NONE;
    assert(!exists || e->type == KEYSPACE_STREAM);
    *out = (struct keyspace_stream){.ks = ks, .key = key, .exists = exists};
    out->en = (struct entry){KEYSPACE_STREAM, exists ? e->form : ENTRY_WHOLE, e->expires_ms, rowkey_is_named_by_hash(key), key, e->payload, 0};
    if (exists) must(stream_row_read(out, ks->databases.list[ks->current].id));
}

static enum entry_form form_of(const struct keyspace_stream *s)
{
    return !s->large ? ENTRY_WHOLE : s->has_groups ? ENTRY_TREES : ENTRY_TREE;
}

/* The draft is the payload; roots are written there only when it becomes another form's. */
static void begin_draft(struct keyspace_stream *s)
{
    if (s->draft.begun) return;
    draft_begin(&s->draft, s->ks, s->en.payload);
    if (!s->exists) memset(draft_open(&s->draft, 0, 0, STREAM_HEAD_SIZE), 0, STREAM_HEAD_SIZE);
    find_parts(s, draft_bytes(&s->draft));
}

/* In place of `removed` bytes at `at` in names or tail come `len` others, for the caller to fill in. */
static uint8_t *edit(struct keyspace_stream *s, struct bytes *part, size_t at, size_t removed, size_t len)
{
    begin_draft(s);
    uint8_t *room = draft_open(&s->draft, (size_t)(part->data - s->payload.data) + at, removed, len);
    part->len += len - removed;
    find_parts(s, draft_bytes(&s->draft));
    s->changed = true;
    return room;
}

/* ---- closing ---- */

static void write_head(struct keyspace_stream *s)
{
    uint8_t head[STREAM_HEAD_SIZE];
    put_u64(head + BASE_AT, s->base_ms);
    put_u16(head + NAMES_AT, s->names.len);
    put_u16(head + TAIL_AT, s->tail_count);
    put_id(head + DELETED_AT, s->head.max_deleted);
    put_u64(head + ADDED_AT, s->head.added);
    put_id(head + LAST_AT, s->head.last);
    size_t at = s->payload.len - sizeof head;
    if (s->exists && memcmp(s->payload.data + at, head, sizeof head) == 0) return;
    begin_draft(s);
    at = s->payload.len - sizeof head;
    memcpy(draft_open(&s->draft, at, sizeof head, sizeof head), head, sizeof head);
}

#define ROOTS_MAX (2 * (size_t)COUNTED_TREE_ROOT_SIZE)

/* Roots as they are now; returns their bytes. */
static struct bytes write_roots(const struct keyspace_stream *s, uint8_t out[ROOTS_MAX])
{
    struct buffer b = {.data = out, .cap = ROOTS_MAX, .max = ROOTS_MAX};
    if (s->has_groups) counted_tree_write(&b, &s->groups);
    if (s->large) counted_tree_write(&b, &s->tree);
    return buffer_bytes(&b);
}

static void put_whole(struct keyspace_stream *s)
{
    uint8_t room[ROOTS_MAX];
    struct bytes roots = write_roots(s, room);
    struct entry en = s->en;
    begin_draft(s);
    memcpy(draft_open(&s->draft, 0, s->roots, roots.len), roots.data, roots.len);
    en.form = form_of(s);
    en.payload = draft_bytes(&s->draft);
    keyspace_put_entry(s->ks, s->key, &en);
}

/* What is behind the roots, and these, as far as they have changed: two splices, for there may be much between. */
static void splice_parts(struct keyspace_stream *s)
{
    uint8_t room[ROOTS_MAX];
    struct object_root was[ENTRY_ROOTS_MAX];
    struct object *objects = s->ks->place.objects;
    if (s->tree_changed || s->groups_changed) entry_roots(&s->en, 0, was);
    if (s->draft.begun) draft_splice(&s->draft, &s->en);
    if (!s->tree_changed && !s->groups_changed) return;
    struct bytes roots = write_roots(s, room);
    unsigned entries = s->has_groups ? 1 : 0; /* the root of the entries comes behind that of the groups */
    size_t from = s->groups_changed ? 0 : entries * COUNTED_TREE_ROOT_SIZE, end = s->tree_changed ? roots.len : COUNTED_TREE_ROOT_SIZE;
    uint64_t held = s->tree.root.bytes - was[entries].bytes;
    if (s->has_groups) held += s->groups.root.bytes - was[0].bytes;
    keyspace_splice_payload(s->ks, &s->en, from, end - from, bytes_of(roots.data + from, end - from), (int64_t)held);
    if (s->has_groups) objects[0] = s->groups.root.object;
    objects[entries] = s->tree.root.object;
}

void keyspace_stream_close(struct keyspace_stream *s)
{
    if (!s->changed && !s->groups_changed) return;
    keyspace_go_to(s->ks, s->key);
    if (s->has_groups && !s->groups.root.count) s->has_groups = false; /* the last has gone, and its object with it */
    write_head(s);
    s->ks->quiet = !s->changed;
    if (!s->exists || s->en.form != form_of(s))
        put_whole(s);
    else
        splice_parts(s);
    s->ks->quiet = false;
}

/* ---- reading ---- */

uint64_t keyspace_stream_rank(struct keyspace_stream *s, struct stream_id id, bool *equal)
{
    uint8_t room[STREAM_KEY_MAX];
    struct element el;
    if (equal) *equal = false;
    if (id.ms < s->base_ms) return 0;
    if (stream_id_compare(id, s->head.last) > 0) return s->count;
    struct bytes key = stream_key_write(room, s->base_ms, id), rest = s->tail, tail = s->tail;
    uint64_t n = s->tree.root.count;
    bool before_tail = !element_next(&tail, &el) || bytes_compare(key, el.key) < 0;
    if (before_tail && n) return counted_tree_rank(s->ks, &s->tree, key, equal);
    for (; rest.len; n++) {
        must(element_next(&rest, &el));
        int order = bytes_compare(el.key, key);
        if (order < 0) continue;
        if (equal) *equal = order == 0;
        break;
    }
    return n;
}

void keyspace_stream_walk(struct keyspace_stream *s, uint64_t position, bool backwards, struct keyspace_stream_walk *w)
{
    uint64_t in_tree = s->tree.root.count;
    *w = (struct keyspace_stream_walk){.position = position, .backwards = backwards};
    w->tree = (struct counted_tree_walk){.position = position < in_tree ? position : in_tree - 1, .backwards = backwards};
}

static void tail_next(struct keyspace_stream *s, struct keyspace_stream_walk *w, struct element *out)
{
    uint64_t i = w->position - s->tree.root.count;
    if (w->backwards)
        w->rest = packed_from(&w->places, s->tail, i);
    else if (!w->rest.data)
        w->rest = packed_skip(s->tail, i);
    must(element_next(&w->rest, out));
}

bool keyspace_stream_next(struct keyspace_stream *s, struct keyspace_stream_walk *w, struct stream_entry *out)
{
    struct element el;
    if (w->position >= s->count) return false;
    if (w->position >= s->tree.root.count)
        tail_next(s, w, &el);
    else
        must(counted_tree_next(s->ks, &s->tree, &w->tree, &el));
    must(stream_entry_read(&el, s->base_ms, s->names, out));
    w->position += w->backwards ? UINT64_MAX : 1;
    return true;
}

/* ---- lists of names ---- */

static void read_names(const struct keyspace_stream *s, struct stream_names *out)
{
    must(stream_names_read(s->names, out));
}

static void write_names(struct keyspace_stream *s, const struct stream_names *n)
{
    uint8_t room[STREAM_NAMES_MAX];
    struct bytes table = stream_names_write(room, n);
    memcpy(edit(s, &s->names, 0, s->names.len, table.len), table.data, table.len);
}

/* Whether one of the newest entries has these names too: they may come often. */
static bool came_lately(struct keyspace_stream *s, struct bytes names)
{
    struct keyspace_stream_walk w;
    struct stream_entry entry;
    keyspace_stream_walk(s, s->count - 1, true, &w);
    for (unsigned i = 0; i < LOOK_BACK && keyspace_stream_next(s, &w, &entry); i++)
        if (bytes_equal(entry.names, names)) return true;
    return false;
}

/* Frees the numbers that no entry tells any more. */
static void free_unused(struct keyspace_stream *s, struct stream_names *n)
{
    struct counted_tree_walk w = {0};
    struct element el, first = {0};
    bool in_tail[STREAM_NAMES_LISTS] = {false};
    bool any = counted_tree_next(s->ks, &s->tree, &w, &first);
    for (struct bytes rest = s->tail; rest.len;) {
        must(element_next(&rest, &el));
        if (el.mark) in_tail[el.value.data[0]] = true;
    }
    for (unsigned i = 0; i < n->count; i++)
        if (!in_tail[i] && (!any || bytes_compare(n->lists[i].key, first.key) < 0)) n->lists[i] = (struct element){0};
}

/* The number of the list with these names, which they get if they seem to come often; -1: they have none. */
static int list_of(struct keyspace_stream *s, struct bytes names)
{
    struct stream_names n;
    read_names(s, &n);
    int list = stream_names_find(&n, names);
    if (list >= 0 || !came_lately(s, names)) return list;
    list = stream_names_add(&n, names);
    if (list < 0) {
        free_unused(s, &n);
        list = stream_names_add(&n, names);
    }
    if (list >= 0) write_names(s, &n);
    return list;
}

/* ---- changing ---- */

/* A tree without elements, in a new object. */
static struct counted_tree new_tree(struct keyspace_stream *s)
{
    struct counted_tree t;
    keyspace_go_to(s->ks, s->key);
    struct object object = keyspace_new_object(s->ks);
    counted_tree_init(&t, &object);
    return t;
}

static void need_tree(struct keyspace_stream *s)
{
    if (s->large) return;
    s->tree = new_tree(s);
    s->large = s->tree_changed = true;
}

void keyspace_stream_need_groups(struct keyspace_stream *s)
{
    if (s->has_groups) return;
    need_tree(s);
    s->groups = new_tree(s);
    s->has_groups = s->groups_changed = true;
}

/* Elements that come to be the last of the tree. */
static void put_in_tree(struct keyspace_stream *s, const struct element *els, size_t count)
{
    struct stream_names n;
    bool listed = false;
    need_tree(s);
    counted_tree_insert(s->ks, &s->tree, s->tree.root.count, els, count);
    s->tree_changed = true;
    read_names(s, &n);
    for (size_t i = 0; i < count; i++) {
        if (!els[i].mark) continue;
        n.lists[els[i].value.data[0]].key = els[i].key;
        listed = true;
    }
    if (listed) write_names(s, &n);
}

static void flush_tail(struct keyspace_stream *s)
{
    struct element els[TAIL_MOST];
    size_t count = 0;
    if (!s->tail.len) return;
    begin_draft(s); /* rows move while others are written */
    for (struct bytes rest = s->tail; rest.len; count++) must(element_next(&rest, &els[count]));
    put_in_tree(s, els, count);
    edit(s, &s->tail, 0, s->tail.len, 0);
    s->tail_count = 0;
}

/* The first entry, of all or after all have gone: nothing that is kept tells of what was. */
static void begin_anew(struct keyspace_stream *s, struct stream_id id)
{
    if (s->names.len) edit(s, &s->names, 0, s->names.len, 0);
    s->base_ms = id.ms;
}

void keyspace_stream_append(struct keyspace_stream *s, struct stream_id id, const struct bytes *fields, size_t count, uint8_t *room)
{
    uint8_t key[STREAM_KEY_MAX];
    assert(stream_id_compare(id, s->head.last) > 0);
    if (!s->count) begin_anew(s, id);
    struct stream_fields packed = stream_fields_pack(room, fields, count);
    int list = list_of(s, bytes_of(packed.names, packed.names_len));
    struct element el = {stream_key_write(key, s->base_ms, id), stream_fields_value(&packed, list), list >= 0};
    size_t size = element_size(&el);
    if (s->tail.len + size > KEYSPACE_STREAM_TAIL_MAX) flush_tail(s);
    if (size > KEYSPACE_STREAM_TAIL_MAX) {
        put_in_tree(s, &el, 1);
    } else {
        element_write(edit(s, &s->tail, s->tail.len, 0, size), &el);
        s->tail_count++;
    }
    s->count++;
    s->head.last = id;
    s->head.added++;
    s->changed = true;
}

void keyspace_stream_remove(struct keyspace_stream *s, uint64_t position, uint64_t count)
{
    assert(position <= s->count && count <= s->count - position);
    if (!count) return;
    uint64_t in_tree = s->tree.root.count, end = position + count;
    if (end > in_tree) {
        uint64_t first = position > in_tree ? position - in_tree : 0;
        struct bytes from = packed_skip(s->tail, first), rest = packed_skip(from, end - in_tree - first);
        edit(s, &s->tail, s->tail.len - from.len, from.len - rest.len, 0);
        s->tail_count = (uint16_t)(s->tail_count - (end - in_tree - first));
    }
    if (position < in_tree) {
        counted_tree_remove(s->ks, &s->tree, position, (end < in_tree ? end : in_tree) - position, NULL);
        s->tree_changed = true;
    }
    s->count -= count;
    s->changed = true;
}

void keyspace_stream_set_head(struct keyspace_stream *s, const struct stream_head *head)
{
    s->head = *head;
    s->changed = true;
}
