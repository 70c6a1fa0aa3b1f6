/* The way of routing tables from control to the data thread: always the newest, at most one message under way, however
 * slow the data thread is. */
#ifndef AIKV_CONTROL_ROUTE_H
#define AIKV_CONTROL_ROUTE_H

#include "control/control.h"

struct route;

struct route *route_new(struct mailbox *data_mailbox, const struct control_handler *handler);
/* Publishes; the reference is taken over. */
void route_publish(struct route *r, struct cluster_routing *routing);
/* Tries again if the mailbox was full; cheap, for a timer. */
void route_retry(struct route *r);
/* A message that is under way is still delivered. */
void route_free(struct route *r);

#endif
