/* DUMP of streams. */
#include "command/dump.h"
#include "command/engine.h"
#include "keyspace/stream_groups.h"
#include "rdb/stream.h"

#define PART 100 /* entries of a listpack: as Redis's stream-node-max-entries */

static struct rdb_id id_of(struct stream_id id)
{
    return (struct rdb_id){id.ms, id.seq};
}

static void write_time(struct buffer *out, int64_t ms)
{
    write_u64(out, (uint64_t)ms);
}

/* ---- entries ---- */

/* Its fields; with the listpack's names, values alone. */
static void add_entry(struct listpack_writer *w, const struct stream_entry *first, struct stream_entry entry)
{
    struct bytes name, value;
    bool same = bytes_equal(entry.names, first->names);
    int64_t fields = (int64_t)stream_entry_count(&entry);
    listpack_add_integer(w, same ? RDB_STREAM_SAME_NAMES : 0);
    listpack_add_integer(w, (int64_t)(entry.id.ms - first->id.ms));
    listpack_add_integer(w, (int64_t)(entry.id.seq - first->id.seq));
    if (!same) listpack_add_integer(w, fields);
    while (stream_entry_next(&entry, &name, &value)) {
        if (!same) listpack_add(w, name);
        listpack_add(w, value);
    }
    listpack_add_integer(w, same ? fields + 3 : 2 * fields + 4);
}

/* `count` entries, the next of the walk. */
static void write_part(struct command_call *c, struct keyspace_stream *s, struct keyspace_stream_walk *w, uint64_t count, struct buffer *out)
{
    struct stream_entry first, entry;
    struct listpack_writer part;
    struct bytes name, names;
    buffer_clear(&c->engine->scratch);
    listpack_begin(&part, &c->engine->scratch);
    keyspace_stream_next(s, w, &first);
    listpack_add_integer(&part, (int64_t)count);
    listpack_add_integer(&part, 0); /* none is deleted */
    listpack_add_integer(&part, (int64_t)stream_entry_count(&first));
    for (names = first.names; stream_name_next(&names, &name);) listpack_add(&part, name);
    listpack_add_integer(&part, 0);
    add_entry(&part, &first, first);
    while (--count && keyspace_stream_next(s, w, &entry)) add_entry(&part, &first, entry);
    listpack_end(&part);
    rdb_write_len(out, 16);
    rdb_write_id_bytes(out, id_of(first.id));
    rdb_write_raw(out, buffer_bytes(part.out));
    out->failed |= part.out->failed;
}

static void write_entries(struct command_call *c, struct keyspace_stream *s, struct buffer *out)
{
    struct keyspace_stream_walk w;
    keyspace_stream_walk(s, 0, false, &w);
    rdb_write_len(out, (s->count + PART - 1) / PART);
    for (uint64_t left = s->count; left && !out->failed;) {
        uint64_t count = left < PART ? left : PART;
        write_part(c, s, &w, count, out);
        left -= count;
    }
}

static void write_head(struct keyspace_stream *s, struct buffer *out)
{
    struct keyspace_stream_walk w;
    struct stream_entry first = {0};
    keyspace_stream_walk(s, 0, false, &w);
    if (s->count) keyspace_stream_next(s, &w, &first);
    rdb_write_len(out, s->count);
    rdb_write_id(out, id_of(s->head.last));
    rdb_write_id(out, id_of(first.id));
    rdb_write_id(out, id_of(s->head.max_deleted));
    rdb_write_len(out, s->head.added);
}

/* ---- groups ---- */

static void write_consumers(struct keyspace_stream *s, const struct stream_group *g, struct buffer *out)
{
    struct keyspace_group_walk consumers, walk;
    struct stream_consumer consumer;
    struct stream_pending p;
    struct bytes name;
    rdb_write_len(out, keyspace_consumer_count(s, g));
    keyspace_consumer_walk(s, g, &consumers);
    while (keyspace_consumer_next(s, &consumers, &name, &consumer)) {
        rdb_write_string(out, name);
        write_time(out, consumer.seen_ms);
        rdb_write_len(out, keyspace_pending_count_of(s, g, consumer.number));
        keyspace_pending_walk(s, g, &consumer.number, (struct stream_id){0, 0}, &walk);
        while (!out->failed && keyspace_pending_next(s, &walk, &p)) rdb_write_id_bytes(out, id_of(p.id));
    }
}

static void write_groups(struct keyspace_stream *s, struct buffer *out)
{
    struct keyspace_group_walk groups, walk;
    struct stream_group g;
    struct stream_pending p;
    struct bytes name;
    uint64_t count = keyspace_group_count(s);
    rdb_write_len(out, count);
    if (!count) return;
    keyspace_group_walk(s, &groups);
    while (!out->failed && keyspace_group_next(s, &groups, &name, &g)) {
        rdb_write_string(out, name);
        rdb_write_id(out, id_of(g.last));
        rdb_write_len(out, (uint64_t)g.read);
        rdb_write_len(out, keyspace_pending_count(s, &g));
        keyspace_pending_walk(s, &g, NULL, (struct stream_id){0, 0}, &walk);
        while (!out->failed && keyspace_pending_next(s, &walk, &p)) {
            rdb_write_id_bytes(out, id_of(p.id));
            write_time(out, p.delivered_ms);
            rdb_write_len(out, p.deliveries);
        }
        write_consumers(s, &g, out);
    }
}

void command_dump_stream(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    struct keyspace_stream s;
    keyspace_stream_open(c->keyspace, c->argv[1], entry, &s);
    rdb_write_type(out, RDB_STREAM);
    write_entries(c, &s, out);
    write_head(&s, out);
    write_groups(&s, out);
}
