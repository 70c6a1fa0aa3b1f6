/* MODULE: there are none. */
#include "command/call.h"

static void command_module_list(struct command_call *c)
{
    resp_array(c->reply, 0);
}

static const struct command_row subcommands[] = {
    {"LIST", 2, ADMIN | NOSCRIPT, NO_KEYS, 0, command_module_list,
     "The modules that are loaded: none ever is.",
     .since = "4.0.0", .complexity = "O(N) where N is the number of loaded modules.", .tips = "nondeterministic_output_order"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_module_rows[] = {
    {"MODULE", -2, 0, NO_KEYS, 0, NULL,
     "Modules of Redis, which AiKv does not take.",
     .since = "4.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
