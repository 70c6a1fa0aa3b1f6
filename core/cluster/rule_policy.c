/* What policies share: settings, and the triggers that start them. */
#include "alloc.h"
#include "bounds.h"
#include "record.h"
#include "rule.h"

enum rule_verdict cluster_judge_set_setting(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    (void)out;
    return s->settings[c->setting] == c->value ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_set_setting(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    s->settings[c->setting] = c->value;
}

void cluster_triggers_insert(struct cluster_state *s, struct cluster_trigger *t)
{
    uint32_t at = s->trigger_count;
    while (at > 0 && strcmp(s->triggers[at - 1].name, t->name) > 0) at--;
    s->triggers = cluster_alloc_resize(s->triggers, s->trigger_count + 1u, sizeof *s->triggers);
    memmove(&s->triggers[at + 1], &s->triggers[at], (s->trigger_count - at) * sizeof *s->triggers);
    s->trigger_count++;
    s->triggers[at] = *t;
    *t = (struct cluster_trigger){0};
}

static bool same_trigger(const struct cluster_trigger *a, const struct cluster_trigger *b)
{
    bool same = strcmp(a->script, b->script) == 0 && a->event == b->event && a->every_s == b->every_s &&
                a->cooldown_s == b->cooldown_s && a->param_count == b->param_count;
    for (uint32_t i = 0; same && i < a->param_count; i++)
        same = strcmp(a->params[i].name, b->params[i].name) == 0 && strcmp(a->params[i].value, b->params[i].value) == 0;
    return same;
}

enum rule_verdict cluster_judge_trigger_set(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_trigger *t = cluster_trigger_find(s, c->trigger.name);
    if (t && same_trigger(t, &c->trigger)) return RULE_NOTHING;
    if (!t && s->trigger_count >= CLUSTER_TRIGGERS_MAX)
        return RULE_REFUSE(out, ERROR_LIMIT, "there are %d triggers already, as many as there may be", CLUSTER_TRIGGERS_MAX);
    return cluster_rule_fits(s, cluster_trigger_size(&c->trigger), CLUSTER_ROOM_SCRIPTS, "triggers", out) ? RULE_CHANGE
                                                                                                          : RULE_REFUSED;
}

void cluster_change_trigger_set(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    struct cluster_trigger *t = cluster_trigger_find(s, c->trigger.name);
    c->trigger.last_run = t ? t->last_run : 0;
    c->trigger.fired_ms = t ? t->fired_ms : 0;
    if (!t) {
        cluster_triggers_insert(s, &c->trigger);
        return;
    }
    cluster_trigger_release(t);
    *t = c->trigger;
    c->trigger = (struct cluster_trigger){0};
}

enum rule_verdict cluster_judge_trigger_delete(const struct cluster_state *s, const struct cluster_command *c,
                                               struct cluster_result *out)
{
    if (cluster_trigger_find(s, c->name)) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_NOT_FOUND, "no trigger '%s'", c->name);
}

void cluster_change_trigger_delete(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    struct cluster_trigger *t = cluster_trigger_find(s, c->name);
    cluster_trigger_release(t);
    memmove(t, t + 1, (size_t)(&s->triggers[s->trigger_count] - (t + 1)) * sizeof *t);
    s->trigger_count--;
}

enum rule_verdict cluster_judge_triggers_pause(const struct cluster_state *s, const struct cluster_command *c,
                                               struct cluster_result *out)
{
    (void)out;
    return s->triggers_paused == c->on ? RULE_NOTHING : RULE_CHANGE;
}

void cluster_change_triggers_pause(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    s->triggers_paused = c->on;
}
