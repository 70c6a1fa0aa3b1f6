/* Times of expiry as arguments: of SET and GETEX as options, of SETEX and PSETEX alone. */
#ifndef AIKV_COMMAND_EXPIRY_H
#define AIKV_COMMAND_EXPIRY_H

#include "command/call.h"

/* EX and EXAT are in seconds, PX and PXAT in milliseconds; from now, and since 1970. */
enum command_expiry { EXPIRY_NONE, EXPIRY_EX, EXPIRY_PX, EXPIRY_EXAT, EXPIRY_PXAT };

/* NONE: no such word. */
enum command_expiry command_expiry_word(struct bytes word);
/* Argument `i` in ms since 1970; false: the error was replied. */
bool command_expiry_read(struct command_call *c, enum command_expiry unit, int i, int64_t *expires_ms);

#endif
