#include "control/route.h"

#include <stdatomic.h>
#include <stdlib.h>

struct route {
    struct mailbox_message message; /* first */
    struct mailbox *mailbox;
    struct control_handler handler;
    _Atomic(struct cluster_routing *) latest; /* published and not yet received */
    atomic_bool under_way;
    atomic_int references; /* control's, and one of a message under way */
};

static void release(struct route *r)
{
    if (atomic_fetch_sub(&r->references, 1) > 1) return;
    struct cluster_routing *left = atomic_load(&r->latest);
    if (left) cluster_routing_release(left);
    free(r);
}

/* On the data thread. `under_way` ends before `latest` is taken: whoever publishes in between posts once more, and
 * nothing is lost. */
static void deliver(struct mailbox_message *m, void *user)
{
    (void)user;
    struct route *r = (struct route *)m;
    atomic_store(&r->under_way, false);
    struct cluster_routing *routing = atomic_exchange(&r->latest, NULL);
    if (routing) r->handler.routing(r->handler.user, routing);
    release(r);
}

struct route *route_new(struct mailbox *data_mailbox, const struct control_handler *handler)
{
    struct route *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->message.deliver = deliver;
    r->mailbox = data_mailbox;
    r->handler = *handler;
    atomic_init(&r->references, 1);
    return r;
}

void route_retry(struct route *r)
{
    if (!atomic_load(&r->latest) || atomic_exchange(&r->under_way, true)) return;
    atomic_fetch_add(&r->references, 1);
    if (mailbox_post(r->mailbox, &r->message)) return;
    atomic_fetch_sub(&r->references, 1);
    atomic_store(&r->under_way, false);
}

void route_publish(struct route *r, struct cluster_routing *routing)
{
    struct cluster_routing *older = atomic_exchange(&r->latest, routing);
    if (older) cluster_routing_release(older);
    route_retry(r);
}

void route_free(struct route *r)
{
    if (r) release(r);
}
