/* Subcommands: what `aikv` does besides being a node, as `aikv check DIR`. Each is a row in the table of subcommand.c
 * and a file. */
#ifndef AIKV_SERVER_SUBCOMMAND_H
#define AIKV_SERVER_SUBCOMMAND_H

#include <stdbool.h>

#include "base/buffer.h"

#define SUBCOMMAND_FLAGS_MAX 8

struct subcommand_call {
    const char *operand;              /* what is not a flag */
    bool given[SUBCOMMAND_FLAGS_MAX]; /* by the flag's place in its table */
};

struct subcommand {
    const char *name;    /* may be of several words: "cluster status" */
    const char *operand; /* its name in the usage; one is needed */
    const char *doc;
    const struct {
        const char *name, *doc;
    } flags[SUBCOMMAND_FLAGS_MAX];                  /* those with a name */
    int (*run)(const struct subcommand_call *call); /* returns the exit code; tells of errors on standard error */
};

/* Whether the command line asks for one: its first word is no flag. */
bool subcommand_is(int argc, char **argv);
/* Does what the command line says and returns the exit code; EXIT_USAGE, with what is wrong, for one that makes no
 * sense. */
int subcommand_run(int argc, char **argv);
/* A line of each for `aikv --help`. */
void subcommand_help(struct buffer *out);

/* check.c, repair.c */
extern const struct subcommand check_subcommand, repair_subcommand;

#endif
