/* What commands on sets share. (set.c is about SET.) */
#ifndef AIKV_COMMAND_SETS_H
#define AIKV_COMMAND_SETS_H

#include "command/call.h"
#include "command/engine.h"
#include "keyspace/set.h"

/* Opens the set of the key that argument `i` names; none is an empty one. False: wrong type, the error was replied. */
bool command_open_set(struct command_call *c, int i, struct keyspace_set *out);

#endif
