/* Scripts: versions by name, one of them current. */
#include <stdlib.h>

#include "alloc.h"
#include "bounds.h"
#include "rule.h"

/* The versions of a name lie side by side: where they begin, and how many they are. `first` is also where a new name
 * belongs. */
struct versions {
    uint32_t first, count;
};

static struct versions versions_of(const struct cluster_state *s, const char *name)
{
    struct versions v = {0};
    while (v.first < s->script_count && strcmp(s->scripts[v.first].name, name) < 0) v.first++;
    while (v.first + v.count < s->script_count && strcmp(s->scripts[v.first + v.count].name, name) == 0) v.count++;
    return v;
}

static bool is_full(struct versions v)
{
    return v.count >= CLUSTER_SCRIPT_VERSIONS_MAX;
}

enum rule_verdict cluster_judge_load_script(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_script *same = cluster_script_find(s, c->name, c->version);
    if (same && (same->source_len != c->source_len || memcmp(same->source, c->source, c->source_len) != 0))
        return RULE_REFUSE(out, ERROR_EXISTS, "script %s has another text as version %s", c->name, c->version);
    if (same) return same->current ? RULE_NOTHING : RULE_CHANGE;
    if (s->script_count >= CLUSTER_SCRIPTS_MAX && !is_full(versions_of(s, c->name)))
        return RULE_REFUSE(out, ERROR_LIMIT, "there are %u versions of scripts already, as many as may be kept",
                           s->script_count);
    size_t more = c->source_len + sizeof(struct cluster_script);
    return cluster_rule_fits(s, more, CLUSTER_ROOM_SCRIPTS, "scripts", out) ? RULE_CHANGE : RULE_REFUSED;
}

static void remove_at(struct cluster_state *s, uint32_t at)
{
    free(s->scripts[at].source);
    memmove(&s->scripts[at], &s->scripts[at + 1], (s->script_count - at - 1) * sizeof *s->scripts);
    s->script_count--;
}

static void insert_at(struct cluster_state *s, uint32_t at, struct cluster_command *c)
{
    s->scripts = cluster_alloc_resize(s->scripts, s->script_count + 1u, sizeof *s->scripts);
    struct cluster_script *script = &s->scripts[at];
    memmove(script + 1, script, (s->script_count - at) * sizeof *script);
    s->script_count++;
    *script = (struct cluster_script){.loaded_ms = c->wall_ms, .source = c->source, .source_len = c->source_len};
    memcpy(script->name, c->name, sizeof script->name);
    memcpy(script->version, c->version, sizeof script->version);
    c->source = NULL;
    c->source_len = 0;
}

static void make_current(struct cluster_state *s, struct versions v, const char *version)
{
    for (uint32_t i = v.first; i < v.first + v.count; i++)
        s->scripts[i].current = strcmp(s->scripts[i].version, version) == 0;
}

void cluster_change_load_script(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    struct versions v = versions_of(s, c->name);
    if (!cluster_script_find(s, c->name, c->version)) {
        if (is_full(v)) {
            remove_at(s, s->scripts[v.first].current ? v.first + 1 : v.first); /* the oldest that is not current */
            v.count--;
        }
        insert_at(s, v.first + v.count, c);
        v.count++;
    }
    make_current(s, v, c->version);
}

/* Runs that have begun keep their own text; triggers and RUN find the built-in one, if there is one, from now on. */
enum rule_verdict cluster_judge_delete_script(const struct cluster_state *s, const struct cluster_command *c,
                                              struct cluster_result *out)
{
    if (versions_of(s, c->name).count) return RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_NOT_FOUND, "no script '%s' was loaded", c->name);
}

void cluster_change_delete_script(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    struct versions v = versions_of(s, c->name);
    while (v.count) remove_at(s, v.first + --v.count);
}

enum rule_verdict cluster_judge_set_current(const struct cluster_state *s, const struct cluster_command *c,
                                            struct cluster_result *out)
{
    const struct cluster_script *script = cluster_script_find(s, c->name, c->version);
    if (script) return script->current ? RULE_NOTHING : RULE_CHANGE;
    return RULE_REFUSE(out, ERROR_NOT_FOUND, "script '%s' has no version %s: the newest %d are kept", c->name, c->version,
                       CLUSTER_SCRIPT_VERSIONS_MAX);
}

void cluster_change_set_current(struct cluster_state *s, struct cluster_command *c, struct cluster_result *out)
{
    (void)out;
    make_current(s, versions_of(s, c->name), c->version);
}
