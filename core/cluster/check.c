/* The invariants of a state. Apply keeps each of them by refusing what would break it; this says whether it did. */
#include <stdlib.h>

#include "alloc.h"
#include "bounds.h"
#include "info.h"
#include "record.h"
#include "text.h"

#define BROKEN(e, ...) error_set(e, ERROR_INVARIANT, __VA_ARGS__)

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The number other than 0 that is there twice, or 0. Sorts them. */
static uint64_t twice(uint64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, compare_numbers);
    for (size_t i = 1; i < count; i++)
        if (numbers[i] && numbers[i] == numbers[i - 1]) return numbers[i];
    return 0;
}

static int check_unfounded(const struct cluster_state *s, struct error *e)
{
    bool empty = s->version == 0 && s->next_raft_id == 1 && s->next_run == 1 && s->next_shard == 1 &&
                 s->node_count == 0 && s->shard_count == 0 && s->script_count == 0 && s->run_count == 0 &&
                 s->trigger_count == 0 && !s->triggers_paused;
    empty = empty && s->owner[0] == 0 && cluster_stretch_end(s->owner, 0) == CLUSTER_SLOTS;
    return empty ? 0 : BROKEN(e, "a state without cluster id is not empty");
}

static int check_node(const struct cluster_state *s, const struct cluster_node *n, struct error *e)
{
    struct error why;
    if (cluster_node_info_check(&n->info, &why) != 0) return BROKEN(e, "%s", why.text);
    const struct cluster_label label = cluster_node_label(&n->info);
    if (n > s->nodes && strcmp(n[-1].info.id, n->info.id) >= 0) return BROKEN(e, "%s is out of order", label.text);
    if (n->role > CLUSTER_ROLE_VOTER) return BROKEN(e, "%s has an unknown role", label.text);
    if (n->role != CLUSTER_ROLE_NONE && n->raft_id == 0) return BROKEN(e, "%s has a role and no raft id", label.text);
    if (n->raft_id >= s->next_raft_id) return BROKEN(e, "%s has a raft id that was not given out", label.text);
    if (n->shard && !cluster_shard_find(s, n->shard))
        return BROKEN(e, "%s is in shard s%u, which is not there", label.text, n->shard);
    if (!cluster_text_is_line(n->labels)) return BROKEN(e, "%s has malformed labels", label.text);
    if (!n->shard && n->in_sync) return BROKEN(e, "%s is in sync without a shard", label.text);
    return 0;
}

static int check_nodes(const struct cluster_state *s, struct error *e)
{
    if (s->node_count > CLUSTER_NODES_MAX) return BROKEN(e, "%u nodes", s->node_count);
    for (uint32_t i = 0; i < s->node_count; i++) {
        int code = check_node(s, &s->nodes[i], e);
        if (code != 0) return code;
    }
    if (cluster_voters(s) == 0) return BROKEN(e, "there is no voter");
    if (cluster_voters(s) > CLUSTER_VOTERS_MAX) return BROKEN(e, "there are more than %d voters", CLUSTER_VOTERS_MAX);
    if (cluster_raft_members(s) > CLUSTER_RAFT_MAX)
        return BROKEN(e, "there are more than %d voters and learners", CLUSTER_RAFT_MAX);
    uint64_t *numbers = cluster_alloc_array(s->node_count, sizeof *numbers);
    for (uint32_t i = 0; i < s->node_count; i++) numbers[i] = s->nodes[i].info.alias;
    const uint64_t alias = twice(numbers, s->node_count);
    for (uint32_t i = 0; i < s->node_count; i++) numbers[i] = s->nodes[i].raft_id;
    const uint64_t raft_id = twice(numbers, s->node_count);
    free(numbers);
    if (alias) return BROKEN(e, "two nodes have alias %llu", (unsigned long long)alias);
    if (raft_id) return BROKEN(e, "two nodes have raft id %llu", (unsigned long long)raft_id);
    return 0;
}

static int check_shards(const struct cluster_state *s, struct error *e)
{
    for (uint32_t i = 0; i < s->shard_count; i++) {
        const struct cluster_shard *shard = &s->shards[i];
        const struct cluster_node *primary = cluster_node_find(s, shard->primary);
        if (shard->number == 0 || shard->number >= s->next_shard)
            return BROKEN(e, "shard s%u has a number that was not given out", shard->number);
        if (i && s->shards[i - 1].number >= shard->number) return BROKEN(e, "shard s%u is out of order", shard->number);
        if (shard->epoch == 0 || shard->reign == 0) return BROKEN(e, "shard s%u has epoch or reign 0", shard->number);
        if (!primary) return BROKEN(e, "the primary of shard s%u is not there", shard->number);
        if (primary->shard != shard->number) return BROKEN(e, "the primary of shard s%u is not in it", shard->number);
        if (!primary->in_sync) return BROKEN(e, "the primary of shard s%u is not in sync", shard->number);
    }
    return 0;
}

static int check_slots(const struct cluster_state *s, struct error *e)
{
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot = cluster_stretch_end(s->owner, slot)) {
        const uint32_t owner = s->owner[slot];
        if (owner && !cluster_shard_find(s, owner))
            return BROKEN(e, "slot %u is owned by shard s%u, which is not there", slot, owner);
    }
    return 0;
}

static int check_script(const struct cluster_script *script, struct error *e)
{
    if (!cluster_text_is_word(script->name)) return BROKEN(e, "a script has a malformed name");
    if (!cluster_text_is_hex(script->version, CLUSTER_VERSION_DIGITS))
        return BROKEN(e, "script %s has a malformed version", script->name);
    if (script->source_len == 0 || script->source_len > CLUSTER_SCRIPT_MAX)
        return BROKEN(e, "script %s has %zu bytes", script->name, script->source_len);
    return 0;
}

static int check_scripts(const struct cluster_state *s, struct error *e)
{
    if (s->script_count > CLUSTER_SCRIPTS_MAX) return BROKEN(e, "%u scripts", s->script_count);
    for (uint32_t from = 0, to; from < s->script_count; from = to) { /* the versions of one name */
        const struct cluster_script *first = &s->scripts[from];
        uint32_t current = 0;
        for (to = from; to < s->script_count && strcmp(s->scripts[to].name, first->name) == 0; to++) {
            int code = check_script(&s->scripts[to], e);
            if (code != 0) return code;
            current += s->scripts[to].current;
            for (uint32_t i = from; i < to; i++)
                if (strcmp(s->scripts[i].version, s->scripts[to].version) == 0)
                    return BROKEN(e, "script %s has version %s twice", first->name, s->scripts[to].version);
            if (to - from >= CLUSTER_SCRIPT_VERSIONS_MAX)
                return BROKEN(e, "script %s has too many versions", first->name);
        }
        if (from && strcmp(first[-1].name, first->name) >= 0)
            return BROKEN(e, "script %s is out of order", first->name);
        if (current != 1) return BROKEN(e, "script %s has %u current versions", first->name, current);
    }
    return 0;
}

static int check_run_lists(const struct cluster_run *r, struct error *e)
{
    const unsigned long long id = r->id;
    if (r->param_count > CLUSTER_PARAMS_MAX || r->step_count > CLUSTER_STEPS_MAX ||
        r->failed_count > CLUSTER_FAILURES_MAX || r->completion_count > CLUSTER_COMPLETIONS_MAX)
        return BROKEN(e, "run %llu has too many parameters, steps, failures or completions", id);
    for (uint32_t i = 0; i < r->param_count; i++)
        if (!cluster_text_is_word(r->params[i].name) || strlen(r->params[i].value) > CLUSTER_PARAM_VALUE_MAX)
            return BROKEN(e, "run %llu has a malformed parameter", id);
    for (uint32_t i = 0; i < r->step_count; i++)
        if (!cluster_text_is_line(r->steps[i].error) ||
            (r->steps[i].error[0] && r->steps[i].status < CLUSTER_STEP_FAILED))
            return BROKEN(e, "run %llu has a malformed error at step %u", id, i);
    for (uint32_t i = 0; i < r->failed_count; i++)
        if (!cluster_text_is_line(r->failed[i].error) || r->failed[i].step.slots.count || r->failed[i].round > r->round)
            return BROKEN(e, "run %llu has a malformed failure", id);
    return 0;
}

static int check_run(const struct cluster_state *s, const struct cluster_run *r, struct error *e)
{
    const unsigned long long id = r->id;
    const bool last = r == &s->runs[s->run_count - 1], running = r->status == CLUSTER_RUN_RUNNING;
    if (r->id == 0 || r->id >= s->next_run) return BROKEN(e, "run %llu has a number that was not given out", id);
    if (r > s->runs && r[-1].id >= r->id) return BROKEN(e, "run %llu is out of order", id);
    if (r->status > CLUSTER_RUN_CANCELLED) return BROKEN(e, "run %llu has an unknown status", id);
    if (r->paused && !running) return BROKEN(e, "run %llu has ended and is paused", id);
    if (r->trigger[0] && !cluster_text_is_word(r->trigger)) return BROKEN(e, "run %llu has a malformed trigger", id);
    if (running && !last) return BROKEN(e, "run %llu runs beside a newer one", id);
    if (!cluster_text_is_word(r->script)) return BROKEN(e, "run %llu has a malformed script name", id);
    if (r->version[0] && !cluster_text_is_hex(r->version, CLUSTER_VERSION_DIGITS))
        return BROKEN(e, "run %llu has a malformed script version", id);
    if (running != (r->source_len > 0) || r->source_len > CLUSTER_SCRIPT_MAX)
        return BROKEN(e, "run %llu has a source of %zu bytes", id, r->source_len);
    if (!running && r->completion_count) return BROKEN(e, "run %llu has ended and still counts completions", id);
    if (r->step_count && (!last || r->round == 0)) return BROKEN(e, "run %llu has steps it should not have", id);
    if (r->one_round && r->round > 1) return BROKEN(e, "run %llu has more than its one round", id);
    if (!cluster_text_is_line(r->error)) return BROKEN(e, "run %llu has a malformed error", id);
    return check_run_lists(r, e);
}

static int check_runs(const struct cluster_state *s, struct error *e)
{
    if (s->run_count > CLUSTER_RUNS_MAX) return BROKEN(e, "%u runs", s->run_count);
    for (uint32_t i = 0; i < s->run_count; i++) {
        int code = check_run(s, &s->runs[i], e);
        if (code != 0) return code;
    }
    return 0;
}

static int check_trigger(const struct cluster_state *s, const struct cluster_trigger *t, struct error *e)
{
    struct error why;
    if (cluster_trigger_check(t, &why) != 0) return BROKEN(e, "%s", why.text);
    if (t > s->triggers && strcmp(t[-1].name, t->name) >= 0) return BROKEN(e, "trigger %s is out of order", t->name);
    if (t->last_run >= s->next_run) return BROKEN(e, "trigger %s had a run that was not started", t->name);
    return 0;
}

static int check_triggers(const struct cluster_state *s, struct error *e)
{
    if (s->trigger_count > CLUSTER_TRIGGERS_MAX) return BROKEN(e, "%u triggers", s->trigger_count);
    for (uint32_t i = 0; i < s->trigger_count; i++) {
        int code = check_trigger(s, &s->triggers[i], e);
        if (code != 0) return code;
    }
    return 0;
}

static int check_settings(const struct cluster_state *s, struct error *e)
{
    struct error why;
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++)
        if (cluster_setting_check(i, s->settings[i], &why) != 0) return BROKEN(e, "%s", why.text);
    return 0;
}

static int check_size(const struct cluster_state *s, struct error *e)
{
    const size_t size = cluster_state_size(s);
    return size <= CLUSTER_ENCODED_MAX ? 0 : BROKEN(e, "the encoded state has %zu bytes", size);
}

int cluster_state_check(const struct cluster_state *s, struct error *e)
{
    static int (*const checks[])(const struct cluster_state *, struct error *) = {
        check_nodes, check_shards,   check_slots,    check_scripts,
        check_runs,  check_triggers, check_settings, check_size};
    if (!s->id[0]) return check_unfounded(s, e) ? ERROR_INVARIANT : check_settings(s, e);
    if (!cluster_text_is_hex(s->id, CLUSTER_ID_LEN)) return BROKEN(e, "the cluster id is not 40 lower-case hex digits");
    if (s->version == 0) return BROKEN(e, "a founded cluster has metadata version 0");
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof checks / sizeof *checks; i++) code = checks[i](s, e);
    return code;
}
