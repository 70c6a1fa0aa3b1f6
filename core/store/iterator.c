/* Rows in key order: LMDB's cursor merged with the dirty rows, which are sorted one prefix at a time as they are
 * reached. Clean rows are in LMDB too, so they do not matter. */
#include <assert.h>

#include "store/memory.h"
#include "store/store_state.h"

struct store_iterator {
    struct store *store;
    MDB_cursor *cursor;
    bool on_disk; /* the cursor's row is in `key` and `value`, still to be given */
    struct bytes key, value;

    struct row **group; /* dirty rows of one prefix, sorted; of a key the newest version only */
    size_t group_at, group_count, group_cap;
    unsigned next_prefix;

    size_t from_len, to_len; /* to_len 0: to the end */
    uint8_t from[STORE_KEY_MAX], to[STORE_KEY_MAX];
};

static bool before_end(const struct store_iterator *it, struct bytes key)
{
    return it->to_len == 0 || bytes_compare(key, bytes_of(it->to, it->to_len)) < 0;
}

static int get_at_cursor(struct store_iterator *it, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
    int rc = mdb_cursor_get(it->cursor, key, value, op);
    if (rc && rc != MDB_NOTFOUND) disk_die(&it->store->disk, rc, "mdb_cursor_get");
    return rc;
}

/* Where a range was dropped, over all of it at once. */
static void move_cursor(struct store_iterator *it, MDB_val key, MDB_cursor_op op)
{
    MDB_val value = {0};
    const struct drop *d;
    int rc = get_at_cursor(it, &key, &value, op);
    while (!rc && (d = store_dead_on_disk(it->store, bytes_of(key.mv_data, key.mv_size)))) {
        uint8_t bytes[ROW_GROUP_SIZE];
        uint64_t group = drop_end(d, row_group(bytes_of(key.mv_data, key.mv_size)));
        key = disk_val(row_group_begin(group, bytes));
        rc = group == ROW_GROUPS ? MDB_NOTFOUND : get_at_cursor(it, &key, &value, MDB_SET_RANGE);
    }
    it->key = bytes_of(key.mv_data, key.mv_size);
    it->on_disk = rc == 0 && before_end(it, it->key);
    if (it->on_disk) it->value = disk_value(&it->store->disk, key, value);
}

struct store_iterator *store_iterate(struct store *s, struct bytes from, struct bytes to)
{
    assert(from.len <= STORE_KEY_MAX && to.len <= STORE_KEY_MAX);
    struct store_iterator *it = memory_zeroed(1, sizeof *it);
    it->store = s;
    it->next_prefix = row_prefix(from);
    it->from_len = from.len;
    it->to_len = to.len;
    if (from.len) memcpy(it->from, from.data, from.len);
    if (to.len) memcpy(it->to, to.data, to.len);
    int rc = mdb_cursor_open(s->disk.snapshot, s->disk.rows, &it->cursor);
    if (rc) disk_die(&s->disk, rc, "mdb_cursor_open");
    move_cursor(it, disk_val(from), from.len ? MDB_SET_RANGE : MDB_FIRST);
    s->iterators++;
    return it;
}

void store_iterator_close(struct store_iterator *it)
{
    mdb_cursor_close(it->cursor);
    it->store->iterators--;
    free(it->group);
    free(it);
}

static void group_add(struct store_iterator *it, struct row *r)
{
    if (it->group_count == it->group_cap) {
        it->group_cap = it->group_cap ? 2 * it->group_cap : 64;
        it->group = memory_resize(it->group, it->group_cap * sizeof(struct row *));
    }
    it->group[it->group_count++] = r;
}

static bool is_wanted(const struct store_iterator *it, const struct row *r)
{
    return before_end(it, row_key(r)) && bytes_compare(row_key(r), bytes_of(it->from, it->from_len)) >= 0 && !store_is_dead(it->store, r);
}

/* If a version is dead, all older ones are. */
static void group_add_chain(struct store_iterator *it, const struct generation *g, unsigned prefix)
{
    for (struct row *r = generation_first(g, prefix); r; r = generation_next(g, r))
        if (is_wanted(it, r)) group_add(it, r);
}

/* The frozen generation, or NULL: none, or what it holds shows in LMDB already. */
static const struct generation *frozen_of(const struct store *s)
{
    return s->phase == PHASE_RUNNING ? s->frozen : NULL;
}

static unsigned next_prefix(const struct store *s, unsigned from)
{
    const struct generation *frozen = frozen_of(s);
    unsigned a = generation_next_prefix(s->active, from), b = frozen ? generation_next_prefix(frozen, from) : GENERATION_PREFIXES;
    return a < b ? a : b;
}

/* The next dirty row; NULL: no more in the range. */
static struct row *dirty_head(struct store_iterator *it)
{
    const struct generation *frozen = frozen_of(it->store);
    unsigned last = it->to_len ? row_prefix(bytes_of(it->to, it->to_len)) : GENERATION_PREFIXES - 1;
    while (it->group_at == it->group_count) {
        unsigned prefix = next_prefix(it->store, it->next_prefix);
        if (prefix > last) return NULL;
        it->group_at = it->group_count = 0;
        it->next_prefix = prefix + 1;
        group_add_chain(it, it->store->active, prefix);
        if (frozen) group_add_chain(it, frozen, prefix);
        row_sort(it->group, it->group_count);
        if (frozen) it->group_count = row_keep_newest(it->group, it->group_count);
    }
    return it->group[it->group_at];
}

bool store_iterator_next(struct store_iterator *it, struct bytes *key, struct store_value *value)
{
    for (;;) {
        struct row *r = dirty_head(it);
        int order = !r ? 1 : !it->on_disk ? -1 : bytes_compare(row_key(r), it->key);
        if (order > 0) {
            if (!it->on_disk) return false;
            *key = it->key;
            *value = (struct store_value){.data = it->value};
            move_cursor(it, (MDB_val){0}, MDB_NEXT);
            return true;
        }
        it->group_at++;
        if (order == 0) move_cursor(it, (MDB_val){0}, MDB_NEXT); /* an older version of the same row */
        if (r->deleted) continue;
        *key = row_key(r);
        *value = (struct store_value){.data = row_value(r), .position = store_row_position(it->store, r)};
        return true;
    }
}
