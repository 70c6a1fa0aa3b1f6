/* Payloads of RESTORE, with a checksum that fits: read to some end within their bounds; and what is sound comes back the same when it is written anew.
 *
 * Input: the type, and what stands between it and the end. */
#include <stdio.h>
#include <stdlib.h>

#include "rdb/rdb.h"

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
