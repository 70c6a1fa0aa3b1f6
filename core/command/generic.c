/* Keys of any type: there or not, which type, away with them. */
#include "command/notify.h"

static void command_generic_delete(struct command_call *c)
{
    int64_t deleted = 0;
    for (int i = 1; i < c->argc; i++) {
        if (!keyspace_delete(c->keyspace, c->argv[i])) continue;
        deleted++;
        command_notify(c, NOTIFY_GENERIC, "del", c->argv[i]);
    }
    resp_integer(c->reply, deleted);
}

static void command_generic_exists(struct command_call *c)
{
    int64_t found = 0;
    for (int i = 1; i < c->argc; i++) found += command_read(c, c->argv[i]).type != KEYSPACE_NONE;
    resp_integer(c->reply, found);
}

/* Also of a client that said NO-TOUCH. */
static void command_generic_touch(struct command_call *c)
{
    keyspace_only_look(c->keyspace, false);
    command_generic_exists(c);
}

static void command_generic_type(struct command_call *c)
{
    resp_simple(c->reply, keyspace_type_name(command_read(c, c->argv[1]).type));
}

#define MANY_SHARDS "request_policy:multi_shard response_policy:agg_sum"

const struct command_row command_generic_rows[] = {
    {"DEL", -2, WRITE, KEYS(1, -1, 1, KEY_RM | KEY_DELETE), ACL_KEYSPACE, command_generic_delete,
     "Deletes keys; returns how many there were.",
     .syntax = "key...", .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys that will be removed.", .tips = MANY_SHARDS},
    {"UNLINK", -2, WRITE | FAST, KEYS(1, -1, 1, KEY_RM | KEY_DELETE), ACL_KEYSPACE, command_generic_delete,
     "The same as DEL: neither waits for memory to be freed.",
     .syntax = "key...", .since = "4.0.0",
     .complexity = "O(N) where N is the number of keys that will be removed.", .tips = MANY_SHARDS},
    {"EXISTS", -2, READ | FAST, KEYS(1, -1, 1, KEY_RO), ACL_KEYSPACE, command_generic_exists,
     "How many of the keys are there; one given twice counts twice.",
     .syntax = "key...", .since = "1.0.0", .complexity = "O(N) where N is the number of keys to check.",
     .tips = MANY_SHARDS, .only_looks = true},
    {"TOUCH", -2, READ | FAST, KEYS(1, -1, 1, KEY_RO), ACL_KEYSPACE, command_generic_touch,
     "Uses keys, so that they are not the first to be evicted; how many are there, one given twice counts twice.",
     .syntax = "key...", .since = "3.2.1",
     .complexity = "O(N) where N is the number of keys that will be touched.", .tips = MANY_SHARDS},
    {"TYPE", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_KEYSPACE, command_generic_type,
     "The type of the value of a key.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)", .only_looks = true},
    {0},
};
