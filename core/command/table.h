/* All commands, found by name. */
#ifndef AIKV_COMMAND_TABLE_H
#define AIKV_COMMAND_TABLE_H

#include "command/row.h"

struct command_entry {
    const struct command_row *row;
    const struct command_entry *container;   /* of a subcommand; else NULL */
    const struct command_entry *subcommands; /* entries that follow each other */
    size_t subcommand_count;
    const char *group; /* "string" */
    char name[40];     /* "strlen", "client|getname" */
    size_t number;     /* from 0; subcommands count too */
};

#define COMMAND_TABLE_BUCKETS 2048 /* a power of two, many times the number of commands: one probe mostly */

struct command_table {
    struct command_entry *entries; /* containers first, in the order of groups and rows; then subcommands */
    size_t count, top_count;
    uint16_t buckets[COMMAND_TABLE_BUCKETS]; /* index + 1 in entries; 0: none */
};

void command_table_init(struct command_table *t);
void command_table_release(struct command_table *t);

/* By name, without case; NULL if there is none. */
const struct command_entry *command_table_find(const struct command_table *t, struct bytes name);
/* The command an argument vector (argc >= 1) calls: a subcommand, if there is one. NULL if there is none. */
const struct command_entry *command_table_resolve(const struct command_table *t, int argc, const struct bytes *argv);
/* By full name, "client|getname". */
const struct command_entry *command_table_named(const struct command_table *t, struct bytes full_name);
/* Argument `i` as others may see it. */
struct bytes command_shown(const struct command_row *row, int argc, const struct bytes *argv, int i);
/* Whether argc suits the row. */
bool command_arity_fits(const struct command_row *row, int argc);

#endif
