#include "command/table.h"

#include "command/keys.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME(name, text) text,
const char *const command_flag_names[] = {COMMAND_FLAGS(NAME)};
const char *const command_category_names[] = {COMMAND_CATEGORIES(NAME)};
const char *const command_key_flag_names[] = {COMMAND_KEY_FLAGS(NAME)};
#undef NAME

static const struct {
    const char *group;
    const struct command_row *rows;
} groups[] = {
    {"connection", command_connection_rows},
    {"connection", command_client_rows},
    {"server", command_introspect_rows},
    {"server", command_config_rows},
    {"server", command_info_rows},
    {"server", command_server_rows},
    {"server", command_save_rows},
    {"server", command_slowlog_rows},
    {"server", command_latency_rows},
    {"server", command_monitor_rows},
    {"server", command_memory_rows},
    {"server", command_debug_rows},
    {"server", command_lolwut_rows},
    {"server", command_acl_rows},
    {"server", command_module_rows},
    {"generic", command_generic_rows},
    {"generic", command_transfer_rows},
    {"generic", command_dump_rows},
    {"generic", command_restore_rows},
    {"generic", command_expire_rows},
    {"generic", command_object_rows},
    {"generic", command_scan_rows},
    {"string", command_string_rows},
    {"string", command_set_rows},
    {"string", command_range_rows},
    {"string", command_lcs_rows},
    {"string", command_counter_rows},
    {"hash", command_hash_rows},
    {"hash", command_hash_many_rows},
    {"sorted-set", command_zset_rows},
    {"sorted-set", command_zset_range_rows},
    {"sorted-set", command_zset_pick_rows},
    {"sorted-set", command_zset_combine_rows},
    {"sorted-set", command_zset_block_rows},
    {"set", command_sets_rows},
    {"set", command_sets_combine_rows},
    {"bitmap", command_bitmap_rows},
    {"bitmap", command_bitop_rows},
    {"bitmap", command_bitfield_rows},
    {"hyperloglog", command_hyperloglog_rows},
    {"geo", command_geo_rows},
    {"geo", command_geo_search_rows},
    {"hash", command_hash_expire_rows},
    {"cluster", command_cluster_rows},
    {"list", command_list_rows},
    {"list", command_list_find_rows},
    {"list", command_list_move_rows},
    {"list", command_list_block_rows},
    {"stream", command_stream_add_rows},
    {"stream", command_stream_rows},
    {"stream", command_stream_trim_rows},
    {"stream", command_stream_read_rows},
    {"stream", command_stream_read_group_rows},
    {"stream", command_stream_group_rows},
    {"stream", command_stream_pending_rows},
    {"stream", command_stream_claim_rows},
    {"stream", command_stream_info_rows},
    {"generic", command_sort_rows},
    {"generic", command_wait_rows},
    {"pubsub", command_subscribe_rows},
    {"pubsub", command_publish_rows},
    {"transactions", command_transaction_rows},
};
#define GROUPS (sizeof groups / sizeof *groups)

/* As Redis: keys that the first run of them (command_legacy_keys) does not tell of can be anywhere. */
uint32_t command_row_flags(const struct command_row *row)
{
    bool movable = false;
    const struct command_key_spec *s;
    int last = 0;
    for (int i = 0; (s = command_key_spec(row, i)); i++) {
        bool alone = i == 0 && !command_key_spec(row, 1);
        bool plain = s->begin == KEYS_AT && !s->counted && (alone || (s->step == 1 && (!last || last == s->index - 1)));
        if (plain) last = s->last < 0 ? s->last : s->index + s->last;
        movable |= !plain || s->flags & KEY_INCOMPLETE;
    }
    return row->flags | (movable ? MOVABLEKEYS : 0);
}

uint32_t command_row_categories(const struct command_row *row)
{
    uint32_t all = row->categories;
    if (row->flags & PUBSUB) all |= ACL_PUBSUB;
    if (row->flags & BLOCKING) all |= ACL_BLOCKING;
    if (row->flags & WRITE) all |= ACL_WRITE;
    if (row->flags & READ) all |= ACL_READ;
    if (row->flags & ADMIN) all |= ACL_ADMIN | ACL_DANGEROUS;
    return all | (row->flags & FAST ? ACL_FAST : ACL_SLOW);
}

uint32_t command_category_named(struct bytes name)
{
    for (int i = 0; i < COMMAND_CATEGORY_COUNT; i++) {
        if (bytes_is(name, command_category_names[i] + 1)) return 1u << i;
    }
    return 0;
}

/* Names are short words of letters: setting bit 5 of every byte makes them equal without case, and a false friend
 * ('[' and '{') is told apart by the comparison that follows. */
static uint32_t name_hash(struct bytes name)
{
    uint32_t hash = (uint32_t)name.len;
    for (size_t i = 0; i < name.len; i++) hash = (hash ^ (name.data[i] | 0x20u)) * 0x01000193u;
    return hash ^ hash >> 15;
}

static size_t count_rows(const struct command_row *rows)
{
    size_t n = 0;
    while (rows && rows[n].name) n++;
    return n;
}

static struct command_entry *add(struct command_table *t, const struct command_row *row, const char *group,
                                 const struct command_entry *container)
{
    struct command_entry *e = &t->entries[t->count];
    *e = (struct command_entry){.row = row, .container = container, .group = group, .number = t->count};
    int len = container ? snprintf(e->name, sizeof e->name, "%s|%s", container->name, row->name)
                        : snprintf(e->name, sizeof e->name, "%s", row->name);
    assert(len > 0 && (size_t)len < sizeof e->name);
    for (char *c = e->name; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 'a' - 'A');
    }
    t->count++;
    return e;
}

static void index_entry(struct command_table *t, const struct command_entry *e)
{
    uint32_t at = name_hash(bytes_text(e->name)) % COMMAND_TABLE_BUCKETS;
    while (t->buckets[at]) at = (at + 1) % COMMAND_TABLE_BUCKETS;
    t->buckets[at] = (uint16_t)(e->number + 1);
}

void command_table_init(struct command_table *t)
{
    size_t total = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        size_t rows = count_rows(groups[g].rows);
        total += rows;
        for (size_t i = 0; i < rows; i++) total += count_rows(groups[g].rows[i].subcommands);
    }
    assert(total * 4 <= COMMAND_TABLE_BUCKETS);
    *t = (struct command_table){.entries = calloc(total, sizeof *t->entries)};
    if (!t->entries) abort();
    for (size_t g = 0; g < GROUPS; g++) {
        for (const struct command_row *row = groups[g].rows; row->name; row++) {
            index_entry(t, add(t, row, groups[g].group, NULL));
        }
    }
    t->top_count = t->count;
    for (size_t i = 0; i < t->top_count; i++) {
        struct command_entry *e = &t->entries[i];
        e->subcommands = &t->entries[t->count];
        e->subcommand_count = count_rows(e->row->subcommands);
        for (size_t j = 0; j < e->subcommand_count; j++) add(t, &e->row->subcommands[j], e->group, e);
    }
    assert(t->count == total);
}

void command_table_release(struct command_table *t)
{
    free(t->entries);
    *t = (struct command_table){0};
}

const struct command_entry *command_table_find(const struct command_table *t, struct bytes name)
{
    uint32_t at = name_hash(name) % COMMAND_TABLE_BUCKETS;
    for (; t->buckets[at]; at = (at + 1) % COMMAND_TABLE_BUCKETS) {
        const struct command_entry *e = &t->entries[t->buckets[at] - 1];
        if (bytes_is(name, e->row->name)) return e;
    }
    return NULL;
}

static const struct command_entry *find_subcommand(const struct command_entry *e, struct bytes name)
{
    for (size_t i = 0; i < e->subcommand_count; i++) {
        if (bytes_is(name, e->subcommands[i].row->name)) return &e->subcommands[i];
    }
    return NULL;
}

const struct command_entry *command_table_resolve(const struct command_table *t, int argc, const struct bytes *argv)
{
    const struct command_entry *e = command_table_find(t, argv[0]);
    return e && e->subcommand_count && argc > 1 ? find_subcommand(e, argv[1]) : e;
}

const struct command_entry *command_table_named(const struct command_table *t, struct bytes full_name)
{
    const uint8_t *bar = full_name.len ? memchr(full_name.data, '|', full_name.len) : NULL;
    if (!bar) return command_table_find(t, full_name);
    size_t first = (size_t)(bar - full_name.data);
    const struct command_entry *e = command_table_find(t, bytes_of(full_name.data, first));
    return e ? find_subcommand(e, bytes_of(bar + 1, full_name.len - first - 1)) : NULL;
}

struct bytes command_shown(const struct command_row *row, int argc, const struct bytes *argv, int i)
{
    return row->is_secret && row->is_secret(argc, argv, i) ? bytes_text("(redacted)") : argv[i];
}

bool command_arity_fits(const struct command_row *row, int argc)
{
    return row->arity >= 0 ? argc == row->arity : argc >= -row->arity;
}
