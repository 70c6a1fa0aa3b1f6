/* Payloads of RESTORE, with a checksum that fits: read to some end within their bounds; and what is sound comes back the same when it is written anew.
 *
 * Input: the type, and what stands between it and the end. */
#include <stdio.h>
#include <stdlib.h>

#include "rdb/rdb.h"
#include "rdb/stream.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool is_scored(enum rdb_type type)
{
    return type == RDB_ZSET || type == RDB_ZSET_LISTPACK;
}

static bool has_values(enum rdb_type type)
{
    return type == RDB_HASH || type == RDB_HASH_LISTPACK;
}

static void walk_groups(struct rdb_stream_reader *s, uint64_t count)
{
    struct rdb_stream_group g;
    struct rdb_stream_pending p;
    struct rdb_stream_consumer c;
    struct rdb_id id;
    while (count-- && rdb_stream_group(s, &g)) {
        while (g.pending && rdb_stream_pending(s, &p)) g.pending--;
        for (uint64_t n = rdb_stream_consumers(s); n && rdb_stream_consumer(s, &c); n--)
            while (c.pending && rdb_stream_id(s, &id)) c.pending--;
    }
}

/* A stream to some end: ids rise, fields are within the payload or the reader. */
static void walk_stream(struct rdb_reader *r)
{
    struct rdb_stream_reader s;
    struct rdb_stream_head head;
    struct rdb_element el;
    struct rdb_id id, before = {0, 0};
    uint64_t fields, bytes = 0;
    rdb_stream_open(&s, r);
    for (; rdb_stream_next(&s, &id, &fields); before = id) {
        must(id.ms != before.ms ? id.ms > before.ms : id.seq > before.seq, "ids rise");
        while (fields && rdb_stream_field(&s, &el)) {
            for (size_t i = 0; i < el.text.len; i++) bytes += el.text.data[i];
            for (size_t i = 0; i < el.value.len; i++) bytes += el.value.data[i];
            fields--;
        }
        must(!fields || r->failed, "an entry has the fields that it says");
    }
    rdb_stream_head(&s, &head);
    walk_groups(&s, r->failed ? 0 : head.groups);
    must(bytes != UINT64_MAX, "what was read is there");
}

/* Reads all, and writes it as the form that takes anything. Returns whether it was sound. */
static bool rewrite(struct bytes payload, struct buffer *out, uint64_t count)
{
    struct rdb_reader r;
    struct rdb_element el;
    bool sound = rdb_open(&r, payload);
    rdb_write_type(out, has_values(r.type) ? RDB_HASH : is_scored(r.type) ? RDB_ZSET : RDB_SET);
    rdb_write_len(out, count);
    for (count = 0; sound && rdb_next(&r, &el); count++) {
        rdb_write_string(out, el.text);
        if (has_values(r.type)) rdb_write_string(out, el.value);
        if (is_scored(r.type)) rdb_write_double(out, el.score);
    }
    sound = sound && rdb_is_sound(&r);
    rdb_close(&r);
    rdb_write_end(out);
    return sound;
}

static uint64_t count_of(struct bytes payload)
{
    struct rdb_reader r;
    struct rdb_element el;
    uint64_t count = 0;
    for (bool more = rdb_open(&r, payload); more && rdb_next(&r, &el);) count++;
    rdb_close(&r);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer payload, once, twice;
    if (!size) return 0;
    buffer_init(&payload, SIZE_MAX);
    buffer_init(&once, 64 << 20);
    buffer_init(&twice, 64 << 20);
    buffer_append(&payload, data, size);
    rdb_write_end(&payload);
    must(rdb_is_whole(buffer_bytes(&payload)), "what was ended is whole");
    if (data[0] == RDB_STREAM) {
        struct rdb_reader r;
        if (rdb_open(&r, buffer_bytes(&payload))) walk_stream(&r);
        rdb_close(&r);
        buffer_release(&payload);
        return 0;
    }
    uint64_t count = count_of(buffer_bytes(&payload));
    if (rewrite(buffer_bytes(&payload), &once, count) && !once.failed) {
        must(rewrite(buffer_bytes(&once), &twice, count), "what was written can be read");
        must(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)), "and is the same");
    }
    buffer_release(&payload);
    buffer_release(&once);
    buffer_release(&twice);
    return 0;
}
