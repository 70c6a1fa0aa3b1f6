#include "script/saved_view.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/view.h"

/* Where in the view something is: "nodes[3].", "settings.", "". */
struct place {
    char text[32];
    struct error *e;
};

static int wrong(const struct place *p, const char *field, const char *what)
{
    return error_set(p->e, ERROR_FORMAT, "the view is malformed: %s%s %s", p->text, field, what);
}

static struct place place_in(const char *list, size_t index, struct error *e)
{
    struct place p = {.e = e};
    snprintf(p.text, sizeof p.text, "%s[%zu].", list, index);
    return p;
}

/* ---- fields: those that are missing leave `*out` as it is ---- */

static int get_text(const struct place *p, const json_t *row, const char *field, char *out, size_t size)
{
    const json_t *value = json_object_get(row, field);
    if (!value || json_is_null(value)) return 0;
    if (!json_is_string(value)) return wrong(p, field, "must be a text");
    if (json_string_length(value) >= size || memchr(json_string_value(value), 0, json_string_length(value)))
        return wrong(p, field, "is too long, or holds a zero");
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int get_number(const struct place *p, const json_t *row, const char *field, uint64_t max, uint64_t *out)
{
    const json_t *value = json_object_get(row, field);
    if (!value) return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(p, field, "must be a whole number that is not negative");
    if ((uint64_t)json_integer_value(value) > max) return wrong(p, field, "is too large");
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_bool(const struct place *p, const json_t *row, const char *field, bool *out)
{
    const json_t *value = json_object_get(row, field);
    if (!value) return 0;
    if (!json_is_boolean(value)) return wrong(p, field, "must be true or false");
    *out = json_is_true(value);
    return 0;
}

/* A list of the view; NULL with `*code` 0 if there is none. */
static const json_t *read_list(const json_t *view, const char *field, int *code, struct error *e)
{
    const struct place top = {.e = e};
    const json_t *list = json_object_get(view, field);
    *code = list && !json_is_array(list) ? wrong(&top, field, "must be a list") : 0;
    return *code ? NULL : list;
}

/* ---- nodes ---- */

/* A row of `nodes`: what is agreed on, and what was seen. */
struct saved_node {
    struct cluster_node node;
    struct cluster_live_node live;
    bool candidate;
};

static int read_alias(const struct place *p, const json_t *row, struct cluster_node_info *info)
{
    char text[16] = "";
    int code = get_text(p, row, "alias", text, sizeof text);
    char *end;
    unsigned long alias = strtoul(text, &end, 10);
    if (code || !*text) return code;
    if (text[0] < '1' || text[0] > '9' || *end || alias > UINT32_MAX)
        return wrong(p, "alias", "must be a number from 1 to 4294967295, as text");
    info->alias = (uint32_t)alias;
    return 0;
}

/* Addresses are made up; the reader of what nodes send checks the rest. */
static int read_info(const struct place *p, const json_t *row, struct cluster_node_info *info)
{
    *info = (struct cluster_node_info){.name = "saved",
                                       .version = AIKV_VERSION,
                                       .bus_host = "saved",
                                       .bus_port = 1,
                                       .incarnation = 1,
                                       .endpoint_count = 1};
    info->endpoints[0] = (struct cluster_endpoint){.match = "any", .host = "saved", .port = 1};
    int code = get_text(p, row, "id", info->id, sizeof info->id);
    if (!code) code = read_alias(p, row, info);
    if (!code) code = get_text(p, row, "name", info->name, sizeof info->name);
    if (!code) code = get_text(p, row, "version", info->version, sizeof info->version);
    if (!code) code = get_text(p, row, "zone", info->zone, sizeof info->zone);
    if (!code) code = get_text(p, row, "labels", info->labels, sizeof info->labels);
    if (code) return code;
    struct buffer encoded;
    struct error why;
    buffer_init(&encoded, 64 << 10);
    cluster_node_info_write(&encoded, info);
    struct reader in = reader_of(buffer_bytes(&encoded));
    code = cluster_node_info_read(&in, info, &why);
    buffer_release(&encoded);
    return code ? wrong(p, "", why.text) : 0;
}

static int read_state(const struct place *p, const json_t *row, struct saved_node *out)
{
    char state[16] = "member";
    int code = get_text(p, row, "state", state, sizeof state);
    out->candidate = strcmp(state, "candidate") == 0;
    out->node.leaving = strcmp(state, "leaving") == 0;
    if (!code && !out->candidate && !out->node.leaving && strcmp(state, "member") != 0)
        return wrong(p, "state", "must be member, leaving or candidate");
    return code;
}

/* The wanted part in MetaRaft, and the present one; of a view that tells one of them, it is the other too. */
static int read_role(const struct place *p, const json_t *row, struct saved_node *out)
{
    bool voter = false, learner = false;
    char role[16] = "";
    int code = get_bool(p, row, "voter", &voter);
    if (!code) code = get_bool(p, row, "learner", &learner);
    if (!code) code = get_text(p, row, "role", role, sizeof role);
    out->live.role = voter ? CLUSTER_ROLE_VOTER : learner ? CLUSTER_ROLE_LEARNER : CLUSTER_ROLE_NONE;
    out->node.role = out->live.role;
    if (code || !*role) return code;
    enum cluster_role wanted = CLUSTER_ROLE_NONE;
    while (wanted <= CLUSTER_ROLE_VOTER && strcmp(cluster_role_name(wanted), role) != 0) wanted++;
    if (wanted > CLUSTER_ROLE_VOTER) return wrong(p, "role", "must be none, learner or voter");
    out->node.role = wanted;
    if (!json_object_get(row, "voter") && !json_object_get(row, "learner")) out->live.role = wanted;
    return 0;
}

static int read_shard(const struct place *p, const json_t *row, struct saved_node *out)
{
    char shard[VIEW_SHARD_NAME_MAX] = "";
    int code = get_text(p, row, "shard", shard, sizeof shard);
    if (!code && *shard && !view_shard_number(bytes_text(shard), &out->node.shard))
        return wrong(p, "shard", "must be as s1");
    if (!code) code = get_bool(p, row, "primary", &out->node.in_sync); /* as long as in_sync does not say otherwise */
    return code ? code : get_bool(p, row, "in_sync", &out->node.in_sync);
}

/* A number with or without a fraction, in thousandths; nothing there: stays as it is. */
static int thousandths_of(const struct place *p, const char *field, const json_t *value, uint64_t *out)
{
    if (!value) return 0;
    if (!json_is_number(value) || !(json_number_value(value) >= 0 && json_number_value(value) <= (double)CLUSTER_LOAD_MAX / 1000))
        return wrong(p, field, "must be a number from 0 to 2.8e11");
    *out = (uint64_t)(json_number_value(value) * 1000 + 0.5);
    return 0;
}

static int read_node_load(const struct place *p, const json_t *row, struct cluster_node_load *load)
{
    int code = get_number(p, row, "keys", INT64_MAX, &load->keys);
    if (!code) code = thousandths_of(p, "ops", json_object_get(row, "ops"), &load->milliops);
    if (!code) code = get_number(p, row, "uptime_ms", INT64_MAX, &load->uptime_ms);
    if (!code) code = get_number(p, row, "disk_bytes", INT64_MAX, &load->disk_bytes);
    if (!code) code = get_number(p, row, "disk_limit_bytes", INT64_MAX, &load->disk_limit_bytes);
    if (!code) code = get_number(p, row, "memory_bytes", INT64_MAX, &load->memory_bytes);
    return code ? code : get_number(p, row, "memory_limit_bytes", INT64_MAX, &load->memory_limit_bytes);
}

static int read_seen(const struct place *p, const json_t *row, struct cluster_live_node *live)
{
    int code = get_number(p, row, "silent_ms", INT64_MAX, &live->silent_ms);
    if (!code) code = get_number(p, row, "metadata_version", INT64_MAX, &live->metadata_version);
    return code ? code : read_node_load(p, row, &live->load);
}

static int read_node(const struct place *p, const json_t *row, struct saved_node *out)
{
    *out = (struct saved_node){.node = {.up = true}};
    if (!json_is_object(row)) return wrong(p, "", "must be an object");
    int code = read_info(p, row, &out->node.info);
    if (!code) code = read_state(p, row, out);
    if (!code) code = read_role(p, row, out);
    if (!code) code = read_shard(p, row, out);
    if (!code) code = get_bool(p, row, "up", &out->node.up);
    if (!code) code = read_seen(p, row, &out->live);
    memcpy(out->live.id, out->node.info.id, sizeof out->live.id);
    return code;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct saved_node *)a)->node.info.id, ((const struct saved_node *)b)->node.info.id);
}

/* Gives the sorted rows to the state and to live, which have room for all. */
static void keep_nodes(struct saved_node *rows, size_t count, struct cluster_state *s, struct cluster_live *live)
{
    for (size_t i = 0; i < count; i++) {
        struct saved_node *row = &rows[i];
        if (row->candidate) {
            live->candidates[live->candidate_count++] = row->node.info;
            continue;
        }
        if (row->node.role != CLUSTER_ROLE_NONE) row->node.raft_id = s->next_raft_id++;
        s->nodes[s->node_count++] = row->node;
        live->nodes[live->node_count++] = row->live;
    }
}

static int read_rows(const json_t *list, struct saved_node *rows, struct cluster_state *s, struct cluster_live *live,
                     struct error *e)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        struct place p = place_in("nodes", i, e);
        int code = read_node(&p, json_array_get(list, i), &rows[i]);
        if (code) return code;
    }
    qsort(rows, count, sizeof *rows, by_id);
    for (size_t i = 1; i < count; i++)
        if (by_id(&rows[i - 1], &rows[i]) == 0)
            return error_set(e, ERROR_FORMAT, "the view is malformed: nodes has %s twice", rows[i].node.info.id);
    keep_nodes(rows, count, s, live);
    return 0;
}

static int read_nodes(const json_t *view, struct cluster_state *s, struct cluster_live *live, struct error *e)
{
    int code;
    const json_t *list = read_list(view, "nodes", &code, e);
    size_t count = json_array_size(list);
    if (code) return code;
    if (count > CLUSTER_NODES_MAX)
        return error_set(e, ERROR_FORMAT, "the view is malformed: nodes has more than %d", CLUSTER_NODES_MAX);
    struct saved_node *rows = calloc(count + 1, sizeof *rows);
    s->nodes = calloc(count + 1, sizeof *s->nodes);
    live->nodes = calloc(count + 1, sizeof *live->nodes);
    live->candidates = calloc(count + 1, sizeof *live->candidates);
    code = rows && s->nodes && live->nodes && live->candidates ? read_rows(list, rows, s, live, e)
                                                               : error_set(e, ERROR_OOM, "no memory for the view");
    free(rows);
    return code;
}

/* ---- shards ---- */

static int read_range(const struct place *p, const json_t *range, uint32_t shard, struct cluster_state *s)
{
    const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
    bool valid = json_array_size(range) == 2 && json_is_integer(from) && json_is_integer(to) &&
                 json_integer_value(from) >= 0 && json_integer_value(from) <= json_integer_value(to) &&
                 json_integer_value(to) < CLUSTER_SLOTS;
    if (!valid) return wrong(p, "slots", "must be a list of ranges as [0, 5460]");
    for (json_int_t slot = json_integer_value(from); slot <= json_integer_value(to); slot++) {
        if (s->owner[slot]) return wrong(p, "slots", "has a slot that another shard, or range, has");
        s->owner[slot] = shard;
    }
    return 0;
}

static int read_slots(const struct place *p, const json_t *row, uint32_t shard, struct cluster_state *s)
{
    const json_t *slots = json_object_get(row, "slots");
    if (slots && !json_is_array(slots)) return wrong(p, "slots", "must be a list of ranges as [0, 5460]");
    for (size_t i = 0; i < json_array_size(slots); i++) {
        int code = read_range(p, json_array_get(slots, i), shard, s);
        if (code) return code;
    }
    return 0;
}

static int read_shard_row(const struct place *p, const json_t *row, struct cluster_state *s)
{
    char id[VIEW_SHARD_NAME_MAX] = "";
    struct cluster_shard shard = {.epoch = 1, .reign = 1};
    if (!json_is_object(row)) return wrong(p, "", "must be an object");
    int code = get_text(p, row, "id", id, sizeof id);
    if (code) return code;
    if (!view_shard_number(bytes_text(id), &shard.number) || shard.number == UINT32_MAX)
        return wrong(p, "id", "must be as s1");
    code = get_number(p, row, "epoch", INT64_MAX, &shard.epoch);
    if (!code) code = get_text(p, row, "primary", shard.primary, sizeof shard.primary);
    if (!code) code = read_slots(p, row, shard.number, s);
    s->shards[s->shard_count++] = shard;
    if (shard.number >= s->next_shard) s->next_shard = shard.number + 1;
    return code;
}

static int by_number(const void *a, const void *b)
{
    const struct cluster_shard *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int read_shards(const json_t *view, struct cluster_state *s, struct error *e)
{
    int code;
    const json_t *list = read_list(view, "shards", &code, e);
    size_t count = json_array_size(list);
    if (code) return code;
    if (count > CLUSTER_NODES_MAX)
        return error_set(e, ERROR_FORMAT, "the view is malformed: shards has more than %d", CLUSTER_NODES_MAX);
    s->shards = calloc(count + 1, sizeof *s->shards);
    if (!s->shards) return error_set(e, ERROR_OOM, "no memory for the view");
    for (size_t i = 0; i < count && !code; i++) {
        struct place p = place_in("shards", i, e);
        code = read_shard_row(&p, json_array_get(list, i), s);
    }
    qsort(s->shards, s->shard_count, sizeof *s->shards, by_number);
    return code;
}

/* ---- load by slot ---- */

static int read_slot(const struct place *p, const char *field, const json_t *value, uint64_t *out)
{
    if (strcmp(field, "ops") == 0) return thousandths_of(p, field, value, out);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > CLUSTER_LOAD_MAX)
        return wrong(p, field, "must be a list of whole numbers from 0 to 2^48");
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

/* A flat list by slot number; one that is short has 0 for the others. */
static int read_by_slot(const struct place *p, const json_t *slots, const char *field, uint64_t out[CLUSTER_SLOTS])
{
    const json_t *list = json_object_get(slots, field);
    int code = 0;
    if (list && (!json_is_array(list) || json_array_size(list) > CLUSTER_SLOTS))
        return wrong(p, field, "must be a list of up to 16384 numbers");
    for (size_t i = 0; !code && i < json_array_size(list); i++) code = read_slot(p, field, json_array_get(list, i), &out[i]);
    return code;
}

static int read_load(const json_t *view, struct cluster_live *live, struct error *e)
{
    const struct place p = {.text = "slots.", .e = e}, top = {.e = e};
    const json_t *slots = json_object_get(view, "slots");
    if (!slots) return 0;
    if (!json_is_object(slots)) return wrong(&top, "slots", "must be an object");
    live->load = calloc(1, sizeof *live->load);
    if (!live->load) return error_set(e, ERROR_OOM, "no memory for the view");
    int code = read_by_slot(&p, slots, "keys", live->load->keys);
    if (!code) code = read_by_slot(&p, slots, "bytes", live->load->bytes);
    return code ? code : read_by_slot(&p, slots, "ops", live->load->milliops);
}

/* ---- the rest ---- */

static int read_settings(const json_t *view, struct cluster_state *s, struct error *e)
{
    const struct place p = {.text = "settings.", .e = e}, top = {.e = e};
    const json_t *settings = json_object_get(view, "settings");
    if (settings && !json_is_object(settings)) return wrong(&top, "settings", "must be an object");
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++) {
        uint64_t value = (uint64_t)s->settings[i];
        int code = get_number(&p, settings, cluster_setting_info(i)->name, INT64_MAX, &value);
        if (code) return code;
        s->settings[i] = (int64_t)value;
    }
    return 0;
}

static int read_head(const json_t *view, struct cluster_state *s, struct cluster_live *live, struct error *e)
{
    const struct place top = {.e = e};
    if (s->node_count == 0) return 0; /* there is no cluster yet */
    s->version = 1;
    memcpy(s->id, s->nodes[0].info.id, sizeof s->id);
    int code = get_number(&top, view, "version", INT64_MAX, &s->version);
    if (!code) code = get_text(&top, view, "leader", live->leader, sizeof live->leader);
    if (!code && *live->leader && !cluster_node_find(s, live->leader))
        return wrong(&top, "leader", "is not among the nodes");
    return code;
}

static int read_view(const json_t *view, struct cluster_state *s, struct cluster_live *live, struct error *e)
{
    const struct place top = {.text = "it", .e = e};
    if (!json_is_object(view)) return wrong(&top, "", "must be an object, as CLUSTER SCRIPT VIEW prints it");
    int code = read_nodes(view, s, live, e);
    if (!code) code = read_shards(view, s, e);
    if (!code) code = read_load(view, live, e);
    if (!code) code = read_settings(view, s, e);
    if (!code) code = read_head(view, s, live, e);
    struct error why;
    if (!code && cluster_state_check(s, &why))
        return error_set(e, ERROR_FORMAT, "the parts of the view do not fit together: %s", why.text);
    return code;
}

int script_saved_view_read(struct bytes json, struct cluster_state **state, struct cluster_live *live, struct error *e)
{
    json_error_t problem;
    *state = NULL;
    *live = (struct cluster_live){0};
    json_t *view = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &problem);
    if (!view)
        return error_set(e, ERROR_FORMAT, "the view is not JSON: line %d, column %d: %s", problem.line, problem.column,
                         problem.text);
    struct cluster_state *s = cluster_state_new();
    int code = read_view(view, s, live, e);
    json_decref(view);
    if (!code) {
        *state = s;
        return 0;
    }
    cluster_state_free(s);
    cluster_live_release(live);
    *live = (struct cluster_live){0};
    return code;
}
