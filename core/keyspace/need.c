/* Levels, keys' rows, and what is the same for all types (need.h). */
#include "keyspace/need.h"

#include "keyspace/need_row.h"

bool keyspace_reads_wait(const struct keyspace *ks)
{
    return store_reads_wait(ks->store);
}

void keyspace_ahead_begin(struct keyspace_ahead *a, struct keyspace *ks, struct arena *arena, const struct keyspace_ahead_at *at, uint64_t items, size_t rows)
{
    *a = (struct keyspace_ahead){.ks = ks, .arena = arena, .at = *at, .rows = rows, .told = at->from.told, .last = at->from};
    a->end = items < UINT64_MAX - at->first ? at->first + items : UINT64_MAX;
}

bool keyspace_ahead_next(const struct keyspace_ahead *a, struct keyspace_ahead_at *at)
{
    if (a->full)
        *at = (struct keyspace_ahead_at){a->at.first, a->at.level, a->seen, a->at.from};
    else if (a->deeper)
        *at = (struct keyspace_ahead_at){a->at.first, a->at.level + 1, 0, a->at.from};
    else
        *at = (struct keyspace_ahead_at){.first = a->end, .from = a->last};
    return a->full || a->deeper || a->more;
}

bool keyspace_ahead_warm(const struct keyspace_ahead *a, uint64_t token)
{
    return store_warm(a->ks->store, a->names, a->count, token);
}

static void add_name(struct keyspace_ahead *a, struct bytes name)
{
    if (!a->names) a->names = arena_alloc(a->arena, a->rows * sizeof *a->names);
    a->names[a->count++] = bytes_of(arena_copy(a->arena, name.data, name.len), name.len);
    a->full = a->count == a->rows;
}

/* Counts a key or a need. Whether it is looked at. */
static bool is_looked_at(struct keyspace_ahead *a)
{
    uint64_t number = a->told++;
    a->more |= number >= a->end;
    return number >= a->at.first && number < a->end && !a->full;
}

uint64_t keyspace_ahead_pass(struct keyspace_ahead *a, uint64_t count)
{
    uint64_t before = a->at.first > a->told ? a->at.first - a->told : 0, passed = before < count ? before : count;
    a->told += passed;
    a->passed = passed;
    return passed;
}

/* ---- keys ---- */

static void name_row(const struct keyspace *ks, unsigned database, struct bytes key, struct rowkey *out)
{
    rowkey_make(out, &ks->seed, keyspace_slot(key), ks->databases.list[database].id, key);
}

/* Returns how many roots it has; 0: none, or there is no such row. */
static unsigned read_entry(struct keyspace *ks, struct bytes name, struct entry *out, struct object_root roots[ENTRY_ROOTS_MAX])
{
    struct store_value value;
    *out = (struct entry){0};
    return store_get(ks->store, name, &value) && entry_read(value.data, out) ? entry_roots(out, 0, roots) : 0;
}

uint64_t keyspace_ahead_count(const struct keyspace_ahead *a, unsigned database, struct bytes key)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct rowkey row;
    struct entry en;
    name_row(a->ks, database, key, &row);
    return read_entry(a->ks, rowkey_bytes(&row), &en, roots) ? roots[0].count : en.payload.len;
}

/* Looks at level 0. */
static void look_at_key(struct keyspace_ahead *a, struct bytes key, bool has_needs)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct rowkey row;
    struct entry en;
    bool passed = a->seen++ < a->at.skip; /* its needs are looked at, if only to find that there is nothing */
    if (!passed) {
        name_row(a->ks, a->database, key, &row);
        bool cold = store_is_cold(a->ks->store, rowkey_bytes(&row));
        if (cold) add_name(a, rowkey_bytes(&row));
        has_needs = has_needs && (cold || read_entry(a->ks, rowkey_bytes(&row), &en, roots));
    }
    a->deeper |= has_needs;
}

void keyspace_ahead_key(struct keyspace_ahead *a, size_t request, unsigned number, unsigned database, struct bytes key, bool has_needs)
{
    if (a->told <= a->end) a->last = (struct keyspace_ahead_place){a->told, request, number, database};
    bool looked_at = is_looked_at(a);
    a->database = database;
    a->key = key;
    a->opened = false;
    a->passed = 0;
    if (looked_at && a->at.level == 0) look_at_key(a, key, has_needs);
}

/* Reads the row of the key at hand, unless that was done. Whether there are other rows. */
static bool open_key(struct keyspace_ahead *a)
{
    struct keyspace *ks = a->ks;
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct rowkey row;
    struct entry en;
    if (a->opened) return a->has_rows;
    name_row(ks, a->database, a->key, &row);
    a->opened = true;
    a->has_rows = read_entry(ks, rowkey_bytes(&row), &en, roots) > 0;
    a->entry = (struct keyspace_entry){en.type, en.expires_ms, en.form, en.payload, en.fields_ms};
    a->changed_count = a->put_bytes = 0;
    a->adjusted = 0;
    ks->current = a->database;
    return a->has_rows;
}

/* ---- nodes ---- */

bool need_is_passed(struct keyspace_ahead *a, unsigned depth, bool leads_on)
{
    if (depth != a->at.level || a->full || a->seen >= a->at.skip) return false;
    a->seen++;
    a->deeper |= leads_on;
    return true;
}

bool need_node(struct keyspace_ahead *a, unsigned depth, const struct object *object, uint32_t node, bool leads_on)
{
    uint8_t name[ROWKEY_NODE_SIZE];
    if (depth < a->at.level) return true;
    a->deeper |= depth > a->at.level;
    if (depth > a->at.level || a->full || need_is_passed(a, depth, leads_on)) return false;
    a->deeper |= leads_on;
    a->seen++;
    struct bytes row = rowkey_node_name(name, &(struct rowkey_node){object->slot, object->database_id, object->id, node});
    if (store_is_cold(a->ks->store, row)) add_name(a, row);
    return false;
}

void need_nodes(struct keyspace_ahead *a, unsigned depth, const struct object *object, uint32_t from, uint32_t end)
{
    a->deeper |= depth > a->at.level;
    if (depth != a->at.level || a->full) return;
    uint64_t passed = a->at.skip > a->seen ? a->at.skip - a->seen : 0;
    if (passed > end - from) passed = end - from;
    a->seen += passed;
    for (uint32_t n = from + (uint32_t)passed; n < end && !a->full; n++) need_node(a, depth, object, n, false);
}

/* ---- needs ---- */

struct need_range need_ranks(const struct keyspace_need *need, uint64_t count)
{
    int64_t len = (int64_t)count, from = need->from, to = need->to;
    if (from < 0) from = from < -len ? 0 : from + len;
    if (to < 0) to += len;
    if (to >= len) to = len - 1;
    return from > to ? (struct need_range){0, 0} : (struct need_range){(uint64_t)from, (uint64_t)to + 1};
}

struct need_range need_limited(const struct keyspace_need *need, uint64_t from, uint64_t end)
{
    uint64_t len = end > from ? end - from : 0;
    if (need->offset >= len) return (struct need_range){from, from};
    len -= need->offset;
    if (need->limit < len) len = need->limit;
    if (need->backwards) return (struct need_range){end - need->offset - len, end - need->offset};
    return (struct need_range){from + need->offset, from + need->offset + len};
}

static void need_every_row(struct keyspace_ahead *a, uint64_t most)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    struct entry en = {.type = a->entry.type, .form = a->entry.form, .payload = a->entry.payload};
    unsigned count = entry_roots(&en, a->ks->databases.list[a->ks->current].id, roots);
    uint64_t rows = 0;
    for (unsigned i = 0; i < count; i++) rows += roots[i].object.nodes;
    for (unsigned i = 0; rows <= most && i < count; i++) need_nodes(a, NEED_DEPTH, &roots[i].object, 0, roots[i].object.nodes);
}

void keyspace_ahead_need(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    bool looked_at = is_looked_at(a);
    if (looked_at && a->at.level == 0) a->deeper |= a->told - 1 == a->at.first; /* its key was looked at before */
    if (!looked_at || a->at.level == 0 || !open_key(a)) return;
    if (need->kind == NEED_ROWS) {
        need_every_row(a, need->limit);
        return;
    }
    switch (a->entry.type) {
    case KEYSPACE_STRING: need_of_string(a, need); break;
    case KEYSPACE_HASH: need_of_hash(a, need); break;
    case KEYSPACE_LIST: need_of_list(a, need); break;
    case KEYSPACE_SET: need_of_set(a, need); break;
    case KEYSPACE_ZSET: need_of_zset(a, need); break;
    case KEYSPACE_STREAM: need_of_stream(a, need); break;
    case KEYSPACE_NONE:
    case KEYSPACE_TYPES: break;
    }
}
