/* CLUSTER SCRIPT LIST name, DELETE, ROLLBACK: the versions of one script. */
#include <stdio.h>
#include <stdlib.h>

#include "control/control_thread.h"
#include "control/script_source.h"

/* ---- LIST name ---- */

static void write_version(struct resp_writer *w, const struct script_found *f, bool current)
{
    char doc[257];
    script_source_doc(f->text, doc, sizeof doc);
    resp_map(w, 6);
    resp_bulk_text(w, "version");
    resp_bulk_text(w, f->version);
    resp_bulk_text(w, "current");
    resp_bool(w, current);
    resp_bulk_text(w, "builtin");
    resp_bool(w, f->builtin);
    resp_bulk_text(w, "loaded_ms");
    resp_integer(w, f->loaded_ms);
    resp_bulk_text(w, "bytes");
    resp_integer(w, (int64_t)f->text.len);
    resp_bulk_text(w, "doc");
    resp_bulk_text(w, doc);
}

void control_script_versions(struct control *c, struct call *call)
{
    struct script_found current;
    struct error e;
    if (script_source_find(meta_state(c->meta), call->argv[3], (struct bytes){0}, &current, &e) != 0) {
        control_call_error_of(c, call, &e);
        return;
    }
    size_t count;
    struct script_found *list = script_source_versions(meta_state(c->meta), current.name, &count);
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, count);
    for (size_t i = 0; i < count; i++)
        write_version(&w, &list[i],
                      list[i].builtin == current.builtin && strcmp(list[i].version, current.version) == 0);
    free(list);
    control_call_reply(c, call, &b);
}

/* ---- DELETE name, ROLLBACK name version ---- */

enum { CHANGE_BEGUN, CHANGE_PROPOSED };

static void propose(struct control *c, struct call *call, struct cluster_command *command,
                    const struct script_found *found)
{
    snprintf(command->name, sizeof command->name, "%s", found->name);
    control_call_stage(c, call, CHANGE_PROPOSED);
    control_call_propose(c, call, command, control_call_proposed);
}

/* A trigger that asks this script and would have none without it; NULL: there is none. */
static const struct cluster_trigger *trigger_of(const struct cluster_state *s, const char *script)
{
    for (uint32_t i = 0; !script_builtin_find(script) && i < s->trigger_count; i++)
        if (strcmp(s->triggers[i].script, script) == 0) return &s->triggers[i];
    return NULL;
}

void control_script_delete(struct control *c, struct call *call)
{
    struct script_found found;
    struct error e;
    struct cluster_command command = {.type = CLUSTER_DELETE_SCRIPT};
    if (call->stage == CHANGE_PROPOSED)
        control_call_ok(c, call);
    else if (script_source_find(meta_state(c->meta), call->argv[3], (struct bytes){0}, &found, &e) != 0)
        control_call_error_of(c, call, &e);
    else if (found.builtin)
        control_call_error(c, call, ERROR_NOT_FOUND, "script '%s' is built in, and none was loaded instead: it stays",
                           found.name);
    else if (trigger_of(meta_state(c->meta), found.name))
        control_call_error(c, call, ERROR_INVARIANT,
                           "trigger '%s' asks script '%s': CLUSTER SCRIPT TRIGGER DELETE it first",
                           trigger_of(meta_state(c->meta), found.name)->name, found.name);
    else
        propose(c, call, &command, &found);
}

/* To a version that is current already: nothing to do. */
static void roll_back(struct control *c, struct call *call, const struct script_found *found)
{
    struct cluster_command command = {.type = CLUSTER_SET_CURRENT};
    memcpy(command.version, found->version, sizeof command.version);
    if (!found->builtin)
        propose(c, call, &command, found);
    else if (cluster_script_find(meta_state(c->meta), found->name, NULL))
        control_call_error(c, call, ERROR_SYNTAX,
                           "version %s of '%s' is the built-in one: CLUSTER SCRIPT DELETE %s brings it back",
                           found->version, found->name, found->name);
    else
        control_call_ok(c, call);
}

void control_script_rollback(struct control *c, struct call *call)
{
    struct script_found found;
    struct error e;
    if (call->stage == CHANGE_PROPOSED)
        control_call_ok(c, call);
    else if (call->argv[4].len == 0)
        control_call_error(c, call, ERROR_SYNTAX, "a version is 16 hex digits; CLUSTER SCRIPT LIST <name> shows them");
    else if (script_source_find(meta_state(c->meta), call->argv[3], call->argv[4], &found, &e) != 0)
        control_call_error_of(c, call, &e);
    else
        roll_back(c, call, &found);
}
