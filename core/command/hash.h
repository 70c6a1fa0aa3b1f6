/* What commands on hashes share. */
#ifndef AIKV_COMMAND_HASH_H
#define AIKV_COMMAND_HASH_H

#include "command/call.h"
#include "command/engine.h"
#include "keyspace/hash.h"

/* Opens the hash of the key that argument 1 names; none is an empty one. False: wrong type, the error was replied. */
bool command_open_hash(struct command_call *c, struct keyspace_hash *out);

#endif
