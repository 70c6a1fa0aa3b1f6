/* The node as a whole. */
#include "base/clock.h"
#include "command/call.h"
#include "command/engine.h"

static void command_server_time(struct command_call *c)
{
    int64_t now_us = clock_wall_us();
    resp_array(c->reply, 2);
    resp_bulk_printf(c->reply, "%lld", (long long)(now_us / 1000000));
    resp_bulk_printf(c->reply, "%lld", (long long)(now_us % 1000000));
}

static void command_server_dbsize(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)keyspace_size(c->keyspace, c->session->database));
}

/* [ASYNC | SYNC]: both are taken, neither makes a difference. */
static bool flush_options(struct command_call *c)
{
    if (c->argc == 1 || (c->argc == 2 && (command_is(c, 1, "ASYNC") || command_is(c, 1, "SYNC")))) return true;
    command_reply_syntax_error(c);
    return false;
}

static void command_server_flushdb(struct command_call *c)
{
    if (!flush_options(c)) return;
    watch_flush(c->engine, c->session->database);
    keyspace_flush(c->keyspace, c->session->database);
    command_blocked_touch_all(c->engine, c->session->database);
    command_reply_ok(c);
}

static void command_server_flushall(struct command_call *c)
{
    if (!flush_options(c)) return;
    for (unsigned db = 0; db < c->engine->databases; db++) watch_flush(c->engine, db);
    keyspace_flush_all(c->keyspace);
    for (unsigned db = 0; db < c->engine->databases; db++) command_blocked_touch_all(c->engine, db);
    command_reply_ok(c);
}

/* Refused in cluster mode, as in Redis: one shard's databases would be swapped, and not the others'. */
static void command_server_swapdb(struct command_call *c)
{
    int64_t a, b, count = c->engine->databases;
    if (c->engine->cluster_enabled) {
        resp_error(c->reply, ERROR_GENERIC, "SWAPDB is not allowed in cluster mode");
        return;
    }
    if (!command_integer_within(c, 1, INT32_MIN, INT32_MAX, &a, "invalid first DB index") ||
        !command_integer_within(c, 2, INT32_MIN, INT32_MAX, &b, "invalid second DB index")) {
        return;
    }
    if (a < 0 || a >= count || b < 0 || b >= count) {
        resp_error(c->reply, ERROR_GENERIC, "DB index is out of range");
        return;
    }
    watch_swap(c->engine, (unsigned)a, (unsigned)b, c->now_ms);
    keyspace_swap(c->keyspace, (unsigned)a, (unsigned)b);
    command_blocked_touch_all(c->engine, (unsigned)a);
    command_blocked_touch_all(c->engine, (unsigned)b);
    command_reply_ok(c);
}

/* Every ending saves what was acknowledged, so NOSAVE, SAVE, NOW and FORCE all mean the same. There is no reply: the
 * connection ends with the process, as in Redis. */
static void command_server_shutdown(struct command_call *c)
{
    bool save = false, nosave = false, now = false, force = false, abort_ = false, wrong = false;
    for (int i = 1; i < c->argc; i++) {
        bool *option = command_is(c, i, "SAVE")     ? &save
                       : command_is(c, i, "NOSAVE") ? &nosave
                       : command_is(c, i, "NOW")    ? &now
                       : command_is(c, i, "FORCE")  ? &force
                       : command_is(c, i, "ABORT")  ? &abort_
                                                    : &wrong;
        *option = true;
    }
    if (wrong || (save && nosave) || (abort_ && (save || nosave || now || force))) {
        command_reply_syntax_error(c);
    } else if (abort_) {
        resp_error(c->reply, ERROR_GENERIC, "No shutdown in progress.");
    } else {
        net_client_suspend(c->client);
        c->engine->host->shutdown(c->engine->host->user);
    }
}

/* ---- ROLE ---- */

static const struct cluster_node *primary_of_self(const struct command_engine *e)
{
    const struct cluster_shard *shard = cluster_shard_find(e->routing->state, e->routing->self->shard);
    return shard ? cluster_node_find(e->routing->state, shard->primary) : NULL;
}

/* Replicas hold no data yet, so a primary has none that it sends to, and a replica's link is never up. */
static void command_server_role(struct command_call *c)
{
    const struct command_engine *e = c->engine;
    const struct cluster_node *primary = command_is_replica(e) ? primary_of_self(e) : NULL;
    if (!primary) {
        resp_array(c->reply, 3);
        resp_bulk_text(c->reply, "master");
        resp_integer(c->reply, (int64_t)store_durable(e->store).sequence);
        resp_array(c->reply, 0);
        return;
    }
    const struct cluster_endpoint *at = command_endpoint(e, c->client, &primary->info);
    resp_array(c->reply, 5);
    resp_bulk_text(c->reply, "slave");
    resp_bulk_text(c->reply, at->host);
    resp_integer(c->reply, at->port);
    resp_bulk_text(c->reply, "connect");
    resp_integer(c->reply, -1);
}

#define ALL_SHARDS "request_policy:all_shards response_policy:"

const struct command_row command_server_rows[] = {
    {"TIME", 1, LOADING | STALE | FAST, NO_KEYS, 0, command_server_time,
     "The node's time: seconds since 1970, and microseconds.",
     .since = "2.6.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"ROLE", 1, NOSCRIPT | LOADING | STALE | FAST, NO_KEYS, ACL_ADMIN | ACL_DANGEROUS, command_server_role,
     "Whether the node is a primary, and up to which batch its data is durable; or a replica, and whose.",
     .since = "2.8.12", .complexity = "O(1)"},
    {"DBSIZE", 1, READ | FAST, NO_KEYS, ACL_KEYSPACE, command_server_dbsize,
     "The number of keys in the database.",
     .since = "1.0.0", .complexity = "O(1)", .tips = ALL_SHARDS "agg_sum"},
    {"FLUSHDB", -1, WRITE, NO_KEYS, ACL_KEYSPACE | ACL_DANGEROUS, command_server_flushdb,
     "Removes all keys of the database.",
     .syntax = "[async: ASYNC | SYNC]", .since = "1.0.0", .complexity = "O(1)", .tips = ALL_SHARDS "all_succeeded"},
    {"FLUSHALL", -1, WRITE, NO_KEYS, ACL_KEYSPACE | ACL_DANGEROUS, command_server_flushall,
     "Removes all keys of all databases.",
     .syntax = "[async: ASYNC | SYNC]", .since = "1.0.0", .complexity = "O(1)", .tips = ALL_SHARDS "all_succeeded"},
    {"SWAPDB", 3, WRITE | FAST, NO_KEYS, ACL_KEYSPACE | ACL_DANGEROUS, command_server_swapdb,
     "Two databases change places.",
     .syntax = "index1 index2", .since = "4.0.0", .complexity = "O(1)"},
    {"SHUTDOWN", -1, ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY, NO_KEYS, 0, command_server_shutdown,
     "Ends the process in good order.",
     .syntax = "[nosave_save: NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", .since = "1.0.0", .complexity = "O(1)"},
    {0},
};
