/* Entries of streams as damage would leave them: what is read lies within the element and the table of names, and is packed again as it was.
 *
 * Input: the base of ids(8), the length of the table(2), the table, elements. */
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/stream_names.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool within(struct bytes part, struct bytes whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_key(struct bytes key, uint64_t base_ms)
{
    uint8_t room[STREAM_KEY_MAX];
    struct stream_id id;
    if (stream_key_read(key, base_ms, &id)) must(bytes_equal(stream_key_write(room, base_ms, id), key), "an id has one key");
}

static void check_names(struct bytes table)
{
    struct stream_names n;
    uint8_t room[STREAM_NAMES_MAX];
    struct bytes names;
    if (!stream_names_read(table, &n)) return;
    must(stream_names_write(room, &n).len <= table.len, "a table is written in no more bytes");
    for (unsigned i = 0; i <= STREAM_NAMES_LISTS; i++) {
        bool there = stream_names_get(table, i, &names);
        must(there == (i < n.count && n.lists[i].value.len > 0), "a list is there by its number");
        must(!there || (within(names, table) && stream_names_find(&n, names) <= (int)i), "and is found");
    }
    stream_names_add(&n, bytes_text("\4name"));
    stream_names_write(room, &n);
}

static void check_fields(struct stream_entry entry, struct bytes value, struct bytes table)
{
    struct bytes fields[64], name, field;
    size_t count = 0, all = stream_entry_count(&entry);
    struct stream_entry rest = entry;
    while (stream_entry_next(&rest, &name, &field)) {
        must((within(name, value) || within(name, table)) && within(field, value), "fields lie where they were read");
        if (count < 32) fields[2 * count] = name, fields[2 * count + 1] = field;
        count++;
    }
    must(count <= all, "no more fields than are counted");
    if (!count || count > 32 || rest.names.len || rest.values.len) return;
    uint8_t *room = malloc(stream_fields_room(fields, count));
    struct stream_fields f = stream_fields_pack(room, fields, count);
    struct element again = {.key = bytes_of("\0\0", 2), .value = stream_fields_value(&f, -1)};
    must(stream_entry_read(&again, 0, table, &rest) && stream_entry_count(&rest) == count, "what is packed is read");
    for (size_t i = 0; i < count; i++)
        must(stream_entry_next(&rest, &name, &field) && bytes_equal(name, fields[2 * i]) && bytes_equal(field, fields[2 * i + 1]), "as the same");
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t base_ms;
    uint16_t table_len;
    if (size < sizeof base_ms + sizeof table_len) return 0;
    memcpy(&base_ms, data, sizeof base_ms);
    memcpy(&table_len, data + sizeof base_ms, sizeof table_len);
    data += sizeof base_ms + sizeof table_len;
    size -= sizeof base_ms + sizeof table_len;
    if (table_len > size) return 0;
    uint8_t *copies[2] = {malloc(table_len ? table_len : 1), malloc(size - table_len ? size - table_len : 1)}; /* of their exact sizes */
    memcpy(copies[0], data, table_len);
    memcpy(copies[1], data + table_len, size - table_len);
    struct bytes table = bytes_of(copies[0], table_len), rest = bytes_of(copies[1], size - table_len);
    struct stream_entry entry;
    struct element el;
    check_names(table);
    while (element_next(&rest, &el)) {
        check_key(el.key, base_ms);
        if (stream_entry_read(&el, base_ms, table, &entry)) check_fields(entry, el.value, table);
    }
    free(copies[0]);
    free(copies[1]);
    return 0;
}
