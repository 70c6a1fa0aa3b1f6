/* The sweeper: expired keys, a few at a time, from where it stopped. */
#include <assert.h>

#include "keyspace/keyspace_state.h"

/* Whether a pass could find anything; if not, it costs nothing. */
static bool has_work(const struct keyspace *ks)
{
    uint64_t candidates = 0;
    for (unsigned n = 0; n < ks->databases.count; n++) candidates += ks->databases.list[n].expiring;
    return candidates != 0;
}

static bool is_due(struct bytes name, struct bytes value, int64_t now_ms)
{
    struct rowkey_parts at;
    struct entry en;
    return rowkey_parse(name, &at) && entry_read(value, &en) && entry_is_expired(&en, now_ms);
}

static void go_on_after(struct keyspace *ks, struct bytes name)
{
    memcpy(ks->sweep_from, name.data, name.len);
    ks->sweep_from[name.len] = 0; /* the least name after it */
    ks->sweep_len = name.len + 1;
}

/* Collects the names of due rows: nothing may be written while the iterator is open. */
static void collect(struct keyspace *ks, size_t rows, int64_t now_ms, struct buffer *names)
{
    struct bytes name;
    struct store_value value;
    struct store_iterator *it = store_iterate(ks->store, bytes_of(ks->sweep_from, ks->sweep_len), keyspace_rows_end());
    bool more = false;
    while (rows-- && (more = store_iterator_next(it, &name, &value))) {
        if (is_due(name, value.data, now_ms)) {
            if (!buffer_reserve(names, 4 + name.len)) break; /* no memory: the next call begins here */
            write_bytes(names, name);
        }
        go_on_after(ks, name);
    }
    if (!more) ks->sweep_len = 0;
    store_iterator_close(it);
}

static void delete_row(struct keyspace *ks, struct bytes name)
{
    struct rowkey_parts at;
    if (!rowkey_parse(name, &at)) return;
    struct store_value value;
    struct entry en;
    bool readable = store_get(ks->store, name, &value) && entry_read(value.data, &en);
    assert(readable); /* it was due a moment ago */
    (void)readable;
    struct object object = keyspace_object(&en, at.database_id);
    if (object.id) objects_hand_over(&ks->objects, ks->store, &object);
    store_delete(ks->store, name);
    databases_count(databases_find(&ks->databases, at.database_id), at.slot, -1, -1);
    ks->expired_total++;
}

size_t keyspace_sweep(struct keyspace *ks, size_t rows, int64_t now_ms)
{
    if (!rows || !has_work(ks) || !store_writable(ks->store, NULL)) return 0;
    struct buffer names;
    size_t deleted = 0;
    buffer_init(&names, rows > SIZE_MAX / (ROWKEY_MAX + 4) ? SIZE_MAX : rows * (ROWKEY_MAX + 4));
    collect(ks, rows, now_ms, &names);
    struct reader r = reader_of(buffer_bytes(&names));
    store_begin(ks->store);
    for (; reader_left(&r); deleted++) delete_row(ks, read_bytes(&r, ROWKEY_MAX));
    struct store_position p = store_commit(ks->store);
    if (p.sequence) ks->written = p;
    buffer_release(&names);
    return deleted;
}
