#include "control/load_table.h"

#include <stdlib.h>

/* Ids are random; two that begin alike would only leave a slot's load in place for some seconds longer. */
static uint64_t mark_of(const char *node)
{
    char text[17];
    memcpy(text, node, 16);
    text[16] = 0;
    uint64_t mark = strtoull(text, NULL, 16);
    return mark ? mark : 1;
}

static void forget(struct load_table *t, unsigned slot)
{
    t->load.keys[slot] = t->load.bytes[slot] = t->load.milliops[slot] = t->reporter[slot] = 0;
}

void load_table_fit(struct load_table *t, const struct cluster_state *s)
{
    if (t->version == s->version) return;
    t->version = s->version;
    uint64_t mark = 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (!slot || s->owner[slot] != s->owner[slot - 1]) {
            const struct cluster_shard *shard = s->owner[slot] ? cluster_shard_find(s, s->owner[slot]) : NULL;
            mark = shard ? mark_of(shard->primary) : 0;
        }
        if (t->reporter[slot] && t->reporter[slot] != mark) forget(t, slot);
    }
}

void load_table_take(struct load_table *t, const struct cluster_state *s, const char *node,
                     const struct message_load *m)
{
    load_table_fit(t, s);
    const struct cluster_node *n = cluster_node_find(s, node);
    if (!n || !cluster_node_is_primary(s, n)) return;
    uint64_t mark = mark_of(node);
    struct message_load_slot at;
    struct message_load_reader r = message_load_slots(m);
    while (message_load_next(&r, &at)) {
        if (s->owner[at.slot] != n->shard) continue;
        t->load.keys[at.slot] = at.keys;
        t->load.bytes[at.slot] = at.bytes;
        t->load.milliops[at.slot] = at.milliops;
        t->reporter[at.slot] = mark;
    }
}
