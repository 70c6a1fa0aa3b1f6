/* The command-line tool: `aikv script …` and `aikv cluster …`, against a node, or offline. (docs/reference/tool.md)
 *
 * Every verb is a row in verb.c and a function in the file of its group. What nodes answer is kept as JSON values
 * (jansson), whoever shows it does not care where it came from. Texts of nodes are shown with control characters
 * replaced. */
#ifndef AIKV_TOOL_TOOL_H
#define AIKV_TOOL_TOOL_H

#include <stdbool.h>

#include "base/buffer.h"

/* Whether the command line asks for the tool: its first word is "script" or "cluster". */
bool tool_is(int argc, char **argv);
/* Does what the command line says and returns the exit code. */
int tool_run(int argc, char **argv);
/* A line of each verb for `aikv --help`. */
void tool_help(struct buffer *out);
/* Appends the calls whose verb is `word`, for who left out the group: "aikv cluster status, aikv script status". */
void tool_calls_of(const char *word, struct buffer *out);
/* The groups, for a mistyped word: "script", "cluster"; NULL at the end. */
const char *tool_group_at(unsigned i);

#endif
