#include "keyspace/inspect.h"

#include "keyspace/chunks.h"
#include "keyspace/keyspace_state.h"

unsigned keyspace_databases(const struct keyspace *ks)
{
    return ks->databases.count;
}

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

static void describe_entry(const struct entry *en, uint32_t database_id, size_t cut, struct buffer *out)
{
    struct object_root roots[ENTRY_ROOTS_MAX];
    unsigned count = entry_roots(en, database_id, roots);
    buffer_printf(out, " %s", keyspace_type_name(en->type));
    if (entry_has_expiry(en)) buffer_printf(out, " expires_ms=%lld", (long long)en->expires_ms);
    if (en->fields_ms) buffer_printf(out, " fields_expire_ms=%lld", (long long)en->fields_ms);
    for (unsigned i = 0; i < count; i++) {
        buffer_printf(out, " object=%llu len=%llu", (unsigned long long)roots[i].object.id, (unsigned long long)roots[i].bytes);
        if (en->form != ENTRY_CHUNKS) buffer_printf(out, " elements=%llu", (unsigned long long)roots[i].count);
    }
    if (count) return;
    buffer_append_text(out, " value=");
    keyspace_describe_bytes(en->payload, cut, out);
}

static void describe_name(struct bytes name, size_t cut, struct buffer *out)
{
    struct rowkey_node node;
    if (rowkey_node_parse(name, &node)) {
        buffer_printf(out, "slot=%u database_id=%u object=%llu node=%u", node.slot, (unsigned)node.database_id,
                      (unsigned long long)node.object, (unsigned)node.number);
        return;
    }
    buffer_append_text(out, "row=");
    keyspace_describe_bytes(name, cut, out);
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
        describe_name(name, cut, out);
    }
    if (is_entry) {
        describe_entry(&en, at.database_id, cut, out);
    } else if (value) {
        buffer_append_text(out, " value=");
        keyspace_describe_bytes(*value, cut, out);
    }
}
