/* Without a node: policies from files, planned on views from files. */
#ifndef AIKV_TOOL_OFFLINE_H
#define AIKV_TOOL_OFFLINE_H

#include "script/policy.h"
#include "tool/call.h"

struct offline_policy {
    char name[CLUSTER_NAME_MAX + 1], version[17];
    struct buffer text; /* owned */
};

/* The policy in the file `word`, or, if that is no file's name, the built-in one. Errors name it, and the nearest. */
int offline_policy_find(const char *word, struct offline_policy *out, struct error *e);
void offline_policy_release(struct offline_policy *p);
struct script_source offline_policy_source(const struct offline_policy *p);

/* What script_describe says of it; owned by the caller. */
int offline_describe(const struct offline_policy *p, json_t **out, struct error *e);

/* Names and values, in pairs, as parameters that point to them; there is room for CLUSTER_PARAMS_MAX. */
int offline_params(const char *const *words, int count, struct cluster_param *params, struct error *e);

/* A dry run of the policy words[0] with the parameters (names and values) that follow, on the call's saved view, or
 * else that of its node; `plan` is as CLUSTER SCRIPT PLAN replies. Returns the exit code; has complained. */
int offline_plan(const struct tool_call *call, const char *const *words, int count, json_t **plan);

/* The same on a state and what is live, which are taken over; `data` as for script_dry_run_write. */
int offline_dry_run(const struct offline_policy *p, const struct cluster_param *params, uint32_t count, bool data,
                    struct cluster_state *state, struct cluster_live *live, json_t **plan, struct error *e);

/* A small cluster to try policies on: six members in three zones, three shards, a candidate. */
int offline_sample(struct cluster_state **state, struct cluster_live *live, struct error *e);

#endif
