/* `aikv --ping`: the health check. */
#ifndef AIKV_SERVER_PING_H
#define AIKV_SERVER_PING_H

#include "server/config.h"

/* Connects to the node that this configuration describes and asks for a PONG, for up to 2 s. Errors: UNREACHABLE, IO. A node that asks for a
 * password this configuration does not have is alive too. */
int ping_node(const struct config *c, struct error *e);

#endif
