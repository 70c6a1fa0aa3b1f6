/* Policies: cluster scripts in Lua, in a sandbox. (design: control-plane.md)
 *
 * Every call makes a fresh Lua state, runs to the end or to a limit, and closes it: pure functions of their arguments,
 * blocking, for the policy thread (which needs a stack of 1 MB). Several threads may call at once. Errors have code
 * SCRIPT and a text with the script's name, version and line: "init@1a2b3c4d5e6f7081:12: attempt to index a nil value".
 */
#ifndef AIKV_SCRIPT_POLICY_H
#define AIKV_SCRIPT_POLICY_H

#include <stdatomic.h>

#include "cluster/command.h"
#include "cluster/live.h"

struct script_limits {
    uint64_t instructions;   /* 100 M */
    uint64_t time_ms;        /* 1000, of processor time */
    size_t memory;           /* 64 MiB */
    size_t block;            /* 1 MiB: the largest single allocation */
    const atomic_bool *stop; /* may be NULL; true ends the script */
};
extern const struct script_limits script_limits_default;

struct script_source {
    const char *name;    /* of the script, for errors */
    const char *version; /* "" for none */
    struct bytes text;
};

/* Built-in policies (what is in scripts/), by name; NULL if there is none; and by index, NULL at the end. */
struct script_builtin {
    const char *name, *doc; /* doc: its first comment line */
    const char *text;
    size_t len;
};
const struct script_builtin *script_builtin_find(const char *name);
const struct script_builtin *script_builtin_at(size_t index);
/* Lua that travels inside the binary and is no policy (what is in lua/): "aikv.view", "template.policy"; NULL if there
 * is none. */
const struct script_builtin *script_module_find(const char *name);

/* Whether the text is a policy: syntax, a table with name, doc, params (each well-formed) and a function plan. `doc`
 * gets the script's. */
int script_check(const struct script_source *source, const struct script_limits *limits, char *doc, size_t doc_size,
                 struct error *e);

/* What people want to know of a policy, as JSON: {"name":…, "doc":…, "params":[{"name", "type", "default", "takes",
 * "doc", "example"}…]}, all texts; a parameter without "default" is required. Errors: as script_check, and LIMIT. */
int script_describe(const struct script_source *source, const struct script_limits *limits, struct buffer *json,
                    struct error *e);

/* What a policy sees: state and live, and the run it is part of (NULL: none, as before the first round). */
struct script_world {
    const struct cluster_state *state;
    const struct cluster_live *live;
    const struct cluster_run *run;
};

struct script_steps {
    struct cluster_step *list; /* owned */
    uint32_t count;
    char why[161]; /* of the whole answer, above all where it is empty; "" if the policy gave none */
};
void script_steps_release(struct script_steps *s);

/* Asks the policy for its next steps. `params` are name and value as typed; an unknown or ill-typed one is an error
 * that names the nearest. Steps are checked against step.def: unknown ops and fields, wrong types, more than
 * CLUSTER_STEPS_MAX; nodes may be given by id, alias or name. `score` gets the policy's score, NAN if it has none; may
 * be NULL. */
int script_plan(const struct script_source *source, const struct cluster_param *params, uint32_t param_count,
                const struct script_world *world, const struct script_limits *limits, struct script_steps *out,
                double *score, struct error *e);

/* Whether params fit (as script_plan would say), without planning. */
int script_check_params(const struct script_source *source, const struct cluster_param *params, uint32_t param_count,
                        const struct script_world *world, const struct script_limits *limits, struct error *e);

/* A one-off chunk with `view` and `ARGV`. Its value goes to `reply`, converted as EVAL does (protocol 2 or 3); if
 * `steps` is not NULL it must be a list of steps, which go there. */
int script_eval(const struct script_source *source, const struct bytes *argv, uint32_t argc,
                const struct script_world *world, const struct script_limits *limits, int protocol,
                struct buffer *reply, struct script_steps *steps, struct error *e);

/* The view as JSON, keys sorted. */
int script_view_json(const struct script_world *world, struct buffer *out, struct error *e);

/* The reference page of the view, as Markdown: docs/reference/view.md is this (`aikv --reference view`). */
void script_view_reference(struct buffer *out);

#endif
