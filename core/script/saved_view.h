/* A view from its JSON (script_view_json), so that a policy can be tried on it without a cluster.
 *
 * What a view does not tell is made up: addresses, raft ids, reigns. Fields that are missing get what an ordinary node
 * or shard has, unknown ones are ignored, so that views of older and newer nodes can be read; one that is malformed is
 * an error that names it, and so is a view whose parts do not fit together. The run in it is left out: what is planned
 * is a new one. */
#ifndef AIKV_SCRIPT_SAVED_VIEW_H
#define AIKV_SCRIPT_SAVED_VIEW_H

#include "script/policy.h"

/* `*state` passes cluster_state_check; it and `live` are the caller's to release. Errors: FORMAT. */
int script_saved_view_read(struct bytes json, struct cluster_state **state, struct cluster_live *live, struct error *e);

#endif
