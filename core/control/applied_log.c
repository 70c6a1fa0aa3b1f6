/* The leader's log lines about what was done: written when it is committed and applied, never on the way there. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "control/control_thread.h"

void control_step_text(struct control *c, const struct cluster_step *step, char *out, size_t size)
{
    char what[200];
    struct buffer b;
    buffer_init(&b, size);
    cluster_step_text(step, what, sizeof what);
    cluster_step_label(what, step->node[0] ? control_info_of(c, step->node) : NULL, &b);
    snprintf(out, size, "%.*s", (int)b.len, b.len ? (const char *)b.data : "");
    buffer_release(&b);
}

static void log_step(struct control *c, const struct cluster_command *m)
{
    const struct cluster_run *run = cluster_run_find(meta_state(c->meta), m->run);
    if (!run || m->index >= run->step_count) return;
    char what[320];
    control_step_text(c, &run->steps[m->index].step, what, sizeof what);
    if (m->step_status == CLUSTER_STEP_FAILED)
        log_warn("a step failed", "run=%" PRIu64 " step=%u.%u what=%s error=%s", run->id, m->round, m->index + 1,
                 log_quote(what), log_quote(m->text));
    else if (m->step_status == CLUSTER_STEP_DONE)
        log_info("a step is done", "run=%" PRIu64 " step=%u.%u what=%s", run->id, m->round, m->index + 1,
                 log_quote(what));
    else if (m->step_status == CLUSTER_STEP_STALE)
        log_info("a step is stale", "run=%" PRIu64 " step=%u.%u what=%s why=%s", run->id, m->round, m->index + 1,
                 log_quote(what), log_quote(m->text));
}

static void log_pause(const struct cluster_command *m)
{
    log_info(m->on ? "a run is paused" : "a run is resumed", "run=%" PRIu64, m->run);
}

static void log_run(struct control *c, uint64_t id)
{
    const struct cluster_run *run = cluster_run_find(meta_state(c->meta), id);
    if (!run) return;
    if (run->status == CLUSTER_RUN_FAILED)
        log_warn("a run failed", "run=%" PRIu64 " script=%s error=%s", run->id, run->script, log_quote(run->error));
    else if (run->status == CLUSTER_RUN_DONE)
        log_info("a run is done", "run=%" PRIu64 " script=%s rounds=%u steps=%u", run->id, run->script, run->round,
                 run->steps_done);
    else if (run->status == CLUSTER_RUN_CANCELLED)
        log_info("a run was cancelled", "run=%" PRIu64 " script=%s rounds=%u steps=%u", run->id, run->script, run->round,
                 run->steps_done);
    else
        log_info("a run starts", "run=%" PRIu64 " script=%s version=%s trigger=%s", run->id, run->script, run->version,
                 run->trigger);
}

static void log_reach(struct control *c, const struct cluster_command *m)
{
    const struct cluster_node *n = cluster_node_find(meta_state(c->meta), m->node);
    if (m->up)
        log_info("a node is up", "node=%s alias=%u", m->node, n ? n->info.alias : 0);
    else
        log_warn("a node is down", "node=%s alias=%u", m->node, n ? n->info.alias : 0);
}

static void log_fired(struct control *c, const struct cluster_command *m, uint64_t run)
{
    const struct cluster_trigger *t = m->text[0] ? cluster_trigger_find(meta_state(c->meta), m->text) : NULL;
    if (t)
        log_info("a trigger fires", "trigger=%s event=%s run=%" PRIu64 " script=%s version=%s", t->name,
                 cluster_event_name(t->event), run, m->name, m->version);
}

void control_log_applied(struct control *c, struct bytes command, const struct cluster_result *result)
{
    struct cluster_command m;
    struct error e;
    /* One that leads no more, and has not looked yet, hears of what the next leader does. */
    if (!c->leads || !meta_leads(c->meta) || cluster_command_decode(command, &m, &e) != 0) return;
    switch (m.type) {
    case CLUSTER_RUN_START:
        log_fired(c, &m, result->value);
        log_run(c, result->value);
        break;
    case CLUSTER_RUN_STEP: log_step(c, &m); break;
    case CLUSTER_RUN_PAUSE: log_pause(&m); break;
    case CLUSTER_RUN_END: log_run(c, m.run); break;
    case CLUSTER_SET_REACHABLE: log_reach(c, &m); break;
    case CLUSTER_TRIGGER_SET:
        log_info("a trigger is set", "trigger=%s script=%s event=%s", m.trigger.name, m.trigger.script,
                 cluster_event_name(m.trigger.event));
        break;
    case CLUSTER_TRIGGER_DELETE: log_info("a trigger is deleted", "trigger=%s", m.name); break;
    case CLUSTER_TRIGGERS_PAUSE: log_info(m.on ? "triggers are paused" : "triggers go on", ""); break;
    default: break;
    }
    cluster_command_release(&m);
}
