/* DUMP: a key's value as Redis 7.0 writes it, for RESTORE here or there. */
#include <stdio.h>

#include "command/dump.h"
#include "command/engine.h"
#include "command/hash.h"
#include "command/list.h"
#include "command/need.h"
#include "command/zset.h"
#include "keyspace/set.h"
#include "rdb/rdb.h"

#define PART_MAX      8192 /* bytes of a part of a list, but for a value that is larger: as Redis's list-max-listpack-size -2 */
#define PART_OVERHEAD 8    /* of an element of it, about */

static void dump_string(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    rdb_write_type(out, RDB_STRING);
    rdb_write_string(out, keyspace_string_whole(c->keyspace, entry, c->arena));
}

/* ---- lists: in parts, which are counted first ---- */

/* Whether a value begins a part. `*filled`: how much is in the one at hand; 0: there is none yet. */
static bool begins_part(size_t *filled, size_t len)
{
    bool begins = !*filled || *filled + len + PART_OVERHEAD > PART_MAX;
    *filled = (begins ? 0 : *filled) + len + PART_OVERHEAD;
    return begins;
}

static uint64_t count_parts(struct keyspace_list *l)
{
    struct keyspace_list_walk w = {0};
    struct bytes value;
    size_t filled = 0;
    uint64_t parts = 0;
    while (keyspace_list_next(l, &w, &value)) parts += begins_part(&filled, value.len);
    return parts;
}

static void write_part(struct listpack_writer *part, struct buffer *out)
{
    if (!part->count) return;
    listpack_end(part);
    rdb_write_len(out, RDB_LIST_PACKED);
    rdb_write_raw(out, buffer_bytes(part->out));
    out->failed |= part->out->failed;
}

static void dump_list(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    struct keyspace_list l;
    struct keyspace_list_walk w = {0};
    struct listpack_writer part = {0};
    struct bytes value;
    size_t filled = 0;
    keyspace_list_open(c->keyspace, c->argv[1], entry, &l);
    rdb_write_type(out, RDB_LIST);
    rdb_write_len(out, count_parts(&l));
    while (!out->failed && keyspace_list_next(&l, &w, &value)) {
        if (begins_part(&filled, value.len)) {
            write_part(&part, out);
            buffer_clear(&c->engine->scratch);
            listpack_begin(&part, &c->engine->scratch);
        }
        listpack_add(&part, value);
    }
    write_part(&part, out);
}

/* ---- sets ---- */

static void dump_integers(struct keyspace_set *s, struct buffer *out)
{
    int64_t integers[KEYSPACE_SMALL_SET_INTEGERS];
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    size_t n = 0;
    while (keyspace_set_next(s, &w, &member)) number_parse_integer(member.text, &integers[n++]); /* they come in order */
    rdb_write_type(out, RDB_SET_INTEGERS);
    rdb_write_integers(out, integers, n);
}

static void dump_set(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    struct keyspace_set s;
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    keyspace_set_open(&s, c->keyspace, c->argv[1], entry);
    if (keyspace_set_is_integers(entry)) {
        dump_integers(&s, out);
        return;
    }
    rdb_write_type(out, RDB_SET);
    rdb_write_len(out, keyspace_set_count(&s));
    while (!out->failed && keyspace_set_next(&s, &w, &member)) rdb_write_string(out, member.text);
}

/* ---- sorted sets ---- */

static void add_score(struct listpack_writer *w, double score)
{
    char text[NUMBER_DOUBLE_MAX];
    listpack_add(w, bytes_of(text, number_format_double(text, score)));
}

static void dump_zset(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    bool large = keyspace_zset_is_large(entry);
    struct keyspace_zset z;
    struct keyspace_zset_walk w;
    struct keyspace_scored s;
    struct listpack_writer small;
    keyspace_zset_open(c->keyspace, c->argv[1], entry, &z);
    keyspace_zset_walk(&z, large ? keyspace_zset_count(&z) - 1 : 0, large, &w); /* as Redis, a large one backwards */
    rdb_write_type(out, large ? RDB_ZSET : RDB_ZSET_LISTPACK);
    if (large)
        rdb_write_len(out, keyspace_zset_count(&z));
    else
        listpack_begin(&small, &c->engine->scratch);
    while (!out->failed && keyspace_zset_next(&z, &w, &s)) {
        if (large) {
            rdb_write_string(out, s.member);
            rdb_write_double(out, s.score);
        } else {
            listpack_add(&small, s.member);
            add_score(&small, s.score);
        }
    }
    if (large) return;
    listpack_end(&small);
    rdb_write_raw(out, buffer_bytes(small.out));
}

/* ---- hashes ---- */

/* False: a field has an expiry, which the format cannot tell. */
static bool dump_hash(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    bool large = keyspace_hash_is_large(entry), plain = true;
    struct keyspace_hash h;
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    struct listpack_writer small;
    keyspace_hash_open(&h, c->keyspace, c->argv[1], entry);
    rdb_write_type(out, large ? RDB_HASH : RDB_HASH_LISTPACK);
    if (large)
        rdb_write_len(out, keyspace_hash_len(&h));
    else
        listpack_begin(&small, &c->engine->scratch);
    while (plain && !out->failed && keyspace_hash_next(&h, &w, &field)) {
        plain = field.expires_ms == KEYSPACE_NO_EXPIRY;
        if (large) {
            rdb_write_string(out, field.name);
            rdb_write_string(out, field.value);
        } else {
            listpack_add(&small, field.name);
            listpack_add(&small, field.value);
        }
    }
    if (large) return plain;
    listpack_end(&small);
    rdb_write_raw(out, buffer_bytes(small.out));
    return plain;
}

/* ---- the command ---- */

/* False: the error was replied. */
static bool dump_value(struct command_call *c, const struct keyspace_entry *entry, struct buffer *out)
{
    switch (entry->type) {
    case KEYSPACE_STRING: dump_string(c, entry, out); return true;
    case KEYSPACE_LIST: dump_list(c, entry, out); return true;
    case KEYSPACE_SET: dump_set(c, entry, out); return true;
    case KEYSPACE_ZSET: dump_zset(c, entry, out); return true;
    case KEYSPACE_HASH:
        if (dump_hash(c, entry, out)) return true;
        resp_error(c->reply, ERROR_GENERIC, "a hash whose fields have an expiry cannot be dumped: version %d of the format has none", RDB_VERSION);
        return false;
    default: command_dump_stream(c, entry, out); return true;
    }
}

static void command_dump_dump(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    struct buffer out;
    if (entry.type == KEYSPACE_NONE) {
        resp_null(c->reply);
        return;
    }
    buffer_init(&out, COMMAND_STRING_MAX);
    bool dumped = dump_value(c, &entry, &out);
    rdb_write_end(&out);
    if (dumped && out.failed)
        resp_error(c->reply, ERROR_LIMIT, "the dump of this key takes more than %zu MiB, which no request can hold", COMMAND_STRING_MAX >> 20);
    else if (dumped)
        resp_bulk(c->reply, buffer_bytes(&out));
    buffer_release(&out);
}

const struct command_row command_dump_rows[] = {
    {"DUMP", 2, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_KEYSPACE, command_dump_dump,
     "The value of a key in Redis's form, for RESTORE.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "2.6.0",
     .complexity = "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
     .tips = "nondeterministic_output"},
    {0},
};
