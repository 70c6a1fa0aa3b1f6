#include "keyspace/string.h"

#include <assert.h>

#include "base/codec.h"
#include "keyspace/chunks.h"
#include "keyspace/keyspace_state.h"

/* ---- reading ---- */

static struct chunks chunks_in(const struct keyspace *ks, struct bytes payload)
{
    struct chunks c;
    bool whole = chunks_parse(payload, ks->databases.list[ks->current].id, &c);
    assert(whole); /* entry_read has looked */
    (void)whole;
    return c;
}

static size_t len_of(unsigned form, struct bytes payload)
{
    struct chunks c;
    if (form != ENTRY_CHUNKS) return payload.len;
    chunks_parse(payload, 0, &c);
    return c.len;
}

size_t keyspace_string_len(const struct keyspace_entry *e)
{
    return len_of(e->form, e->payload);
}

void keyspace_string_read(struct keyspace *ks, const struct keyspace_entry *e, size_t at, size_t len, uint8_t *out)
{
    if (e->form == ENTRY_CHUNKS) {
        struct chunks c = chunks_in(ks, e->payload);
        assert(at <= c.len && len <= c.len - at);
        chunks_read(ks, &c, at, len, out);
        return;
    }
    assert(at <= e->payload.len && len <= e->payload.len - at);
    if (len) memcpy(out, e->payload.data + at, len);
}

struct bytes keyspace_string_piece(struct keyspace *ks, const struct keyspace_entry *e, size_t at)
{
    if (e->form == ENTRY_CHUNKS) {
        struct chunks c = chunks_in(ks, e->payload);
        assert(at < c.len);
        return chunks_piece(ks, &c, at);
    }
    assert(at < e->payload.len);
    return bytes_of(e->payload.data + at, e->payload.len - at);
}

struct bytes keyspace_string_whole(struct keyspace *ks, const struct keyspace_entry *e, struct arena *arena)
{
    if (e->form != ENTRY_CHUNKS) return e->payload;
    size_t len = keyspace_string_len(e);
    uint8_t *out = arena_alloc(arena, len);
    keyspace_string_read(ks, e, 0, len, out);
    return bytes_of(out, len);
}

/* ---- writing ---- */

static void put_whole(struct keyspace *ks, struct bytes key, struct bytes value, int64_t expires_ms)
{
    struct entry en = {.type = KEYSPACE_STRING, .form = ENTRY_WHOLE, .expires_ms = expires_ms, .payload = value};
    keyspace_put_entry(ks, key, &en);
}

static void put_chunks(struct keyspace *ks, struct bytes key, const struct chunks *c, int64_t expires_ms)
{
    uint8_t payload[CHUNKS_PAYLOAD];
    struct entry en = {.type = KEYSPACE_STRING, .form = ENTRY_CHUNKS, .expires_ms = expires_ms, .payload = chunks_payload(payload, c)};
    keyspace_put_entry(ks, key, &en);
}

void keyspace_string_put(struct keyspace *ks, struct bytes key, struct bytes value, int64_t expires_ms)
{
    if (value.len <= CHUNKS_WHOLE_MAX) {
        put_whole(ks, key, value, expires_ms);
        return;
    }
    keyspace_go_to(ks, key);
    /* Rows that are there already are written over if that leaves none behind: nothing need be deleted later. */
    const struct object *there = ks->place.object_count == 1 ? &ks->place.objects[0] : NULL;
    struct chunks c = chunks_of(there ? *there : keyspace_new_object(ks), value.len);
    if (there && c.object.nodes < there->nodes) c = chunks_of(keyspace_new_object(ks), value.len);
    chunks_put(ks, &c, value);
    put_chunks(ks, key, &c, expires_ms);
}

void keyspace_string_make(struct keyspace *ks, struct bytes key, size_t len, keyspace_string_fill *fill, void *user, int64_t expires_ms)
{
    if (len <= CHUNKS_WHOLE_MAX) {
        uint8_t value[CHUNKS_WHOLE_MAX];
        if (len) fill(user, 0, value, len);
        put_whole(ks, key, bytes_of(value, len), expires_ms);
        return;
    }
    keyspace_go_to(ks, key);
    struct chunks c = chunks_of(keyspace_new_object(ks), len); /* a new one: what is there is still read */
    chunks_make(ks, &c, fill, user);
    put_chunks(ks, key, &c, expires_ms);
}

/* Into the key's row, where all of it has room. */
static void write_whole(struct keyspace *ks, struct bytes key, bool there, const struct entry *en, size_t offset, struct bytes with)
{
    size_t len = en->payload.len;
    if (there && offset <= len) {
        size_t over = len - offset < with.len ? len - offset : with.len;
        keyspace_splice_payload(ks, en, offset, over, with, 0);
        return;
    }
    uint8_t value[CHUNKS_WHOLE_MAX];
    if (len) memcpy(value, en->payload.data, len);
    memset(value + len, 0, offset - len);
    if (with.len) memcpy(value + offset, with.data, with.len);
    put_whole(ks, key, bytes_of(value, offset + with.len), en->expires_ms);
}

/* The string outgrows its row. */
static void convert(struct keyspace *ks, struct bytes key, const struct entry *en, size_t offset, struct bytes with)
{
    struct chunks c = chunks_of(keyspace_new_object(ks), offset + with.len);
    chunks_put(ks, &c, en->payload);
    chunks_write(ks, &c, offset, with);
    put_chunks(ks, key, &c, en->expires_ms);
}

static void write_chunks(struct keyspace *ks, const struct entry *en, size_t offset, struct bytes with)
{
    struct chunks c = chunks_in(ks, en->payload);
    size_t end = offset + with.len;
    bool grows = end > c.len;
    uint64_t growth = grows ? end - c.len : 0;
    if (grows) c = chunks_of(c.object, end);
    chunks_write(ks, &c, offset, with);
    if (grows) {
        uint8_t payload[CHUNKS_PAYLOAD];
        struct bytes len = bytes_of(chunks_payload(payload, &c).data + CHUNKS_LENGTH_AT, 8);
        keyspace_splice_payload(ks, en, CHUNKS_LENGTH_AT, len.len, len, (int64_t)growth);
        ks->place.objects[0] = c.object;
    } else {
        keyspace_tell_changed(ks);
    }
}

size_t keyspace_string_write(struct keyspace *ks, struct bytes key, size_t offset, struct bytes with)
{
    struct entry en;
    bool there = keyspace_find_entry(ks, key, &en);
    size_t old = len_of(en.form, en.payload), end = offset + with.len, len = old > end ? old : end;
    if (there && !with.len) {
        keyspace_tell_changed(ks); /* as Redis: APPEND of nothing counts as a change */
        return old;
    }
    if (en.form == ENTRY_CHUNKS)
        write_chunks(ks, &en, offset, with);
    else if (len > CHUNKS_WHOLE_MAX)
        convert(ks, key, &en, offset, with);
    else
        write_whole(ks, key, there, &en, offset, with);
    return len;
}
