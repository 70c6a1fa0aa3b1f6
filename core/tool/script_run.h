/* Beginning a run, and following it. */
#ifndef AIKV_TOOL_SCRIPT_RUN_H
#define AIKV_TOOL_SCRIPT_RUN_H

#include "tool/call.h"

/* Sends a command that replies the number of the run it starts, and shows that until it ends; with --detach only its
 * number. Returns the exit code; has complained. */
int script_run_begin(struct tool_call *call, const char *const *argv, int argc);

#endif
