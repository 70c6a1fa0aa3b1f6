/* aikv cluster nodes, slots. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/picture.h"
#include "tool/print.h"
#include "tool/verb.h"

static bool is_true(const json_t *row, const char *field)
{
    return json_is_true(json_object_get(row, field));
}

/* A picture without a view: says why. */
static int take_with_view(const struct tool_call *call, struct picture *p)
{
    int code = picture_take(call, p);
    if (code || p->view) return code;
    code = call_complain(call, TOOL_FAILED, &p->why);
    picture_release(p);
    return code;
}

/* ---- nodes ---- */

static bool is_candidate(const json_t *node)
{
    return strcmp(call_text(node, "state"), "candidate") == 0;
}

/* "leader", "voter", "learner", "" ; "voter (wanted)" while MetaRaft is not there yet. */
static void describe_role(const struct picture *p, const json_t *node, char *out, size_t size)
{
    const char *wanted = call_text(node, "role"), *is = is_true(node, "voter")     ? "voter"
                                                        : is_true(node, "learner") ? "learner"
                                                                                   : "none";
    if (strcmp(call_text(p->view, "leader"), call_text(node, "id")) == 0)
        snprintf(out, size, "leader");
    else if (strcmp(wanted, is) != 0)
        snprintf(out, size, "%s (wanted)", wanted);
    else
        snprintf(out, size, "%s", strcmp(is, "none") == 0 ? "" : is);
}

static void describe_shard(const json_t *node, char *out, size_t size)
{
    const char *shard = call_text(node, "shard"), *part = is_true(node, "primary")   ? "primary"
                                                          : is_true(node, "in_sync") ? "in sync"
                                                                                     : "replica";
    snprintf(out, size, *shard ? "%s %s" : "", shard, part);
}

static void describe_memory(const json_t *node, char *out, size_t size)
{
    struct buffer b;
    buffer_init(&b, 64);
    print_bytes(&b, call_integer(node, "memory_bytes"));
    snprintf(out, size, "%.*s", (int)b.len, (const char *)b.data);
    buffer_release(&b);
}

/* How many changes of the metadata a node has not acknowledged. */
static int64_t lag_of(const struct picture *p, const json_t *node)
{
    return call_integer(p->view, "version") - call_integer(node, "metadata_version");
}

static void add_node_row(struct table *t, const struct picture *p, const json_t *node)
{
    char role[32], shard[64], memory[32];
    bool candidate = is_candidate(node);
    describe_role(p, node, role, sizeof role);
    describe_shard(node, shard, sizeof shard);
    describe_memory(node, memory, sizeof memory);
    table_cell(t, "%s", call_text(node, "alias"));
    table_cell(t, "%.8s", call_text(node, "id"));
    table_cell(t, "%s", picture_address(p, call_text(node, "id")));
    table_cell(t, "%s", call_text(node, "zone"));
    table_cell(t, "%s", call_text(node, "state"));
    table_cell(t, "%s", role);
    table_cell(t, "%s", shard);
    table_cell(t, "%s", is_true(node, "up") ? "yes" : "no");
    table_cell(t, candidate ? "" : "%" PRId64, call_integer(node, "keys"));
    table_cell(t, "%s", candidate ? "" : memory);
    table_cell(t, candidate ? "" : "%" PRId64, lag_of(p, node));
    table_cell(t, "%s", call_text(node, "version"));
}

static int alias_of(const json_t *node)
{
    const char *alias = call_text(node, "alias");
    return *alias ? atoi(alias) : INT32_MAX;
}

static int by_alias(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    int order = (alias_of(*x) > alias_of(*y)) - (alias_of(*x) < alias_of(*y));
    return order ? order : strcmp(call_text(*x, "id"), call_text(*y, "id"));
}

static void print_nodes(const struct picture *p)
{
    static const char *const names[] = {"alias", "id", "address", "zone",   "state", "metaraft",
                                        "shard", "up", "keys",    "memory", "lag",   "version"};
    const json_t *nodes = json_object_get(p->view, "nodes");
    size_t count = json_array_size(nodes);
    const json_t **sorted = calloc(count + 1, sizeof(json_t *));
    struct table t;
    if (!sorted) abort();
    for (size_t i = 0; i < count; i++) sorted[i] = json_array_get(nodes, i);
    qsort(sorted, count, sizeof *sorted, by_alias);
    table_begin(&t, sizeof names / sizeof *names, names);
    for (size_t i = 0; i < count; i++) add_node_row(&t, p, sorted[i]);
    table_end(&t);
    free(sorted);
}

/* The rows of the view, with what the table has beside them. */
static json_t *nodes_document(const struct picture *p)
{
    json_t *nodes = json_deep_copy(json_object_get(p->view, "nodes")), *node;
    size_t i;
    json_array_foreach(nodes, i, node)
    {
        json_object_set_new(node, "address", json_string(picture_address(p, call_text(node, "id"))));
        json_object_set_new(node, "leader",
                            json_boolean(strcmp(call_text(p->view, "leader"), call_text(node, "id")) == 0));
        if (!is_candidate(node)) json_object_set_new(node, "lag", json_integer(lag_of(p, node)));
    }
    return nodes;
}

int tool_cluster_nodes(struct tool_call *call)
{
    struct picture p;
    int code = take_with_view(call, &p);
    if (code) return code;
    if (call->json) {
        json_t *document = nodes_document(&p);
        code = call_print_json(document);
        json_decref(document);
    } else {
        print_nodes(&p);
    }
    picture_release(&p);
    return code;
}

/* ---- slots ---- */

/* Ranges as maps: from, to, shard, primary (id), replicas (ids); of unassigned slots from and to only. */
static void add_ranges(json_t *list, const json_t *ranges, const char *shard, const char *primary, json_t *replicas)
{
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        json_t *row = json_pack("{s:I, s:I}", "from", json_integer_value(json_array_get(range, 0)), "to",
                                json_integer_value(json_array_get(range, 1)));
        if (shard) {
            json_object_set_new(row, "shard", json_string(shard));
            json_object_set_new(row, "primary", json_string(primary));
            json_object_set(row, "replicas", replicas);
        }
        json_array_append_new(list, row);
    }
}

static json_t *replicas_of(const struct picture *p, const char *shard, const char *primary)
{
    const json_t *nodes = json_object_get(p->view, "nodes");
    json_t *ids = json_array();
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        if (strcmp(call_text(node, "shard"), shard) == 0 && strcmp(call_text(node, "id"), primary) != 0)
            json_array_append(ids, json_object_get(node, "id"));
    }
    return ids;
}

static int by_from(const void *a, const void *b)
{
    json_t *const *x = a, *const *y = b;
    return (call_integer(*x, "from") > call_integer(*y, "from")) -
           (call_integer(*x, "from") < call_integer(*y, "from"));
}

static json_t *sorted_by_from(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **rows = calloc(count + 1, sizeof(json_t *)), *sorted = json_array();
    if (!rows) abort();
    for (size_t i = 0; i < count; i++) rows[i] = json_array_get(list, i);
    qsort(rows, count, sizeof *rows, by_from);
    for (size_t i = 0; i < count; i++) json_array_append(sorted, rows[i]);
    free(rows);
    json_decref(list);
    return sorted;
}

static json_t *slots_document(const struct picture *p)
{
    const json_t *shards = json_object_get(p->view, "shards");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(shards); i++) {
        const json_t *shard = json_array_get(shards, i);
        json_t *replicas = replicas_of(p, call_text(shard, "id"), call_text(shard, "primary"));
        add_ranges(list, json_object_get(shard, "slots"), call_text(shard, "id"), call_text(shard, "primary"),
                   replicas);
        json_decref(replicas);
    }
    add_ranges(list, json_object_get(p->view, "unassigned"), NULL, NULL, NULL);
    return sorted_by_from(list);
}

/* "2 127.0.0.1:6380", and that it is down. */
static void describe_node(struct buffer *out, const struct picture *p, const char *id)
{
    const json_t *node = picture_node(p, id);
    char name[16];
    picture_node_name(node, name);
    buffer_printf(out, "%s%s %s%s", out->len ? ", " : "", name, picture_address(p, id),
                  is_true(node, "up") ? "" : " (down)");
}

static void add_slot_row(struct table *t, const struct picture *p, const json_t *row)
{
    const json_t *replicas = json_object_get(row, "replicas");
    struct buffer primary, others;
    buffer_init(&primary, 1024);
    buffer_init(&others, 4000);
    if (*call_text(row, "primary")) describe_node(&primary, p, call_text(row, "primary"));
    for (size_t i = 0; i < json_array_size(replicas); i++)
        describe_node(&others, p, json_string_value(json_array_get(replicas, i)));
    table_cell(t, "%" PRId64 "-%" PRId64, call_integer(row, "from"), call_integer(row, "to"));
    table_cell(t, "%" PRId64, call_integer(row, "to") - call_integer(row, "from") + 1);
    table_cell(t, "%s", *call_text(row, "shard") ? call_text(row, "shard") : "unassigned");
    table_cell(t, "%.*s", (int)primary.len, (const char *)primary.data);
    table_cell(t, "%.*s", (int)others.len, (const char *)others.data);
    buffer_release(&primary);
    buffer_release(&others);
}

int tool_cluster_slots(struct tool_call *call)
{
    static const char *const names[] = {"slots", "count", "shard", "primary", "replicas"};
    struct picture p;
    struct table t;
    int code = take_with_view(call, &p);
    if (code) return code;
    json_t *document = slots_document(&p);
    if (call->json) {
        code = call_print_json(document);
    } else {
        table_begin(&t, sizeof names / sizeof *names, names);
        for (size_t i = 0; i < json_array_size(document); i++) add_slot_row(&t, &p, json_array_get(document, i));
        table_end(&t);
    }
    json_decref(document);
    picture_release(&p);
    return code;
}
