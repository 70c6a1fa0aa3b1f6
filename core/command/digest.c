#include "command/digest.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "command/engine.h"
#include "keyspace/hash.h"
#include "keyspace/list.h"
#include "keyspace/set.h"
#include "keyspace/stream.h"
#include "keyspace/zset.h"

#define KEYS_AT_A_TIME 100

/* ---- two ways of adding something ---- */

/* In any order. */
static void add(uint8_t io[COMMAND_DIGEST_LEN], struct bytes b)
{
    uint8_t hash[COMMAND_DIGEST_LEN];
    SHA1(b.data, b.len, hash);
    for (size_t i = 0; i < COMMAND_DIGEST_LEN; i++) io[i] ^= hash[i];
}

/* In this order. */
static void mix(uint8_t io[COMMAND_DIGEST_LEN], struct bytes b)
{
    uint8_t sum[COMMAND_DIGEST_LEN];
    add(io, b);
    memcpy(sum, io, sizeof sum);
    SHA1(sum, sizeof sum, io);
}

static void mix_number(uint8_t io[COMMAND_DIGEST_LEN], unsigned number)
{
    uint8_t big_endian[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    mix(io, bytes_of(big_endian, sizeof big_endian));
}

static void add_pair(uint8_t io[COMMAND_DIGEST_LEN], struct bytes a, struct bytes b)
{
    uint8_t pair[COMMAND_DIGEST_LEN] = {0};
    mix(pair, a);
    mix(pair, b);
    add(io, bytes_of(pair, sizeof pair));
}

/* ---- each type ---- */

static void digest_list(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, uint8_t *io)
{
    struct keyspace_list l;
    struct keyspace_list_walk walk = {0};
    struct bytes value;
    keyspace_list_open(c->keyspace, key, entry, &l);
    while (keyspace_list_next(&l, &walk, &value)) mix(io, value);
}

static void digest_set(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, uint8_t *io)
{
    struct keyspace_set s;
    struct keyspace_set_walk walk = {0};
    struct keyspace_member member;
    keyspace_set_open(&s, c->keyspace, key, entry);
    while (keyspace_set_next(&s, &walk, &member)) add(io, member.text);
}

static void digest_zset(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, uint8_t *io)
{
    struct keyspace_zset z;
    struct keyspace_zset_walk walk;
    struct keyspace_scored s;
    char score[64];
    keyspace_zset_open(c->keyspace, key, entry, &z);
    keyspace_zset_walk(&z, 0, false, &walk);
    while (keyspace_zset_next(&z, &walk, &s)) {
        snprintf(score, sizeof score, "%.17g", s.score);
        add_pair(io, s.member, bytes_text(score));
    }
}

static void digest_hash(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, uint8_t *io)
{
    struct keyspace_hash h;
    struct keyspace_hash_walk walk = {0};
    struct keyspace_field field;
    keyspace_hash_open(&h, c->keyspace, key, entry);
    while (keyspace_hash_next(&h, &walk, &field)) add_pair(io, field.name, field.value);
}

static void digest_stream(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, uint8_t *io)
{
    struct keyspace_stream s;
    struct keyspace_stream_walk walk;
    struct stream_entry e;
    struct bytes name, value;
    char id[64];
    keyspace_stream_open(c->keyspace, key, entry, &s);
    keyspace_stream_walk(&s, 0, false, &walk);
    while (keyspace_stream_next(&s, &walk, &e)) {
        snprintf(id, sizeof id, "%llu.%llu", (unsigned long long)e.id.ms, (unsigned long long)e.id.seq);
        mix(io, bytes_text(id));
        while (stream_entry_next(&e, &name, &value)) {
            mix(io, name);
            mix(io, value);
        }
    }
}

void command_digest_value(struct command_call *c, struct bytes key, uint8_t io[COMMAND_DIGEST_LEN])
{
    /* Redis's numbers of types. */
    static const unsigned numbers[KEYSPACE_TYPES] = {
        [KEYSPACE_STRING] = 0, [KEYSPACE_LIST] = 1, [KEYSPACE_SET] = 2, [KEYSPACE_ZSET] = 3, [KEYSPACE_HASH] = 4, [KEYSPACE_STREAM] = 6};
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (entry.type == KEYSPACE_NONE) return;
    mix_number(io, numbers[entry.type]);
    switch (entry.type) {
    case KEYSPACE_LIST: digest_list(c, key, &entry, io); break;
    case KEYSPACE_SET: digest_set(c, key, &entry, io); break;
    case KEYSPACE_ZSET: digest_zset(c, key, &entry, io); break;
    case KEYSPACE_HASH: digest_hash(c, key, &entry, io); break;
    case KEYSPACE_STREAM: digest_stream(c, key, &entry, io); break;
    default: mix(io, keyspace_string_whole(c->keyspace, &entry, c->arena));
    }
    if (entry.expires_ms != KEYSPACE_NO_EXPIRY) add(io, bytes_text("!!expire!!"));
}

/* ---- all data ---- */

/* Names, as length and bytes: a scan must not be in the way of looking keys up. */
static void note_key(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct buffer *names = user;
    (void)entry;
    buffer_append(names, &key.len, sizeof key.len);
    buffer_append(names, key.data, key.len);
}

static void digest_keys(struct command_call *c, const struct buffer *names, uint8_t *io)
{
    for (size_t at = 0, len; at < names->len; at += len) {
        memcpy(&len, names->data + at, sizeof len);
        at += sizeof len;
        struct bytes key = bytes_of(names->data + at, len);
        uint8_t one[COMMAND_DIGEST_LEN] = {0};
        mix(one, key);
        command_digest_value(c, key, one);
        add(io, bytes_of(one, sizeof one));
        arena_reset(c->arena);
    }
}

/* `c` has an arena of its own here. */
static void digest_database(struct command_call *c, struct buffer *names, uint8_t *io)
{
    uint64_t cursor = 0;
    do {
        buffer_clear(names);
        cursor = keyspace_scan(c->keyspace, cursor, KEYS_AT_A_TIME, note_key, names);
        digest_keys(c, names, io);
    } while (cursor && !names->failed);
}

bool command_digest_all(struct command_call *c, uint8_t out[COMMAND_DIGEST_LEN])
{
    struct command_engine *e = c->engine;
    struct arena values = {0};
    struct command_call one = *c;
    one.arena = &values;
    memset(out, 0, COMMAND_DIGEST_LEN);
    for (unsigned db = 0; db < e->databases && !e->scratch.failed; db++) {
        if (!keyspace_size(e->keyspace, db)) continue;
        mix_number(out, db);
        keyspace_begin(e->keyspace, db, c->now_ms);
        keyspace_only_look(e->keyspace, true);
        digest_database(&one, &e->scratch, out);
        command_gate(e, c->client, keyspace_end(e->keyspace));
    }
    arena_release(&values);
    return !e->scratch.failed;
}
