#include "cluster/live.h"

#include <stdlib.h>

void cluster_live_release(struct cluster_live *l)
{
    free(l->nodes);
    free(l->candidates);
    free(l->load);
    *l = (struct cluster_live){0};
}

static int compare_id(const void *id, const void *node)
{
    return strcmp(id, ((const struct cluster_live_node *)node)->id);
}

const struct cluster_live_node *cluster_live_find(const struct cluster_live *l, const char *id)
{
    if (l->node_count == 0) return NULL;
    return bsearch(id, l->nodes, l->node_count, sizeof *l->nodes, compare_id);
}
