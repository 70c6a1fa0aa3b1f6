/* Expiry in arguments: times, of SET and GETEX as options, of SETEX and PSETEX alone; conditions, of EXPIRE and HEXPIRE and their kin. */
#ifndef AIKV_COMMAND_EXPIRY_H
#define AIKV_COMMAND_EXPIRY_H

#include "command/call.h"

/* EX and EXAT are in seconds, PX and PXAT in milliseconds; from now, and since 1970. */
enum command_expiry { EXPIRY_NONE, EXPIRY_EX, EXPIRY_PX, EXPIRY_EXAT, EXPIRY_PXAT };

/* NONE: no such word. */
enum command_expiry command_expiry_word(struct bytes word);
/* Argument `i` in ms since 1970; false: the error was replied. */
bool command_expiry_read(struct command_call *c, enum command_expiry unit, int i, int64_t *expires_ms);

/* NX, XX, GT, LT: when another expiry may be given. */
struct command_expiry_conditions {
    bool nx, xx, gt, lt;
};
/* Whether it is one of these words, which is noted. */
bool command_expiry_condition(struct command_expiry_conditions *k, struct bytes word);
/* Whether an expiry of `current_ms`, or KEYSPACE_NO_EXPIRY, may become `wanted_ms`. None counts as never: later than any time. */
bool command_expiry_may_change(const struct command_expiry_conditions *k, int64_t current_ms, int64_t wanted_ms);

#endif
