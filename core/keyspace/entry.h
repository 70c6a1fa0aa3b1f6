/* Values of key rows: type(1) · form(1) · flags(1) · [expiry(8)] · [earliest expiry of a field(8)] · [key length(4) · key] · payload, little
 * endian.
 * Pure. */
#ifndef AIKV_KEYSPACE_ENTRY_H
#define AIKV_KEYSPACE_ENTRY_H

#include "keyspace/keyspace.h"
#include "keyspace/objects.h"

enum entry_form {
    ENTRY_WHOLE,    /* the payload is the value: a string's bytes, a collection's elements (element.h) */
    ENTRY_CHUNKS,   /* a string in rows of its own; the payload tells which (chunks.h) */
    ENTRY_INTEGERS, /* a set's members, int64 each, little endian, rising */
    ENTRY_HASHED,   /* a hash or set: linear_hash's root */
    ENTRY_TREE,     /* a list or stream: counted_tree's root, then what list.c or stream.c adds */
    ENTRY_SORTED,   /* linear_hash's root and counted_tree's: a sorted set (member to score; score and member), a hash with fields that expire
                       (field to value; expiry and field) */
    ENTRY_TREES,    /* a stream with consumer groups: counted_tree's root of these, that of the entries, then what stream.c adds */
    ENTRY_FORMS
};

struct entry {
    enum keyspace_type type;
    enum entry_form form;
    int64_t expires_ms; /* or KEYSPACE_NO_EXPIRY */
    bool has_key;       /* the row's name holds only a hash of it */
    struct bytes key;   /* if so */
    struct bytes payload;
    int64_t fields_ms; /* a hash: no field expires before; 0: none has an expiry */
};

static inline bool entry_has_expiry(const struct entry *en)
{
    return en->expires_ms != KEYSPACE_NO_EXPIRY;
}

static inline bool entry_is_expired(const struct entry *en, int64_t now_ms)
{
    return entry_has_expiry(en) && en->expires_ms <= now_ms;
}

/* False: damaged, or of a type, form or flag that this version does not know. */
bool entry_read(struct bytes row, struct entry *out);
/* When the key, or the first of its fields, expires; of any form. */
int64_t entry_expiry(struct bytes row);
#define ENTRY_EXPIRY_AT  2
#define ENTRY_EXPIRY_MAX 9
/* What another expiry changes in a row, at ENTRY_EXPIRY_AT: writes the bytes that go there. Returns how many; `*removed` go. */
size_t entry_write_expiry(uint8_t out[ENTRY_EXPIRY_MAX], const struct entry *en, int64_t expires_ms, size_t *removed);
/* What the value has in rows of its own; returns how many. Of a string in chunks the bytes are its length, the elements 0. */
#define ENTRY_ROOTS_MAX  2
#define ENTRY_ROOTED_MAX ((size_t)8 << 10) /* bytes of the payload of a value that has such */
unsigned entry_roots(const struct entry *en, uint32_t database_id, struct object_root out[ENTRY_ROOTS_MAX]);
/* Writes other objects into a copy of the payload, which has those of entry_roots: of the same nodes, with another id and slot. */
void entry_set_objects(const struct entry *en, uint8_t *payload, const struct object *objects);

size_t entry_size(const struct entry *en);
/* Where in the row's value the payload begins. */
size_t entry_payload_at(const struct entry *en);
/* Writes entry_size() bytes. */
void entry_write(uint8_t *out, const struct entry *en);

#endif
