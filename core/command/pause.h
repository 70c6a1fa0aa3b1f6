/* CLIENT PAUSE: for some time, no client's writes are run, or nothing at all. */
#ifndef AIKV_COMMAND_PAUSE_H
#define AIKV_COMMAND_PAUSE_H

#include "command/call.h"

struct command_pause {
    uint64_t until_ms; /* monotonic; 0: nothing is paused */
    bool all;          /* not only writes */
    size_t clients;    /* that are suspended until it ends */
};

/* How many of a client's next requests may run now. 0: it was suspended until the pause ends. */
size_t command_pause_admits(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count);
/* Ends a pause whose time is over: clients go on. */
void command_pause_check(struct command_engine *e);
/* The session ends. */
void command_pause_forget(struct command_engine *e, const struct command_session *s);

#endif
