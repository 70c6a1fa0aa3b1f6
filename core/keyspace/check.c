#include "keyspace/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/hash.h"
#include "keyspace/keyspace_state.h"
#include "keyspace/list.h"
#include "keyspace/zset.h"
#include "keyspace/set.h"
#include "keyspace/stream.h"

struct holder {
    struct object object;
    uint64_t len; /* of a string in chunks: none of its rows reaches farther; else 0 */
    bool waits;   /* to be deleted */
};

struct check {
    struct keyspace *ks;
    struct holder *holders; /* sorted by compare() once all are known */
    size_t count, cap;
    struct databases found; /* the same numbers and ids, with the keys that are there */
    struct error *e;
};

static int compare(const void *left, const void *right)
{
    const struct object *a = &((const struct holder *)left)->object, *b = &((const struct holder *)right)->object;
    if (a->database_id != b->database_id) return a->database_id < b->database_id ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void *need(void *memory)
{
    if (memory) return memory;
    fprintf(stderr, "out of memory: the check of the keyspace\n");
    abort();
}

static void add(struct check *c, const struct holder *h)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->holders = need(realloc(c->holders, c->cap * sizeof *c->holders));
    }
    c->holders[c->count++] = *h;
}

static const struct holder *find(const struct check *c, const struct rowkey_node *node)
{
    struct holder wanted = {.object = {.database_id = node->database_id, .id = node->object}};
    return c->count ? bsearch(&wanted, c->holders, c->count, sizeof wanted, compare) : NULL;
}

/* ---- rows ---- */

/* What is in the rows of a collection. */
static int check_value(struct keyspace *ks, uint32_t database_id, const struct entry *en, struct error *e)
{
    switch (en->type) {
    case KEYSPACE_HASH: return keyspace_hash_check(ks, database_id, en, e);
    case KEYSPACE_LIST: return keyspace_list_check(ks, database_id, en, e);
    case KEYSPACE_ZSET: return keyspace_zset_check(ks, database_id, en, e);
    case KEYSPACE_SET: return keyspace_set_check(ks, database_id, en, e);
    case KEYSPACE_STREAM: return keyspace_stream_check(ks, database_id, en, e);
    default: return 0;
    }
}

static int check_key(struct check *c, const struct rowkey_parts *at, size_t name_len, struct bytes value)
{
    struct entry en;
    struct database *db = databases_find(&c->found, at->database_id);
    if (!db) return error_set(c->e, ERROR_FORMAT, "a key's row is of database id %" PRIu32 ", which there is none of", at->database_id);
    if (!entry_read(value, &en)) return error_set(c->e, ERROR_FORMAT, "a key's row in slot %u is damaged", at->slot);
    if (en.type == KEYSPACE_STRING && en.form == ENTRY_WHOLE && en.payload.len > CHUNKS_WHOLE_MAX)
        return error_set(c->e, ERROR_FORMAT, "a string of %zu bytes is in one row", en.payload.len);
    int rc = check_value(c->ks, at->database_id, &en, c->e);
    if (rc) return rc;
    databases_count(&c->found, db, at->slot, 1, entry_has_expiry(&en), (int64_t)keyspace_row_bytes(name_len, &en));
    struct object_root roots[ENTRY_ROOTS_MAX];
    unsigned count = entry_roots(&en, at->database_id, roots);
    for (unsigned i = 0; i < count; i++)
        add(c, &(struct holder){.object = roots[i].object, .len = en.form == ENTRY_CHUNKS ? roots[i].bytes : 0});
    return 0;
}

static int check_node(struct check *c, const struct rowkey_node *node, struct bytes value)
{
    const struct holder *h = find(c, node);
    if (!h) return error_set(c->e, ERROR_FORMAT, "node %" PRIu32 " of object %" PRIu64 " is nobody's", node->number, node->object);
    bool within = node->slot == h->object.slot && node->number < h->object.nodes && value.len > 0 &&
                  (!h->len || (value.len <= CHUNKS_BYTES && node->number * CHUNKS_BYTES + value.len <= h->len));
    if (within) return 0;
    return error_set(c->e, ERROR_FORMAT, "node %" PRIu32 " of object %" PRIu64 " is outside of it", node->number, node->object);
}

/* All keys, or all nodes. */
static int each_row(struct check *c, bool nodes)
{
    struct bytes name;
    struct store_value value;
    int rc = 0;
    struct store_iterator *it = store_iterate(c->ks->store, bytes_of(NULL, 0), keyspace_rows_end());
    while (!rc && store_iterator_next(it, &name, &value)) {
        struct rowkey_parts key;
        struct rowkey_node node;
        if (rowkey_parse(name, &key))
            rc = nodes ? 0 : check_key(c, &key, name.len, value.data);
        else if (!rowkey_node_parse(name, &node))
            rc = error_set(c->e, ERROR_FORMAT, "a row has a name of %zu bytes that is neither a key's nor a node's", name.len);
        else if (nodes)
            rc = check_node(c, &node, value.data);
    }
    store_iterator_close(it);
    return rc;
}

/* ---- all together ---- */

static void copy_ids(const struct databases *from, struct databases *to)
{
    struct buffer b;
    buffer_init(&b, 4 * (size_t)DATABASES_MAX + 64);
    databases_write(&b, from);
    struct reader r = reader_of(buffer_bytes(&b));
    databases_init(to);
    databases_read(&r, to);
    buffer_release(&b);
}

static int differs(unsigned number, const char *what, uint64_t counted, uint64_t found, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "database %u: its counts say %" PRIu64 " %s, but there are %" PRIu64, number, counted, what, found);
}

static int compare_slots(unsigned number, const struct database *counted, const struct database *found, struct error *e)
{
    for (unsigned slot = 0; slot < ROWKEY_SLOTS; slot++) {
        struct keyspace_held a = databases_slot(counted, slot), b = databases_slot(found, slot);
        if (a.keys == b.keys && a.bytes == b.bytes) continue;
        char what[40];
        snprintf(what, sizeof what, "%s in slot %u", a.keys == b.keys ? "bytes" : "keys", slot);
        return a.keys == b.keys ? differs(number, what, a.bytes, b.bytes, e) : differs(number, what, a.keys, b.keys, e);
    }
    return 0;
}

static int compare_database(unsigned number, const struct database *counted, const struct database *found, struct error *e)
{
    int rc = compare_slots(number, counted, found, e);
    if (rc) return rc;
    if (counted->size != found->size) return differs(number, "keys", counted->size, found->size, e);
    if (counted->expiring != found->expiring) return differs(number, "expiring keys", counted->expiring, found->expiring, e);
    return 0;
}

static int check_counts(struct check *c)
{
    int rc = 0;
    for (unsigned n = 0; !rc && n < c->found.count; n++)
        rc = compare_database(n, &c->ks->databases.list[n], &c->found.list[n], c->e);
    const struct databases *counted = &c->ks->databases, *found = &c->found;
    if (!rc && (counted->held.keys != found->held.keys || counted->held.bytes != found->held.bytes || counted->expiring != found->expiring))
        rc = error_set(c->e, ERROR_FORMAT, "the counts of all databases together are not those of each");
    return rc;
}

/* What waits in memory must be what would be found after a restart; and what is held there and by keys, all different. */
static int check_objects(struct check *c)
{
    struct objects stored = {0};
    const struct objects *known = &c->ks->objects;
    int rc = objects_open(&stored, c->ks->store, c->e);
    for (size_t i = 0; i < known->count; i++) add(c, &(struct holder){.object = known->waiting[i], .waits = true});
    if (c->count) qsort(c->holders, c->count, sizeof *c->holders, compare);
    if (!rc && (stored.count != known->count || known->next > stored.reserved))
        rc = error_set(c->e, ERROR_FORMAT, "%zu objects wait in memory, %zu in rows", known->count, stored.count);
    for (size_t i = 0; !rc && i < stored.count; i++) {
        struct rowkey_node any = {.database_id = stored.waiting[i].database_id, .object = stored.waiting[i].id};
        const struct holder *h = find(c, &any);
        if (!h || !h->waits || h->object.nodes != stored.waiting[i].nodes)
            rc = error_set(c->e, ERROR_FORMAT, "object %" PRIu64 " waits in a row, but not so in memory", any.object);
    }
    for (size_t i = 0; !rc && i < c->count; i++) {
        const struct holder *h = &c->holders[i];
        if (h->object.id >= known->next || (i && compare(h - 1, h) == 0))
            rc = error_set(c->e, ERROR_FORMAT, "object %" PRIu64 " has two holders, or never was", h->object.id);
    }
    objects_release(&stored);
    return rc;
}

int keyspace_check(struct keyspace *ks, struct error *e)
{
    struct check c = {.ks = ks, .e = e};
    copy_ids(&ks->databases, &c.found);
    int rc = each_row(&c, false);
    if (!rc) rc = check_counts(&c);
    if (!rc) rc = check_objects(&c);
    if (!rc) rc = each_row(&c, true);
    free(c.holders);
    databases_release(&c.found);
    return rc;
}
