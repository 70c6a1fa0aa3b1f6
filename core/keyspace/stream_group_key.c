#include "keyspace/stream_group_key.h"

/* ---- keys ---- */

static void add(struct group_key *k, const void *data, size_t len)
{
    if (len) memcpy(k->room + k->bytes.len, data, len);
    k->bytes.len += len;
}

void group_key_begin(struct group_key *k, uint64_t group, enum group_kind kind)
{
    uint8_t byte = (uint8_t)kind;
    k->bytes = bytes_of(k->room, 0);
    group_key_add_number(k, group);
    if (group) add(k, &byte, 1);
}

void group_key_add_number(struct group_key *k, uint64_t number)
{
    k->bytes.len = (size_t)(stream_number_write(k->room + k->bytes.len, number) - k->room);
}

void group_key_add_id(struct group_key *k, struct stream_id id)
{
    k->bytes.len += stream_key_write(k->room + k->bytes.len, 0, id).len;
}

void group_key_add_name(struct group_key *k, struct bytes name)
{
    assert(name.len <= KEYSPACE_STREAM_NAME_MAX);
    add(k, name.data, name.len);
}

bool group_key_take_kind(struct bytes *key, uint64_t *group, enum group_kind *kind)
{
    if (!stream_number_read(key, group) || !*group || !key->len || key->data[0] >= GROUP_KINDS) return false;
    *kind = (enum group_kind)key->data[0];
    *key = bytes_of(key->data + 1, key->len - 1);
    return true;
}

bool group_key_read_id(struct bytes key, struct stream_id *out)
{
    uint64_t group, consumer;
    enum group_kind kind;
    if (!group_key_take_kind(&key, &group, &kind)) return false;
    return (kind != GROUP_OWN || stream_number_read(&key, &consumer)) && stream_key_read(key, 0, out);
}

/* ---- values ---- */

bool group_read(struct bytes value, struct stream_group *out)
{
    struct reader r = reader_of(value);
    out->number = read_varint(&r);
    out->last.ms = read_varint(&r);
    out->last.seq = read_varint(&r);
    out->read = (int64_t)(read_varint(&r) - 1);
    return reader_done(&r) && out->number;
}

bool group_read_consumer(struct bytes value, struct stream_consumer *out)
{
    struct reader r = reader_of(value);
    out->number = read_varint(&r);
    out->seen_ms = (int64_t)read_varint(&r);
    return reader_done(&r) && out->number;
}

bool group_read_pending(struct bytes value, struct stream_pending *out)
{
    struct reader r = reader_of(value);
    out->consumer = read_varint(&r);
    out->delivered_ms = (int64_t)read_varint(&r);
    out->deliveries = read_varint(&r);
    return reader_done(&r) && out->consumer;
}

struct bytes group_write(uint8_t room[GROUP_VALUE_MAX], const struct stream_group *g)
{
    struct buffer b = {.data = room, .cap = GROUP_VALUE_MAX, .max = GROUP_VALUE_MAX};
    write_varint(&b, g->number);
    write_varint(&b, g->last.ms);
    write_varint(&b, g->last.seq);
    write_varint(&b, (uint64_t)g->read + 1);
    return buffer_bytes(&b);
}

struct bytes group_write_consumer(uint8_t room[GROUP_VALUE_MAX], const struct stream_consumer *consumer)
{
    struct buffer b = {.data = room, .cap = GROUP_VALUE_MAX, .max = GROUP_VALUE_MAX};
    write_varint(&b, consumer->number);
    write_varint(&b, (uint64_t)consumer->seen_ms);
    return buffer_bytes(&b);
}

struct bytes group_write_pending(uint8_t room[GROUP_VALUE_MAX], const struct stream_pending *p)
{
    struct buffer b = {.data = room, .cap = GROUP_VALUE_MAX, .max = GROUP_VALUE_MAX};
    write_varint(&b, p->consumer);
    write_varint(&b, (uint64_t)p->delivered_ms);
    write_varint(&b, p->deliveries);
    return buffer_bytes(&b);
}

/* ---- the tree ---- */

uint64_t group_rank(struct keyspace_stream *s, const struct group_key *k, bool *equal)
{
    if (equal) *equal = false;
    return s->has_groups ? counted_tree_rank(s->ks, &s->groups, k->bytes, equal) : 0;
}

bool group_find(struct keyspace_stream *s, const struct group_key *k, struct element *out)
{
    return s->has_groups && counted_tree_find(s->ks, &s->groups, k->bytes, out);
}

uint64_t group_rank_of(struct keyspace_stream *s, uint64_t group, enum group_kind kind)
{
    struct group_key k;
    group_key_begin(&k, group, kind);
    return group_rank(s, &k, NULL);
}

uint64_t group_rank_of_own(struct keyspace_stream *s, uint64_t group, uint64_t consumer)
{
    struct group_key k;
    group_key_begin(&k, group, GROUP_OWN);
    group_key_add_number(&k, consumer);
    return group_rank(s, &k, NULL);
}

struct element group_at(struct keyspace_stream *s, uint64_t position)
{
    struct counted_tree_walk w = {.position = position};
    struct element el;
    group_must(counted_tree_next(s->ks, &s->groups, &w, &el));
    return el;
}

bool group_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct element *out)
{
    return w->tree.position < w->end && counted_tree_next(s->ks, &s->groups, &w->tree, out);
}

void group_put(struct keyspace_stream *s, const struct group_key *k, struct bytes value)
{
    counted_tree_put(s->ks, &s->groups, &(struct element){.key = k->bytes, .value = value});
    s->groups_changed = true;
}

void group_remove(struct keyspace_stream *s, const struct group_key *k)
{
    group_must(counted_tree_take(s->ks, &s->groups, k->bytes));
    s->groups_changed = true;
}

void group_remove_range(struct keyspace_stream *s, uint64_t from, uint64_t end)
{
    counted_tree_remove(s->ks, &s->groups, from, end - from, NULL);
    s->groups_changed = true;
}
