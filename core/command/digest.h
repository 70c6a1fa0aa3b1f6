/* SHA-1 digests of values and of all data, the same that Redis's DEBUG DIGEST gives: two servers, or one before and after, can be compared. */
#ifndef AIKV_COMMAND_DIGEST_H
#define AIKV_COMMAND_DIGEST_H

#include "command/call.h"

#define COMMAND_DIGEST_LEN 20

/* Mixes a key's value, and whether it expires, into `io`; zeros at first. Without such a key nothing is mixed in. Between keyspace_begin and
 * keyspace_end. */
void command_digest_value(struct command_call *c, struct bytes key, uint8_t io[COMMAND_DIGEST_LEN]);
/* Of all keys of all databases. False: names of keys are too long to be gathered. */
bool command_digest_all(struct command_call *c, uint8_t out[COMMAND_DIGEST_LEN]);

#endif
