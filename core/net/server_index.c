/* Clients by id: a hash table. Ids rise by one, so their low bits spread evenly by themselves. */
#include "net/server_state.h"

#include <stdlib.h>

struct client_slot {
    struct net_client *first;
};

static struct net_client **slot_of(const struct net_server *s, uint64_t id)
{
    return &s->slots[id & (s->slots_count - 1)].first;
}

static bool grow(struct net_server *s)
{
    size_t count = s->slots_count ? s->slots_count * 2 : 64;
    struct client_slot *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    free(s->slots);
    s->slots = slots;
    s->slots_count = count;
    struct net_client *c;
    TAILQ_FOREACH(c, &s->all, in_all)
    {
        struct net_client **slot = slot_of(s, c->id);
        c->next_same_slot = *slot;
        *slot = c;
    }
    return true;
}

bool net_index_add(struct net_server *s, struct net_client *c)
{
    if (s->statistics.clients >= s->slots_count && !grow(s)) return false;
    struct net_client **slot = slot_of(s, c->id);
    c->next_same_slot = *slot;
    *slot = c;
    TAILQ_INSERT_TAIL(&s->all, c, in_all);
    s->statistics.clients++;
    return true;
}

void net_index_remove(struct net_server *s, struct net_client *c)
{
    struct net_client **at = slot_of(s, c->id);
    while (*at != c) at = &(*at)->next_same_slot;
    *at = c->next_same_slot;
    TAILQ_REMOVE(&s->all, c, in_all);
    s->statistics.clients--;
    for (struct client_cursor *cursor = s->cursors; cursor; cursor = cursor->outer)
        if (cursor->next == c) cursor->next = TAILQ_NEXT(c, in_all);
}

struct net_client *net_server_find(struct net_server *s, uint64_t id)
{
    if (!s->slots_count) return NULL;
    struct net_client *c = *slot_of(s, id);
    while (c && c->id != id) c = c->next_same_slot;
    return c;
}

void net_server_each(struct net_server *s, void (*visit)(void *user, struct net_client *c), void *user)
{
    struct client_cursor cursor = {.next = TAILQ_FIRST(&s->all), .outer = s->cursors};
    s->cursors = &cursor;
    while (cursor.next) {
        struct net_client *c = cursor.next;
        cursor.next = TAILQ_NEXT(c, in_all);
        visit(user, c);
    }
    s->cursors = cursor.outer;
}
