/* Which connections CLIENT LIST and CLIENT KILL mean. */
#ifndef AIKV_COMMAND_CLIENT_FILTER_H
#define AIKV_COMMAND_CLIENT_FILTER_H

#include "command/call.h"

/* A connection is a NORMAL one, or PUBSUB while it has subscribed to something; replicas come over the bus. */
enum client_type { CLIENT_TYPE_ANY, CLIENT_TYPE_NORMAL, CLIENT_TYPE_REPLICA, CLIENT_TYPE_PUBSUB, CLIENT_TYPE_MASTER };

struct client_filter {
    enum client_type type;
    uint64_t id;                       /* 0: any */
    const char *address, *local_address; /* NULL: any */
    const struct net_client *skip;     /* NULL: none */
};

/* Reads the word for a type at argument `i`; false: the error was replied. */
bool client_filter_type(struct command_call *c, int i, struct client_filter *out);
/* Reads the options of CLIENT KILL from argument 2 on; false: the error was replied. */
bool client_filter_parse(struct command_call *c, struct client_filter *out);
bool client_filter_fits(const struct client_filter *f, const struct net_client *client);

#endif
