#include "control/candidates.h"

#include <stdlib.h>

void candidates_release(struct candidates *c)
{
    free(c->list);
    *c = (struct candidates){0};
}

/* Where id is, or belongs. */
static uint32_t position(const struct candidates *c, const char *id)
{
    uint32_t from = 0, to = c->count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (strcmp(c->list[middle].info.id, id) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool is_at(const struct candidates *c, uint32_t at, const char *id)
{
    return at < c->count && strcmp(c->list[at].info.id, id) == 0;
}

static bool make_room(struct candidates *c)
{
    if (c->count < c->room) return true;
    if (c->room >= CANDIDATES_MAX) return false;
    uint32_t room = c->room ? c->room * 2 : 16;
    struct candidate *list = realloc(c->list, room * sizeof *list);
    if (!list) return false;
    c->list = list;
    c->room = room;
    return true;
}

static void remove_at(struct candidates *c, uint32_t at)
{
    memmove(c->list + at, c->list + at + 1, (c->count - at - 1) * sizeof *c->list);
    c->count--;
}

void candidates_remove(struct candidates *c, const char *id)
{
    uint32_t at = position(c, id);
    if (is_at(c, at, id)) remove_at(c, at);
}

/* Whoever listens at an address now is the only one there: a node may have got another id (CLUSTER RESET HARD, or its
 * data are gone). */
static void displace(struct candidates *c, const struct cluster_node_info *info)
{
    for (uint32_t i = c->count; i-- > 0;) {
        const struct cluster_node_info *other = &c->list[i].info;
        if (other->bus_port == info->bus_port && info->bus_port && strcmp(other->bus_host, info->bus_host) == 0)
            remove_at(c, i);
    }
}

bool candidates_heard(struct candidates *c, const struct cluster_node_info *info, uint64_t now_ms)
{
    uint32_t at = position(c, info->id);
    bool is_new = !is_at(c, at, info->id);
    if (is_new) {
        displace(c, info);
        at = position(c, info->id);
        if (!make_room(c)) return false;
        memmove(c->list + at + 1, c->list + at, (c->count - at) * sizeof *c->list);
        c->count++;
    } else if (info->incarnation < c->list[at].info.incarnation) {
        return false; /* a late word of an earlier start */
    }
    c->list[at] = (struct candidate){*info, now_ms};
    return is_new;
}

void candidates_expire(struct candidates *c, const struct cluster_state *state, uint64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct candidate *it = &c->list[i];
        if (now_ms - it->heard_ms > CANDIDATES_TTL_MS || cluster_node_find(state, it->info.id)) continue;
        if (kept != i) c->list[kept] = *it;
        kept++;
    }
    c->count = kept;
}

const struct cluster_node_info *candidates_find(const struct candidates *c, const char *id)
{
    uint32_t at = position(c, id);
    return is_at(c, at, id) ? &c->list[at].info : NULL;
}

struct cluster_node_info *candidates_infos(const struct candidates *c)
{
    if (c->count == 0) return NULL;
    struct cluster_node_info *infos = calloc(c->count, sizeof *infos);
    if (!infos) abort();
    for (uint32_t i = 0; i < c->count; i++) infos[i] = c->list[i].info;
    return infos;
}
