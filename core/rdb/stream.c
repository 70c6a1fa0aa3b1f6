#include "rdb/stream.h"

#include <endian.h>

#include "rdb/rdb_format.h"

#define DELETED 1 /* of an entry's flags */

static bool fail(struct rdb_stream_reader *s)
{
    s->r->failed = true;
    return false;
}

static bool is_sound(const struct rdb_stream_reader *s)
{
    return !s->r->failed && !s->r->in.failed;
}

static bool is_after(struct rdb_id a, struct rdb_id b)
{
    return a.ms != b.ms ? a.ms > b.ms : a.seq > b.seq;
}

/* ---- entries ---- */

static int64_t next_integer(struct rdb_stream_reader *s)
{
    struct listpack_element el = {0};
    if (!listpack_next(&s->r->packed, &el) || !el.is_integer) fail(s);
    return el.is_integer ? el.integer : 0;
}

static struct bytes next_text(struct rdb_stream_reader *s, struct listpack_reader *from, char digits[NUMBER_TEXT_MAX])
{
    struct listpack_element el = {0};
    if (!listpack_next(from, &el)) fail(s);
    return el.is_integer ? bytes_of(digits, number_format_integer(digits, el.integer)) : el.text;
}

void rdb_stream_open(struct rdb_stream_reader *s, struct rdb_reader *r)
{
    *s = (struct rdb_stream_reader){.r = r};
}

static struct rdb_id id_of(struct bytes raw)
{
    uint64_t ms, seq;
    if (raw.len != 16) return (struct rdb_id){0, 0};
    memcpy(&ms, raw.data, 8);
    memcpy(&seq, raw.data + 8, 8);
    return (struct rdb_id){be64toh(ms), be64toh(seq)};
}

/* The next listpack, up to its first entry. */
static bool next_listpack(struct rdb_stream_reader *s)
{
    struct rdb_reader *r = s->r;
    char digits[NUMBER_TEXT_MAX];
    r->left--;
    struct bytes id = rdb_read_string(r, digits, &r->unpacked[0]);
    s->base = id_of(id);
    if (id.len != 16 || !listpack_open(&r->packed, rdb_read_string(r, digits, &r->unpacked[2])) || r->in.failed) return fail(s);
    s->live = next_integer(s);
    s->deleted = next_integer(s);
    int64_t names = next_integer(s);
    s->name_count = names > 0 ? (uint64_t)names : 0;
    s->names = r->packed;
    for (uint64_t i = 0; i < s->name_count && is_sound(s); i++) next_text(s, &r->packed, digits);
    next_integer(s); /* where the sizes of entries are */
    return is_sound(s) && s->live >= 0 && s->deleted >= 0 ? true : fail(s);
}

static void skip_fields(struct rdb_stream_reader *s)
{
    struct rdb_element el;
    while (s->fields && rdb_stream_field(s, &el)) {}
}

/* The next entry of the listpack, deleted or not: up to its fields. */
static bool next_entry(struct rdb_stream_reader *s, struct rdb_id *id, bool *deleted)
{
    int64_t flags = next_integer(s);
    id->ms = s->base.ms + (uint64_t)next_integer(s);
    id->seq = s->base.seq + (uint64_t)next_integer(s);
    *deleted = flags & DELETED;
    s->same = flags & RDB_STREAM_SAME_NAMES;
    s->next = s->names;
    int64_t own = s->same ? 0 : next_integer(s);
    s->fields = s->same ? s->name_count : own > 0 ? (uint64_t)own : 0;
    if (!is_sound(s) || !s->fields) return fail(s);
    return true;
}

bool rdb_stream_next(struct rdb_stream_reader *s, struct rdb_id *id, uint64_t *fields)
{
    bool deleted;
    while (is_sound(s)) {
        if (!s->r->packed.rest.len) {
            struct listpack_element none;
            listpack_next(&s->r->packed, &none); /* its end: whether it has as many elements as it says */
            if (s->r->packed.failed || s->live || s->deleted) return fail(s);
            if (!s->r->left) return false;
            if (!next_listpack(s)) return false;
            continue;
        }
        if (!next_entry(s, id, &deleted)) return false;
        *fields = s->fields;
        if (--*(deleted ? &s->deleted : &s->live) < 0) return fail(s);
        if (!deleted) {
            if (!is_after(*id, s->before)) return fail(s);
            s->before = *id;
            return true;
        }
        skip_fields(s);
    }
    return false;
}

bool rdb_stream_field(struct rdb_stream_reader *s, struct rdb_element *out)
{
    out->text = next_text(s, s->same ? &s->next : &s->r->packed, out->digits[0]);
    out->value = next_text(s, &s->r->packed, out->digits[1]);
    if (--s->fields == 0) next_integer(s); /* the entry's size */
    return is_sound(s);
}

/* ---- the head ---- */

static struct rdb_id read_id(struct rdb_stream_reader *s)
{
    uint64_t ms = rdb_read_len(s->r);
    return (struct rdb_id){ms, rdb_read_len(s->r)};
}

void rdb_stream_head(struct rdb_stream_reader *s, struct rdb_stream_head *out)
{
    *out = (struct rdb_stream_head){.length = rdb_read_len(s->r)};
    out->last = read_id(s);
    out->first = read_id(s);
    out->max_deleted = read_id(s);
    out->added = rdb_read_len(s->r);
    out->groups = rdb_read_len(s->r);
    if (s->r->in.failed || is_after(s->before, out->last)) fail(s);
}

/* ---- groups ---- */

bool rdb_stream_id(struct rdb_stream_reader *s, struct rdb_id *out)
{
    struct bytes raw = read_raw(&s->r->in, 16);
    *out = id_of(raw);
    return raw.len == 16;
}

bool rdb_stream_group(struct rdb_stream_reader *s, struct rdb_stream_group *out)
{
    out->name = rdb_read_string(s->r, out->digits, &s->r->unpacked[0]);
    out->last = read_id(s);
    out->read = rdb_read_len(s->r);
    out->pending = rdb_read_len(s->r);
    return is_sound(s);
}

bool rdb_stream_pending(struct rdb_stream_reader *s, struct rdb_stream_pending *out)
{
    rdb_stream_id(s, &out->id);
    out->delivered_ms = (int64_t)read_u64(&s->r->in);
    out->deliveries = rdb_read_len(s->r);
    return is_sound(s);
}

uint64_t rdb_stream_consumers(struct rdb_stream_reader *s)
{
    return rdb_read_len(s->r);
}

bool rdb_stream_consumer(struct rdb_stream_reader *s, struct rdb_stream_consumer *out)
{
    out->name = rdb_read_string(s->r, out->digits, &s->r->unpacked[1]);
    out->seen_ms = (int64_t)read_u64(&s->r->in);
    out->pending = rdb_read_len(s->r);
    return is_sound(s);
}

/* ---- writing ---- */

void rdb_write_id_bytes(struct buffer *out, struct rdb_id id)
{
    uint64_t stored[2] = {htobe64(id.ms), htobe64(id.seq)};
    buffer_append(out, stored, sizeof stored);
}

void rdb_write_id(struct buffer *out, struct rdb_id id)
{
    rdb_write_len(out, id.ms);
    rdb_write_len(out, id.seq);
}
