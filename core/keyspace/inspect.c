#include "keyspace/inspect.h"

#include <stdio.h>

#include "keyspace/keyspace_state.h"

unsigned keyspace_databases(const struct keyspace *ks)
{
    return ks->databases.count;
}

/* ---- counts ---- */

/* The same numbers and ids, and nothing counted. */
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
    return error_set(e, ERROR_FORMAT, "database %u: its counts say %llu %s, but there are %llu", number,
                     (unsigned long long)counted, what, (unsigned long long)found);
}

static int compare_database(unsigned number, const struct database *counted, const struct database *found,
                            struct error *e)
{
    for (unsigned slot = 0; slot < ROWKEY_SLOTS; slot++) {
        uint64_t a = databases_slot_size(counted, slot), b = databases_slot_size(found, slot);
        if (a == b) continue;
        char what[40];
        snprintf(what, sizeof what, "keys in slot %u", slot);
        return differs(number, what, a, b, e);
    }
    if (counted->size != found->size) return differs(number, "keys", counted->size, found->size, e);
    if (counted->expiring != found->expiring)
        return differs(number, "expiring keys", counted->expiring, found->expiring, e);
    return 0;
}

int keyspace_check(struct keyspace *ks, struct error *e)
{
    struct databases counted = ks->databases;
    copy_ids(&counted, &ks->databases);
    int rc = keyspace_count_rows(ks, e);
    for (unsigned n = 0; !rc && n < counted.count; n++)
        rc = compare_database(n, &counted.list[n], &ks->databases.list[n], e);
    databases_release(&ks->databases);
    ks->databases = counted;
    return rc;
}

/* ---- for people ---- */

void keyspace_describe_bytes(struct bytes b, size_t cut, struct buffer *out)
{
    size_t shown = b.len < cut ? b.len : cut;
    buffer_append_text(out, "\"");
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = b.data[i];
        if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_append(out, &c, 1);
    }
    buffer_append_text(out, "\"");
    if (shown < b.len) buffer_printf(out, "… of %zu bytes", b.len);
}

static void describe_entry(const struct entry *en, size_t cut, struct buffer *out)
{
    buffer_printf(out, " %s", keyspace_type_name(en->type));
    if (entry_has_expiry(en)) buffer_printf(out, " expires_ms=%lld", (long long)en->expires_ms);
    buffer_append_text(out, " value=");
    keyspace_describe_bytes(en->value, cut, out);
}

void keyspace_describe_row(struct bytes name, const struct bytes *value, size_t cut, struct buffer *out)
{
    struct rowkey_parts at;
    struct entry en;
    bool is_key = rowkey_parse(name, &at), is_entry = is_key && value && entry_read(*value, &en);
    if (is_key) {
        buffer_printf(out, "slot=%u database_id=%u key=", at.slot, (unsigned)at.database_id);
        keyspace_describe_bytes(is_entry && en.has_key ? en.key : at.key, cut, out);
    } else {
        buffer_append_text(out, "row=");
        keyspace_describe_bytes(name, cut, out);
    }
    if (is_entry) {
        describe_entry(&en, cut, out);
    } else if (value) {
        buffer_append_text(out, " value=");
        keyspace_describe_bytes(*value, cut, out);
    }
}
