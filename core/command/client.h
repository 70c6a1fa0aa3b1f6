/* The subcommands of CLIENT; client.c has their rows. */
#ifndef AIKV_COMMAND_CLIENT_H
#define AIKV_COMMAND_CLIENT_H

#include "command/call.h"

/* client_mode.c: how this connection is treated. */
void command_client_reply(struct command_call *c);
void command_client_no_evict(struct command_call *c);
void command_client_no_touch(struct command_call *c);
void command_client_unblock(struct command_call *c);
void command_client_tracking(struct command_call *c);
void command_client_trackinginfo(struct command_call *c);
void command_client_caching(struct command_call *c);
void command_client_getredir(struct command_call *c);

/* pause.c */
void command_client_pause(struct command_call *c);
void command_client_unpause(struct command_call *c);

#endif
