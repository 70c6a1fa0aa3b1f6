/* The other members: one peer of the bus to each, kept to what the metadata says. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_thread.h"

static int compare(const void *id, const void *member)
{
    return strcmp(id, (*(struct member *const *)member)->id);
}

struct member *control_member_find(const struct control *c, const char *id)
{
    if (!c->member_count) return NULL;
    struct member **m = bsearch(id, c->members, c->member_count, sizeof *c->members, compare);
    return m ? *m : NULL;
}

static void member_free(struct member *m)
{
    if (m->peer) bus_peer_free(m->peer);
    free(m->announced);
    free(m);
}

static struct member *member_new(struct control *c, const struct cluster_node_info *info)
{
    struct member *m = control_allocate(sizeof *m);
    snprintf(m->id, sizeof m->id, "%s", info->id);
    m->since_ms = control_now_ms(c);
    m->peer = bus_peer_new(c->bus, info->bus_host, info->bus_port, info->id);
    if (!m->peer) log_error("no memory for a peer", "node=%s", info->id);
    return m;
}

/* A node that was removed needs nobody. Both lists are sorted by id: one pass keeps who stayed, at the address the record has, and frees who left. */
void control_members_sync(struct control *c)
{
    const struct cluster_state *s = control_state(c);
    if (s->version == c->synced_version) return;
    c->synced_version = s->version;
    const uint32_t wanted = control_is_removed(c) ? 0 : s->node_count;
    struct member **old = c->members, **fresh = control_allocate((wanted + 1) * sizeof *fresh);
    uint32_t at = 0, count = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        const struct cluster_node_info *info = &s->nodes[i].info;
        while (at < c->member_count && strcmp(old[at]->id, info->id) < 0) member_free(old[at++]);
        bool stays = at < c->member_count && strcmp(old[at]->id, info->id) == 0;
        if (strcmp(info->id, c->self.id) == 0) continue;
        fresh[count++] = stays ? old[at++] : member_new(c, info);
        struct member *m = fresh[count - 1];
        m->alias = info->alias;
        if (stays && m->peer) bus_peer_set_address(m->peer, info->bus_host, info->bus_port);
    }
    while (at < c->member_count) member_free(old[at++]);
    free(old);
    c->members = fresh;
    c->member_count = count;
}

void control_members_announced(struct control *c, const struct cluster_node_info *info)
{
    struct member *m = control_member_find(c, info->id);
    if (!m || (m->announced && info->incarnation < m->announced->incarnation)) return;
    if (!m->announced) m->announced = control_allocate(sizeof *m->announced);
    *m->announced = *info;
    m->check_info = true;
}

void control_members_release(struct control *c)
{
    for (uint32_t i = 0; i < c->member_count; i++) member_free(c->members[i]);
    free(c->members);
    c->members = NULL;
    c->member_count = 0;
}
