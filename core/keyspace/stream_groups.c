/* Groups and their consumers (stream_groups.h). */
#include "keyspace/stream_group_key.h"

/* Finds the element of a name, of group 0 or of a consumer. False: none; a name that is too long is not there. */
static bool find(struct keyspace_stream *s, uint64_t group, struct bytes name, struct element *out)
{
    struct group_key k;
    if (name.len > KEYSPACE_STREAM_NAME_MAX) return false;
    group_key_begin(&k, group, GROUP_CONSUMER);
    group_key_add_name(&k, name);
    return group_find(s, &k, out);
}

static void put(struct keyspace_stream *s, uint64_t group, struct bytes name, struct bytes value)
{
    struct group_key k;
    group_key_begin(&k, group, GROUP_CONSUMER);
    group_key_add_name(&k, name);
    group_put(s, &k, value);
}

static void remove_name(struct keyspace_stream *s, uint64_t group, struct bytes name)
{
    struct group_key k;
    group_key_begin(&k, group, GROUP_CONSUMER);
    group_key_add_name(&k, name);
    group_remove(s, &k);
}

/* ---- groups ---- */

bool keyspace_group_find(struct keyspace_stream *s, struct bytes name, struct stream_group *out)
{
    struct element el;
    if (!find(s, 0, name, &el)) return false;
    group_must(group_read(el.value, out));
    return true;
}

uint64_t keyspace_group_count(struct keyspace_stream *s)
{
    return group_rank_of(s, 1, GROUP_MARK);
}

/* Above all that are in use. */
static uint64_t new_group_number(struct keyspace_stream *s)
{
    uint64_t last = 0;
    if (!s->groups.root.count) return 1;
    struct bytes key = group_at(s, s->groups.root.count - 1).key;
    group_must(stream_number_read(&key, &last));
    return last + 1;
}

void keyspace_group_create(struct keyspace_stream *s, struct bytes name, struct stream_group *g)
{
    struct group_key k;
    keyspace_stream_need_groups(s);
    g->number = new_group_number(s);
    group_key_begin(&k, g->number, GROUP_MARK);
    group_put(s, &k, bytes_of(NULL, 0));
    keyspace_group_put(s, name, g);
}

void keyspace_group_put(struct keyspace_stream *s, struct bytes name, const struct stream_group *g)
{
    uint8_t room[GROUP_VALUE_MAX];
    put(s, 0, name, group_write(room, g));
}

void keyspace_group_destroy(struct keyspace_stream *s, struct bytes name, const struct stream_group *g)
{
    uint64_t from = group_rank_of(s, g->number, GROUP_MARK);
    group_remove_range(s, from, group_rank_of(s, g->number + 1, GROUP_MARK));
    remove_name(s, 0, name);
}

/* ---- consumers ---- */

bool keyspace_consumer_find(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, struct stream_consumer *out)
{
    struct element el;
    if (!find(s, g->number, name, &el)) return false;
    group_must(group_read_consumer(el.value, out));
    return true;
}

uint64_t keyspace_consumer_count(struct keyspace_stream *s, const struct stream_group *g)
{
    return group_rank_of(s, g->number, GROUP_OWN) - group_rank_of(s, g->number, GROUP_CONSUMER);
}

static uint64_t new_consumer_number(struct keyspace_stream *s, const struct stream_group *g)
{
    uint64_t end = group_rank_of(s, g->number, GROUP_PENDING), group, last = 0;
    enum group_kind kind;
    if (end == group_rank_of(s, g->number, GROUP_OWN)) return 1;
    struct bytes key = group_at(s, end - 1).key;
    group_must(group_key_take_kind(&key, &group, &kind) && stream_number_read(&key, &last));
    return last + 1;
}

void keyspace_consumer_create(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, struct stream_consumer *consumer)
{
    struct group_key k;
    consumer->number = new_consumer_number(s, g);
    group_key_begin(&k, g->number, GROUP_OWN);
    group_key_add_number(&k, consumer->number);
    group_put(s, &k, name);
    keyspace_consumer_put(s, g, name, consumer);
}

void keyspace_consumer_put(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, const struct stream_consumer *consumer)
{
    uint8_t room[GROUP_VALUE_MAX];
    put(s, g->number, name, group_write_consumer(room, consumer));
}

void keyspace_consumer_delete(struct keyspace_stream *s, const struct stream_group *g, struct bytes name, const struct stream_consumer *consumer)
{
    uint64_t from = group_rank_of_own(s, g->number, consumer->number), pending = keyspace_pending_count_of(s, g, consumer->number);
    struct group_key k;
    for (uint64_t i = 1; i <= pending; i++) { /* rows of its own stay where they are: what is removed lies behind them */
        struct stream_id id;
        group_must(group_key_read_id(group_at(s, from + i).key, &id));
        group_key_begin(&k, g->number, GROUP_PENDING);
        group_key_add_id(&k, id);
        group_remove(s, &k);
    }
    group_remove_range(s, from, from + 1 + pending);
    remove_name(s, g->number, name);
}

struct bytes keyspace_consumer_name(struct keyspace_stream *s, const struct stream_group *g, uint64_t number)
{
    struct group_key k;
    struct element el;
    group_key_begin(&k, g->number, GROUP_OWN);
    group_key_add_number(&k, number);
    group_must(group_find(s, &k, &el));
    return el.value;
}

/* ---- one after the other ---- */

void keyspace_group_walk(struct keyspace_stream *s, struct keyspace_group_walk *w)
{
    *w = (struct keyspace_group_walk){.end = keyspace_group_count(s)};
}

bool keyspace_group_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct bytes *name, struct stream_group *out)
{
    struct element el;
    uint64_t none;
    if (!group_next(s, w, &el)) return false;
    *name = el.key;
    group_must(stream_number_read(name, &none) && group_read(el.value, out));
    return true;
}

void keyspace_consumer_walk(struct keyspace_stream *s, const struct stream_group *g, struct keyspace_group_walk *w)
{
    *w = (struct keyspace_group_walk){.tree = {.position = group_rank_of(s, g->number, GROUP_CONSUMER)}, .end = group_rank_of(s, g->number, GROUP_OWN)};
}

bool keyspace_consumer_next(struct keyspace_stream *s, struct keyspace_group_walk *w, struct bytes *name, struct stream_consumer *out)
{
    struct element el;
    uint64_t group;
    enum group_kind kind;
    if (!group_next(s, w, &el)) return false;
    *name = el.key;
    group_must(group_key_take_kind(name, &group, &kind) && group_read_consumer(el.value, out));
    return true;
}
