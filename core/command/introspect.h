/* COMMAND: rows of the table as replies. */
#ifndef AIKV_COMMAND_INTROSPECT_H
#define AIKV_COMMAND_INTROSPECT_H

#include "command/call.h"

/* A set of the names of the bits in `bits`. */
void command_reply_bits(struct resp_writer *w, uint32_t bits, const char *const names[], int count);

/* The names of all commands and subcommands of a category. */
void command_reply_category(struct command_call *c, uint32_t category);

void command_introspect_info(struct command_call *c);
void command_introspect_docs(struct command_call *c);
void command_introspect_list(struct command_call *c);
void command_introspect_getkeys(struct command_call *c);
void command_introspect_getkeysandflags(struct command_call *c);

#endif
