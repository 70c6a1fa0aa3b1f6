/* What SCAN, HSCAN, SSCAN and ZSCAN have in common: cursor, options, the reply. */
#ifndef AIKV_COMMAND_SCAN_H
#define AIKV_COMMAND_SCAN_H

#include "command/call.h"

struct command_scan {
    uint64_t cursor;
    int64_t count;
    bool filtered; /* by `pattern` */
    struct bytes pattern;
    const char *type; /* NULL: any */
    /* The elements of the reply, in the engine's scratch buffer, and how many there are. */
    struct resp_writer elements;
    size_t found;
};

/* Reads the cursor at argument `at`; false: the error was replied. */
bool command_scan_begin(struct command_call *c, int at, struct command_scan *out);
/* Reads the options, from argument `from` on; TYPE is one if `types`. False: the error was replied. */
bool command_scan_options(struct command_call *c, int from, bool types, struct command_scan *out);
/* Whether the pattern lets this pass. */
bool command_scan_fits(const struct command_scan *s, struct bytes text);
/* Replies the next cursor and the elements. */
void command_scan_reply(struct command_call *c, const struct command_scan *s, uint64_t next);

#endif
