/* The commands on sorted sets that wait: BZPOPMIN, BZPOPMAX, BZMPOP. */
#include "command/blocked.h"
#include "command/need.h"
#include "command/zset.h"

/* ---- one member, with its key ---- */

static bool serve_pop(struct command_call *c, struct bytes key, bool last)
{
    struct keyspace_zset z;
    if (!command_open_zset(c, key, &z)) return true;
    if (!keyspace_zset_count(&z)) return false;
    command_zset_pop(c, &z, key, last, 1, (struct command_scored_reply){.scores = true, .keyed = true});
    return true;
}

static bool serve_min(struct command_call *c, struct bytes key)
{
    return serve_pop(c, key, false);
}

static bool serve_max(struct command_call *c, struct bytes key)
{
    return serve_pop(c, key, true);
}

static void pop(struct command_call *c, command_serve *serve)
{
    struct command_block b = {.keys = c->argv + 1, .key_count = (size_t)c->argc - 2, .type = KEYSPACE_ZSET, .serve = serve};
    if (!command_timeout(c, c->argc - 1, &b.timeout_ms)) return;
    for (size_t i = 0; i < b.key_count; i++)
        if (serve(c, b.keys[i])) return;
    command_block(c, &b);
}

static void command_zset_block_bzpopmin(struct command_call *c)
{
    pop(c, serve_min);
}

static void command_zset_block_bzpopmax(struct command_call *c)
{
    pop(c, serve_max);
}

/* ---- several members ---- */

static bool serve_bzmpop(struct command_call *c, struct bytes key)
{
    struct command_zset_mpop m;
    if (!command_zset_parse_mpop(c, 2, &m)) return true;
    m.keys = &key;
    m.key_count = 1;
    return command_zset_mpop(c, &m);
}

static void command_zset_block_bzmpop(struct command_call *c)
{
    struct command_zset_mpop m;
    struct command_block b = {.type = KEYSPACE_ZSET, .serve = serve_bzmpop};
    if (!command_zset_parse_mpop(c, 2, &m) || !command_timeout(c, 1, &b.timeout_ms) || command_zset_mpop(c, &m)) return;
    b.keys = m.keys;
    b.key_count = m.key_count;
    command_block(c, &b);
}

#define POPPED (KEY_RW | KEY_ACCESS | KEY_DELETE)

const struct command_row command_zset_block_rows[] = {
    {"BZPOPMIN", -3, WRITE | NOSCRIPT | BLOCKING | FAST, KEYS(1, -2, 1, POPPED), ACL_SORTEDSET, command_zset_block_bzpopmin,
     "Takes the member with the lowest score out of the first of several sorted sets that has any, and waits for one if none has.",
     .needs = NEEDS_POPPED(false, 0), .syntax = "key... timeout", .since = "5.0.0", .complexity = "O(log(N)) with N being the number of elements in the sorted set."},
    {"BZPOPMAX", -3, WRITE | NOSCRIPT | BLOCKING | FAST, KEYS(1, -2, 1, POPPED), ACL_SORTEDSET, command_zset_block_bzpopmax,
     "Takes the member with the highest score out of the first of several sorted sets that has any, and waits for one if none has.",
     .needs = NEEDS_POPPED(true, 0), .syntax = "key... timeout", .since = "5.0.0", .complexity = "O(log(N)) with N being the number of elements in the sorted set."},
    {"BZMPOP", -5, WRITE | BLOCKING, KEYS_COUNTED(2, POPPED), ACL_SORTEDSET, command_zset_block_bzmpop,
     "The same as ZMPOP, and waits for members if no sorted set has any.",
     .needs = NEEDS_FIRST_POPPED(2), .syntax = "timeout numkeys key... (where: MIN | MAX) [COUNT count]", .since = "7.0.0",
     .complexity = "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted "
                   "set, and M being the number of elements popped."},
    {0},
};
