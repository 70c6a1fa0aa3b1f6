/* WAIT: for replicas to have what was written. None has any data yet. */
#include "command/blocked.h"
#include "command/call.h"
#include "command/engine.h"

static void command_wait_wait(struct command_call *c)
{
    struct command_block b = {.gets_zero = true};
    int64_t replicas;
    if (command_is_replica(c->engine)) {
        resp_error(c->reply, ERROR_GENERIC,
                   "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not "
                   "the default) writes to replicas are just local and are not propagated.");
        return;
    }
    if (!command_integer(c, 1, &replicas, NULL) || !command_timeout_ms(c, 2, &b.timeout_ms)) return;
    if (replicas > 0)
        command_block(c, &b);
    else
        resp_integer(c->reply, 0);
}

const struct command_row command_wait_rows[] = {
    {"WAIT", 3, NOSCRIPT, NO_KEYS, ACL_CONNECTION, command_wait_wait,
     "Waits until so many replicas have what this connection has written, or for so many milliseconds; returns how many have: 0, replicas hold no data yet.",
     .syntax = "numreplicas timeout:integer", .since = "3.0.0", .complexity = "O(1)", .tips = "request_policy:all_shards response_policy:agg_min"},
    {0},
};
