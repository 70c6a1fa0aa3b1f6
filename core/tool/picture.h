/* The cluster as the tool sees it: the view of its leader, and what the asked node knows. */
#ifndef AIKV_TOOL_PICTURE_H
#define AIKV_TOOL_PICTURE_H

#include "tool/call.h"

struct picture {
    json_t *view;      /* as CLUSTER SCRIPT VIEW; NULL: `why` says what is in the way */
    json_t *metaraft;  /* as CLUSTER METARAFT STATUS */
    json_t *addresses; /* of clients, by node id */
    struct error why;
};

/* Asks the call's node. Returns TOOL_DONE also if there is no view, because there is no leader; else has complained. */
int picture_take(const struct tool_call *call, struct picture *out);
void picture_release(struct picture *p);

/* The node's row in the view, or NULL. */
const json_t *picture_node(const struct picture *p, const char *id);
/* For people: its alias, or 8 digits of its id. */
void picture_node_name(const json_t *node, char out[16]);
/* As CLUSTER NODES tells it; "" if it does not. */
const char *picture_address(const struct picture *p, const char *id);

#endif
