/* Looking things up in a state. */
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "cluster/state.h"

#define PREFIX_MIN 6 /* shortest prefix of an id that names a node */

static int compare_id(const void *id, const void *node)
{
    return strcmp(id, ((const struct cluster_node *)node)->info.id);
}

struct cluster_node *cluster_node_find(const struct cluster_state *s, const char *id)
{
    if (s->node_count == 0) return NULL;
    return bsearch(id, s->nodes, s->node_count, sizeof *s->nodes, compare_id);
}

struct cluster_node *cluster_node_by_raft_id(const struct cluster_state *s, uint64_t raft_id)
{
    for (uint32_t i = 0; raft_id && i < s->node_count; i++)
        if (s->nodes[i].raft_id == raft_id) return &s->nodes[i];
    return NULL;
}

static bool has_id(const struct cluster_node *n, struct bytes text)
{
    return bytes_is(text, n->info.id);
}

static bool has_alias(const struct cluster_node *n, struct bytes text)
{
    int64_t alias;
    return number_parse_integer(text, &alias) && alias > 0 && alias == n->info.alias;
}

static bool has_name(const struct cluster_node *n, struct bytes text)
{
    return bytes_equal(text, bytes_text(n->info.name));
}

static bool has_prefix(const struct cluster_node *n, struct bytes text)
{
    return text.len >= PREFIX_MIN && text.len < CLUSTER_ID_LEN &&
           strncasecmp(n->info.id, (const char *)text.data, text.len) == 0;
}

const struct cluster_node *cluster_node_named(const struct cluster_state *s, struct bytes text, struct error *e)
{
    /* The surest meaning first: a machine that is called "2" does not hide the node with alias 2. */
    static bool (*const meanings[])(const struct cluster_node *, struct bytes) = {has_id, has_alias, has_name,
                                                                                  has_prefix};
    int shown = text.len > 80 ? 80 : (int)text.len;
    const char *shown_text = text.len ? (const char *)text.data : "";
    for (size_t m = 0; m < sizeof meanings / sizeof *meanings; m++) {
        const struct cluster_node *found = NULL;
        for (uint32_t i = 0; i < s->node_count; i++) {
            if (!meanings[m](&s->nodes[i], text)) continue;
            if (found) {
                error_set(e, ERROR_GENERIC, "'%.*s' is ambiguous: it names node %.12s and node %.12s", shown,
                          shown_text, found->info.id, s->nodes[i].info.id);
                return NULL;
            }
            found = &s->nodes[i];
        }
        if (found) return found;
    }
    error_set(e, ERROR_NOT_FOUND, "no node '%.*s'", shown, shown_text);
    return NULL;
}

struct cluster_shard *cluster_shard_find(const struct cluster_state *s, uint32_t number)
{
    uint32_t low = 0, high = s->shard_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->shards[middle].number == number) return &s->shards[middle];
        if (s->shards[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool cluster_node_is_primary(const struct cluster_state *s, const struct cluster_node *n)
{
    const struct cluster_shard *shard = n->shard ? cluster_shard_find(s, n->shard) : NULL;
    return shard && strcmp(shard->primary, n->info.id) == 0;
}

int cluster_shard_slots(const struct cluster_state *s, uint32_t number, struct cluster_ranges *out)
{
    *out = (struct cluster_ranges){0};
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (s->owner[slot] != number) continue;
        unsigned from = slot;
        while (slot + 1 < CLUSTER_SLOTS && s->owner[slot + 1] == number) slot++;
        int code = cluster_ranges_add(out, from, slot, NULL);
        if (code != 0) {
            cluster_ranges_release(out);
            return code;
        }
    }
    return 0;
}

void cluster_shard_hex(const struct cluster_state *s, uint32_t number, char out[CLUSTER_ID_LEN + 1])
{
    snprintf(out, CLUSTER_ID_LEN + 1, "%.32s%08x", s->id, number);
}

struct cluster_trigger *cluster_trigger_find(const struct cluster_state *s, const char *name)
{
    for (uint32_t i = 0; i < s->trigger_count; i++)
        if (strcmp(s->triggers[i].name, name) == 0) return &s->triggers[i];
    return NULL;
}

const char *cluster_node_labels(const struct cluster_node *n)
{
    return n->labels[0] ? n->labels : n->info.labels;
}

const struct cluster_script *cluster_script_find(const struct cluster_state *s, const char *name, const char *version)
{
    for (uint32_t i = 0; i < s->script_count; i++) {
        const struct cluster_script *script = &s->scripts[i];
        if (strcmp(script->name, name) != 0) continue;
        if (version ? strcmp(script->version, version) == 0 : script->current) return script;
    }
    return NULL;
}

struct cluster_run *cluster_run_find(const struct cluster_state *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->run_count; i++)
        if (s->runs[i].id == id) return &s->runs[i];
    return NULL;
}

uint32_t cluster_run_completed(const struct cluster_run *r, const struct cluster_step *step)
{
    const uint64_t digest = cluster_step_digest(step);
    for (uint32_t i = r->completion_count; i-- > 0;)
        if (r->completions[i].digest == digest) return r->completions[i].count;
    return 0;
}

struct cluster_run *cluster_run_active(const struct cluster_state *s)
{
    for (uint32_t i = 0; i < s->run_count; i++)
        if (s->runs[i].status == CLUSTER_RUN_RUNNING) return &s->runs[i];
    return NULL;
}

uint32_t cluster_voters(const struct cluster_state *s)
{
    uint32_t voters = 0;
    for (uint32_t i = 0; i < s->node_count; i++) voters += s->nodes[i].role == CLUSTER_ROLE_VOTER;
    return voters;
}

uint32_t cluster_raft_members(const struct cluster_state *s)
{
    uint32_t members = 0;
    for (uint32_t i = 0; i < s->node_count; i++) members += s->nodes[i].role != CLUSTER_ROLE_NONE;
    return members;
}
