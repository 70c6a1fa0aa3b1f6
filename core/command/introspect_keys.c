/* COMMAND GETKEYS and GETKEYSANDFLAGS. */
#include "command/engine.h"
#include "command/introspect.h"
#include "command/keys.h"

/* Finds the command given from argument 2 on; NULL: the error was replied. */
static const struct command_row *given_command(struct command_call *c)
{
    const struct command_entry *e = command_table_resolve(&c->engine->table, c->argc - 2, c->argv + 2);
    if (!e) {
        resp_error(c->reply, ERROR_NOT_FOUND, "Invalid command specified");
    } else if (!command_has_keys(e->row)) {
        resp_error(c->reply, ERROR_GENERIC, "The command has no key arguments");
    } else if (!command_arity_fits(e->row, c->argc - 2)) {
        resp_error(c->reply, ERROR_SYNTAX, "Invalid number of arguments specified for command");
    } else {
        return e->row;
    }
    return NULL;
}

static void reply_given_keys(struct command_call *c, bool with_flags)
{
    const struct command_row *row = given_command(c);
    if (!row) return;
    int argc = c->argc - 2;
    const struct bytes *argv = c->argv + 2;
    size_t n = 0;
    for (struct command_keys k = command_keys(row, argc, argv); command_keys_next(&k);) n++;
    if (!n && !(row->flags & NO_MANDATORY_KEYS)) {
        resp_error(c->reply, ERROR_SYNTAX, "Invalid arguments specified for command");
        return;
    }
    resp_array(c->reply, n);
    for (struct command_keys k = command_keys(row, argc, argv); command_keys_next(&k);) {
        if (with_flags) resp_array(c->reply, 2);
        resp_bulk(c->reply, argv[k.at]);
        if (with_flags) command_reply_bits(c->reply, k.flags, command_key_flag_names, COMMAND_KEY_FLAG_COUNT);
    }
}

void command_introspect_getkeys(struct command_call *c)
{
    reply_given_keys(c, false);
}

void command_introspect_getkeysandflags(struct command_call *c)
{
    reply_given_keys(c, true);
}
