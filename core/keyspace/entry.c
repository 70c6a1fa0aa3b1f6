#include "keyspace/entry.h"

#include "base/codec.h"
#include "keyspace/chunks.h"
#include "keyspace/counted_tree.h"

enum { FLAG_EXPIRY = 1, FLAG_KEY = 2, FLAG_FIELDS = 4, FLAGS = 7 };

#define KEY_LEN_MAX STORE_VALUE_MAX

/* The forms that values of a type may have, and where roots are in the payload of each. */
static const bool known[KEYSPACE_TYPES][ENTRY_FORMS] = {
    [KEYSPACE_STRING] = {[ENTRY_WHOLE] = true, [ENTRY_CHUNKS] = true},
    [KEYSPACE_HASH] = {[ENTRY_WHOLE] = true, [ENTRY_HASHED] = true, [ENTRY_SORTED] = true},
    [KEYSPACE_LIST] = {[ENTRY_WHOLE] = true, [ENTRY_TREE] = true},
    [KEYSPACE_SET] = {[ENTRY_WHOLE] = true, [ENTRY_INTEGERS] = true, [ENTRY_HASHED] = true},
    [KEYSPACE_ZSET] = {[ENTRY_WHOLE] = true, [ENTRY_SORTED] = true},
    [KEYSPACE_STREAM] = {[ENTRY_WHOLE] = true, [ENTRY_TREE] = true, [ENTRY_TREES] = true},
};
static const unsigned roots_of[ENTRY_FORMS] = {[ENTRY_HASHED] = 1, [ENTRY_TREE] = 1, [ENTRY_SORTED] = 2, [ENTRY_TREES] = 2};
/* How far they are from each other. */
static const size_t root_step[ENTRY_FORMS] = {[ENTRY_SORTED] = OBJECT_ROOT_SIZE, [ENTRY_TREES] = COUNTED_TREE_ROOT_SIZE};

static bool read_root(struct bytes payload, unsigned form, unsigned i, uint32_t database_id, struct object_root *out)
{
    struct reader r = reader_of(payload);
    read_raw(&r, i * root_step[form]);
    return object_root_read(&r, database_id, out);
}

/* Whether what is there can be a value's; elements are looked at by those who walk them. */
static bool is_known_form(uint8_t type, uint8_t form, struct bytes payload)
{
    struct chunks c;
    struct object_root root;
    if (type >= KEYSPACE_TYPES || form >= ENTRY_FORMS || !known[type][form]) return false;
    if (form == ENTRY_CHUNKS) return chunks_parse(payload, 0, &c);
    for (unsigned i = 0; i < roots_of[form]; i++)
        if (!read_root(payload, form, i, 0, &root)) return false;
    return form != ENTRY_INTEGERS || payload.len % 8 == 0;
}

/* Large hashes have the second root if, and only if, fields expire. */
static bool is_field_expiry(const struct entry *en, bool there)
{
    if (!there) return en->type != KEYSPACE_HASH || en->form != ENTRY_SORTED;
    return en->type == KEYSPACE_HASH && en->form != ENTRY_HASHED && en->fields_ms > 0;
}

unsigned entry_roots(const struct entry *en, uint32_t database_id, struct object_root out[ENTRY_ROOTS_MAX])
{
    struct chunks c;
    if (en->form == ENTRY_CHUNKS) {
        chunks_parse(en->payload, database_id, &c);
        out[0] = (struct object_root){.object = c.object, .bytes = c.len};
        return 1;
    }
    for (unsigned i = 0; i < roots_of[en->form]; i++) read_root(en->payload, en->form, i, database_id, &out[i]);
    return roots_of[en->form];
}

void entry_set_objects(const struct entry *en, uint8_t *payload, const struct object *objects)
{
    unsigned count = en->form == ENTRY_CHUNKS ? 1 : roots_of[en->form];
    for (unsigned i = 0; i < count; i++) {
        struct buffer b = {.data = payload + i * root_step[en->form], .cap = 10, .max = 10}; /* object · slot begin each of them */
        write_u64(&b, objects[i].id);
        write_u16(&b, (uint16_t)objects[i].slot);
    }
}

bool entry_read(struct bytes row, struct entry *out)
{
    struct reader r = reader_of(row);
    uint8_t type = read_u8(&r), form = read_u8(&r), flags = read_u8(&r);
    *out = (struct entry){.type = type, .form = form, .expires_ms = KEYSPACE_NO_EXPIRY, .has_key = flags & FLAG_KEY};
    if (flags & FLAG_EXPIRY) out->expires_ms = (int64_t)read_u64(&r);
    if (flags & FLAG_FIELDS) out->fields_ms = (int64_t)read_u64(&r);
    if (flags & FLAG_KEY) out->key = read_bytes(&r, KEY_LEN_MAX);
    out->payload = read_raw(&r, reader_left(&r));
    return !r.failed && !(flags & ~FLAGS) && is_known_form(type, form, out->payload) && is_field_expiry(out, flags & FLAG_FIELDS);
}

int64_t entry_expiry(struct bytes row)
{
    struct reader r = reader_of(row);
    read_raw(&r, ENTRY_EXPIRY_AT);
    uint8_t flags = read_u8(&r);
    int64_t key_ms = flags & FLAG_EXPIRY ? (int64_t)read_u64(&r) : INT64_MAX;
    int64_t fields_ms = flags & FLAG_FIELDS ? (int64_t)read_u64(&r) : INT64_MAX;
    if (r.failed || !(flags & (FLAG_EXPIRY | FLAG_FIELDS))) return KEYSPACE_NO_EXPIRY;
    return key_ms < fields_ms ? key_ms : fields_ms;
}

static uint8_t flags_of(const struct entry *en)
{
    return (uint8_t)((entry_has_expiry(en) ? FLAG_EXPIRY : 0) | (en->has_key ? FLAG_KEY : 0) | (en->fields_ms ? FLAG_FIELDS : 0));
}

size_t entry_write_expiry(uint8_t out[ENTRY_EXPIRY_MAX], const struct entry *en, int64_t expires_ms, size_t *removed)
{
    struct entry changed = *en;
    struct buffer b = {.data = out, .cap = ENTRY_EXPIRY_MAX, .max = ENTRY_EXPIRY_MAX};
    changed.expires_ms = expires_ms;
    write_u8(&b, flags_of(&changed));
    if (entry_has_expiry(&changed)) write_u64(&b, (uint64_t)expires_ms);
    *removed = entry_has_expiry(en) ? ENTRY_EXPIRY_MAX : 1;
    return b.len;
}

size_t entry_payload_at(const struct entry *en)
{
    return 3u + (entry_has_expiry(en) ? 8u : 0u) + (en->fields_ms ? 8u : 0u) + (en->has_key ? 4 + en->key.len : 0);
}

size_t entry_size(const struct entry *en)
{
    return entry_payload_at(en) + en->payload.len;
}

void entry_write(uint8_t *out, const struct entry *en)
{
    size_t head = entry_payload_at(en);
    out[0] = (uint8_t)en->type;
    out[1] = (uint8_t)en->form;
    out[2] = flags_of(en);
    struct buffer b = {.data = out, .len = 3, .cap = head, .max = head};
    if (entry_has_expiry(en)) write_u64(&b, (uint64_t)en->expires_ms);
    if (en->fields_ms) write_u64(&b, (uint64_t)en->fields_ms);
    if (en->has_key) write_bytes(&b, en->key);
    if (en->payload.len) memcpy(out + head, en->payload.data, en->payload.len);
}
