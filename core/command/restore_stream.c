/* RESTORE of streams. */
#include "base/distinct.h"
#include "command/dump.h"
#include "command/engine.h"
#include "keyspace/stream_groups.h"
#include "rdb/stream.h"

#define FIELDS_MAX (1u << 19) /* of an entry: as many as XADD takes */

static struct stream_id id_of(struct rdb_id id)
{
    return (struct stream_id){id.ms, id.seq};
}

/* ---- entries ---- */

/* One entry's fields while they are put together. */
struct fields {
    struct bytes *list;                 /* names and values */
    char (*digits)[NUMBER_TEXT_MAX];    /* of those that are integers */
    uint8_t *room;
    size_t list_cap, room_cap;
};

/* Memory for `count` names and values; of the arena, where more is taken twice as much as before at least. */
static void reserve(struct command_call *c, struct fields *f, size_t count)
{
    if (count <= f->list_cap) return;
    f->list_cap = count > 2 * f->list_cap ? count : 2 * f->list_cap;
    f->list = arena_alloc(c->arena, f->list_cap * sizeof *f->list);
    f->digits = arena_alloc(c->arena, f->list_cap * sizeof *f->digits);
}

static struct bytes take(struct fields *f, size_t at, struct bytes text, const char digits[NUMBER_TEXT_MAX])
{
    if (text.data != (const uint8_t *)digits) return text;
    memcpy(f->digits[at], digits, NUMBER_TEXT_MAX);
    return bytes_of(f->digits[at], text.len);
}

static enum command_verdict restore_entry(struct command_call *c, struct rdb_stream_reader *reader, struct fields *f, struct rdb_id id, uint64_t count,
                                          struct keyspace_stream *into)
{
    struct rdb_element el;
    if (count > FIELDS_MAX) return PAYLOAD_TOO_LARGE;
    reserve(c, f, 2 * (size_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!rdb_stream_field(reader, &el)) return PAYLOAD_DAMAGED;
        f->list[2 * i] = take(f, 2 * i, el.text, el.digits[0]);
        f->list[2 * i + 1] = take(f, 2 * i + 1, el.value, el.digits[1]);
    }
    size_t room = stream_fields_room(f->list, (size_t)count);
    if (room > KEYSPACE_STREAM_ENTRY_MAX) return PAYLOAD_TOO_LARGE;
    if (!into) return PAYLOAD_SOUND;
    if (room > f->room_cap) {
        f->room_cap = room > 2 * f->room_cap ? room : 2 * f->room_cap;
        f->room = arena_alloc(c->arena, f->room_cap);
    }
    keyspace_stream_append(into, id_of(id), f->list, (size_t)count, f->room);
    return PAYLOAD_SOUND;
}

static enum command_verdict restore_entries(struct command_call *c, struct rdb_stream_reader *reader, struct keyspace_stream *into, uint64_t *entries)
{
    enum command_verdict verdict = PAYLOAD_SOUND;
    struct fields f = {0};
    struct rdb_id id;
    uint64_t count;
    *entries = 0;
    while (verdict == PAYLOAD_SOUND && rdb_stream_next(reader, &id, &count)) {
        verdict = restore_entry(c, reader, &f, id, count, into);
        ++*entries;
    }
    return verdict;
}

/* ---- groups ---- */

/* What is pending of a group, in the order of ids; whose it is, is told later. */
struct pending {
    struct rdb_stream_pending *list;
    bool *owned;
    uint64_t count, owned_count;
};

static bool is_below(struct rdb_id a, struct rdb_id b)
{
    return a.ms != b.ms ? a.ms < b.ms : a.seq < b.seq;
}

static bool read_pending(struct command_call *c, struct rdb_stream_reader *reader, uint64_t count, struct pending *out)
{
    *out = (struct pending){.count = count};
    if (count > reader_left(&reader->r->in) / 25) return false; /* each takes so many bytes */
    out->list = arena_alloc(c->arena, (size_t)count * sizeof *out->list + 1);
    out->owned = arena_alloc(c->arena, (size_t)count + 1);
    memset(out->owned, 0, (size_t)count + 1);
    for (uint64_t i = 0; i < count; i++) {
        if (!rdb_stream_pending(reader, &out->list[i])) return false;
        if (i && !is_below(out->list[i - 1].id, out->list[i].id)) return false;
    }
    return true;
}

/* The pending entry of this id, which is nobody's yet; NULL: there is none. */
static const struct rdb_stream_pending *own(struct pending *p, struct rdb_id id)
{
    uint64_t low = 0, high = p->count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (is_below(p->list[middle].id, id))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == p->count || is_below(id, p->list[low].id) || p->owned[low]) return NULL;
    p->owned[low] = true;
    p->owned_count++;
    return &p->list[low];
}

/* A name of a group or consumer, which is there once. */
static enum command_verdict check_name(struct command_call *c, struct distinct *had, struct bytes name)
{
    if (name.len > KEYSPACE_STREAM_NAME_MAX) return PAYLOAD_TOO_LARGE;
    return distinct_add(had, command_restore_copy(c, name)) ? PAYLOAD_SOUND : PAYLOAD_DAMAGED;
}

static enum command_verdict restore_consumer(struct command_call *c, struct rdb_stream_reader *reader, struct distinct *had, struct pending *pending,
                                             const struct stream_group *g, struct keyspace_stream *into)
{
    struct rdb_stream_consumer from;
    if (!rdb_stream_consumer(reader, &from)) return PAYLOAD_DAMAGED;
    struct stream_consumer consumer = {.seen_ms = from.seen_ms < 0 ? 0 : from.seen_ms};
    enum command_verdict verdict = check_name(c, had, from.name);
    if (verdict != PAYLOAD_SOUND) return verdict;
    if (into) keyspace_consumer_create(into, g, command_restore_copy(c, from.name), &consumer);
    for (uint64_t i = 0; i < from.pending; i++) {
        struct rdb_id id;
        const struct rdb_stream_pending *p = rdb_stream_id(reader, &id) ? own(pending, id) : NULL;
        if (!p) return PAYLOAD_DAMAGED;
        struct stream_pending put = {id_of(id), consumer.number, p->delivered_ms < 0 ? 0 : p->delivered_ms, p->deliveries};
        if (into) keyspace_pending_put(into, g, &put);
    }
    return PAYLOAD_SOUND;
}

static enum command_verdict restore_group(struct command_call *c, struct rdb_stream_reader *reader, struct distinct *had, struct keyspace_stream *into)
{
    struct rdb_stream_group from;
    struct pending pending;
    struct distinct consumers;
    if (!rdb_stream_group(reader, &from)) return PAYLOAD_DAMAGED;
    struct stream_group g = {.last = id_of(from.last), .read = from.read > INT64_MAX ? STREAM_READ_UNKNOWN : (int64_t)from.read};
    enum command_verdict verdict = check_name(c, had, from.name);
    if (verdict == PAYLOAD_SOUND && into) keyspace_group_create(into, command_restore_copy(c, from.name), &g);
    if (verdict == PAYLOAD_SOUND && !read_pending(c, reader, from.pending, &pending)) verdict = PAYLOAD_DAMAGED;
    if (verdict != PAYLOAD_SOUND) return verdict;
    distinct_init(&consumers, c->arena, &c->engine->random);
    for (uint64_t left = rdb_stream_consumers(reader); left && verdict == PAYLOAD_SOUND; left--)
        verdict = restore_consumer(c, reader, &consumers, &pending, &g, into);
    return verdict == PAYLOAD_SOUND && pending.owned_count < pending.count ? PAYLOAD_DAMAGED : verdict;
}

/* ---- all of it ---- */

enum command_verdict command_restore_stream(struct command_call *c, struct rdb_reader *r, struct keyspace_stream *into)
{
    struct rdb_stream_reader reader;
    struct rdb_stream_head head;
    struct distinct groups;
    uint64_t entries;
    rdb_stream_open(&reader, r);
    enum command_verdict verdict = restore_entries(c, &reader, into, &entries);
    if (verdict != PAYLOAD_SOUND) return verdict;
    rdb_stream_head(&reader, &head);
    if (r->failed || head.length != entries || head.added < entries || is_below(head.last, head.max_deleted)) return PAYLOAD_DAMAGED;
    if (into) keyspace_stream_set_head(into, &(struct stream_head){id_of(head.last), id_of(head.max_deleted), head.added});
    distinct_init(&groups, c->arena, &c->engine->random);
    for (uint64_t left = head.groups; left && verdict == PAYLOAD_SOUND; left--) verdict = restore_group(c, &reader, &groups, into);
    return verdict == PAYLOAD_SOUND && !rdb_is_sound(r) ? PAYLOAD_DAMAGED : verdict;
}
