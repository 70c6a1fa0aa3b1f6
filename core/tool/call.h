/* One call of the tool: what was typed, and how it ends. */
#ifndef AIKV_TOOL_CALL_H
#define AIKV_TOOL_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Exit codes of the tool. Those of a node are in base/exit_code.h. */
enum tool_exit {
    TOOL_DONE,
    TOOL_FAILED,      /* the command, run, check or test failed; the cluster is not healthy */
    TOOL_USAGE,       /* the command line, or a file it names */
    TOOL_UNREACHABLE, /* no node answers there, or it does not let us in */
    TOOL_TIMEOUT,     /* no outcome in time */
};

struct connection;

struct tool_call {
    const char *host, *port, *user, *password;
    uint64_t timeout_ms; /* of all of it; 0: none was given */
    bool json, detach;
    const char *view;        /* a file */
    int count;               /* of words */
    char **words;            /* what is no flag */
    struct connection *node; /* connected, or NULL where the verb is offline */
};

/* The error as people, or with --json also programs, get it. Returns `exit_code`. */
int call_complain(const struct tool_call *call, int exit_code, const struct error *e);
/* Prints the value as the JSON document of this call. Does not take it. */
int call_print_json(const json_t *value);

/* Sends the words of a command to the call's node and gives the reply as a value, owned by the caller; else complains.
 * Returns the exit code. */
int call_node(const struct tool_call *call, const char *const *argv, int argc, json_t **out);

/* The same, and shows the reply: as JSON, or for people, lists of maps as tables with the columns of `last` (NULL at
 * the end, may be NULL) to the right. */
int call_show(const struct tool_call *call, const char *const *argv, int argc, const char *const *last);

/* Whether a word is "PARAM=VALUE". */
bool call_is_param(const char *word);
/* Appends name and value of the words from `from` on, which must be "PARAM=VALUE" and are split in place, to argv; it
 * has room. Returns the exit code; has complained. */
int call_params(const struct tool_call *call, int from, const char **argv, int *argc);

/* Fields of a map, "" and 0 for what is not there. */
const char *call_text(const json_t *map, const char *name);
int64_t call_integer(const json_t *map, const char *name);

#endif
