/* Whole files that the command line names. */
#ifndef AIKV_TOOL_FILE_H
#define AIKV_TOOL_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#define FILE_POLICY_MAX (256u << 10)
#define FILE_VIEW_MAX   (64u << 20)

/* Reads the file at `path`, or standard input for "-", into `out`, which the caller releases; not on an error. Errors
 * name the file: GENERIC, PERMISSION, LIMIT if it is longer than `max` bytes. */
int file_read(const char *path, size_t max, struct buffer *out, struct error *e);

/* Whether a word is a file rather than the name of a policy: it has a '/' or ends in ".lua". */
bool file_is_named(const char *word);

/* The name of the policy in a file: "policies/drain.lua" has "drain". */
void file_policy_name(const char *path, char *out, size_t size);

#endif
