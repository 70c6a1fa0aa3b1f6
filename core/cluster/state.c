#include "cluster/state.h"

#include <stdlib.h>

#include "alloc.h"
#include "record.h"

const char *cluster_role_name(enum cluster_role role)
{
    static const char *const names[] = {"none", "learner", "voter"};
    return names[role];
}

const char *cluster_run_status_name(enum cluster_run_status s)
{
    static const char *const names[] = {"running", "done", "failed", "cancelled"};
    return names[s];
}

const char *cluster_step_status_name(enum cluster_step_status s)
{
    static const char *const names[] = {"pending", "started", "done", "failed", "stale"};
    return names[s];
}

static const char *const event_names[CLUSTER_EVENTS] = {"node_down", "node_up", "candidate", "imbalance", "schedule"};

const char *cluster_event_name(enum cluster_event event)
{
    return event_names[event];
}

enum cluster_event cluster_event_find(struct bytes name)
{
    enum cluster_event event = 0;
    while (event < CLUSTER_EVENTS && !bytes_is(name, event_names[event])) event++;
    return event;
}

struct cluster_state *cluster_state_new(void)
{
    struct cluster_state *s = cluster_alloc_array(1, sizeof *s);
    s->next_raft_id = 1;
    s->next_shard = 1;
    s->next_run = 1;
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++) s->settings[i] = cluster_setting_info(i)->initial;
    return s;
}

void cluster_run_drop_steps(struct cluster_run *r)
{
    for (uint32_t i = 0; i < r->step_count; i++) cluster_step_release(&r->steps[i].step);
    free(r->steps);
    r->steps = NULL;
    r->step_count = 0;
}

void cluster_run_release(struct cluster_run *r)
{
    cluster_run_drop_steps(r);
    for (uint32_t i = 0; i < r->failed_count; i++) cluster_step_release(&r->failed[i].step);
    free(r->failed);
    cluster_params_release(r->params, r->param_count);
    free(r->completions);
    free(r->source);
    *r = (struct cluster_run){0};
}

void cluster_trigger_release(struct cluster_trigger *t)
{
    cluster_params_release(t->params, t->param_count);
    *t = (struct cluster_trigger){0};
}

void cluster_state_free(struct cluster_state *s)
{
    if (!s) return;
    for (uint32_t i = 0; i < s->script_count; i++) free(s->scripts[i].source);
    for (uint32_t i = 0; i < s->run_count; i++) cluster_run_release(&s->runs[i]);
    for (uint32_t i = 0; i < s->trigger_count; i++) cluster_trigger_release(&s->triggers[i]);
    free(s->triggers);
    free(s->nodes);
    free(s->shards);
    free(s->scripts);
    free(s->runs);
    free(s);
}

/* A copy of an array of `count` elements; what its elements point to is still shared. */
static void *copy_array(const void *array, uint32_t count, size_t size)
{
    void *copy = cluster_alloc_array(count, size);
    if (count) memcpy(copy, array, count * size);
    return copy;
}

static void unshare_step(struct cluster_step *s)
{
    const struct cluster_step shared = *s;
    cluster_alloc_require(cluster_step_copy(s, &shared));
}

static struct cluster_param *copy_params(const struct cluster_param *params, uint32_t count)
{
    struct cluster_param *copy = copy_array(params, count, sizeof *params);
    for (uint32_t i = 0; i < count; i++) copy[i].value = cluster_alloc_copy(params[i].value, strlen(params[i].value));
    return copy;
}

static void unshare_run(struct cluster_run *r)
{
    r->source = cluster_alloc_copy(r->source, r->source_len);
    r->params = copy_params(r->params, r->param_count);
    r->steps = copy_array(r->steps, r->step_count, sizeof *r->steps);
    for (uint32_t i = 0; i < r->step_count; i++) unshare_step(&r->steps[i].step);
    r->failed = copy_array(r->failed, r->failed_count, sizeof *r->failed);
    for (uint32_t i = 0; i < r->failed_count; i++) unshare_step(&r->failed[i].step);
    r->completions = copy_array(r->completions, r->completion_count, sizeof *r->completions);
}

struct cluster_state *cluster_state_clone(const struct cluster_state *s, bool scripts)
{
    struct cluster_state *c = copy_array(s, 1, sizeof *s);
    c->nodes = copy_array(s->nodes, s->node_count, sizeof *s->nodes);
    c->shards = copy_array(s->shards, s->shard_count, sizeof *s->shards);
    if (!scripts) c->script_count = c->run_count = c->trigger_count = 0;
    c->scripts = copy_array(s->scripts, c->script_count, sizeof *s->scripts);
    for (uint32_t i = 0; i < c->script_count; i++)
        c->scripts[i].source = cluster_alloc_copy(c->scripts[i].source, c->scripts[i].source_len);
    c->runs = copy_array(s->runs, c->run_count, sizeof *s->runs);
    for (uint32_t i = 0; i < c->run_count; i++) unshare_run(&c->runs[i]);
    c->triggers = copy_array(s->triggers, c->trigger_count, sizeof *s->triggers);
    for (uint32_t i = 0; i < c->trigger_count; i++)
        c->triggers[i].params = copy_params(c->triggers[i].params, c->triggers[i].param_count);
    return c;
}
