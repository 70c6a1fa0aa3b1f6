/* The commands on lists that wait: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP. */
#include "command/blocked.h"
#include "command/list.h"
#include "command/need.h"

/* ---- one value, with its key ---- */

static bool serve_pop(struct command_call *c, struct bytes key, enum keyspace_list_side side)
{
    struct keyspace_list l;
    if (!command_list_open(c, key, &l)) return true;
    if (!l.there) return false;
    resp_array(c->reply, 2);
    resp_bulk(c->reply, key);
    command_list_pop(c, &l, side);
    return true;
}

static bool serve_left(struct command_call *c, struct bytes key)
{
    return serve_pop(c, key, LIST_LEFT);
}

static bool serve_right(struct command_call *c, struct bytes key)
{
    return serve_pop(c, key, LIST_RIGHT);
}

static void pop(struct command_call *c, command_serve *serve)
{
    struct command_block b = {.keys = c->argv + 1, .key_count = (size_t)c->argc - 2, .type = KEYSPACE_LIST, .serve = serve};
    if (!command_timeout(c, c->argc - 1, &b.timeout_ms)) return;
    for (size_t i = 0; i < b.key_count; i++)
        if (serve(c, b.keys[i])) return;
    command_block(c, &b);
}

static void command_list_block_blpop(struct command_call *c)
{
    pop(c, serve_left);
}

static void command_list_block_brpop(struct command_call *c)
{
    pop(c, serve_right);
}

/* ---- to another list ---- */

static bool serve_move(struct command_call *c, struct bytes key, enum keyspace_list_side out, enum keyspace_list_side in)
{
    struct keyspace_list from;
    if (!command_list_open(c, key, &from)) return true;
    if (!from.there) return false;
    command_list_move(c, &from, out, c->argv[2], in);
    return true;
}

static bool serve_blmove(struct command_call *c, struct bytes key)
{
    enum keyspace_list_side out, in;
    if (!command_list_side(c, 3, &out) || !command_list_side(c, 4, &in)) return true;
    return serve_move(c, key, out, in);
}

static bool serve_brpoplpush(struct command_call *c, struct bytes key)
{
    return serve_move(c, key, LIST_RIGHT, LIST_LEFT);
}

static void move(struct command_call *c, int timeout_at, command_serve *serve)
{
    struct command_block b = {.keys = c->argv + 1, .key_count = 1, .type = KEYSPACE_LIST, .serve = serve};
    if (!command_timeout(c, timeout_at, &b.timeout_ms) || serve(c, c->argv[1])) return;
    if (c->in_transaction)
        resp_null(c->reply); /* not the array that follows a wait */
    else
        command_block(c, &b);
}

static void command_list_block_blmove(struct command_call *c)
{
    enum keyspace_list_side side;
    if (command_list_side(c, 3, &side) && command_list_side(c, 4, &side)) move(c, 5, serve_blmove);
}

static void command_list_block_brpoplpush(struct command_call *c)
{
    move(c, 3, serve_brpoplpush);
}

/* ---- several values ---- */

static bool serve_blmpop(struct command_call *c, struct bytes key)
{
    struct command_list_mpop o;
    if (!command_list_parse_mpop(c, 2, &o)) return true;
    o.keys = &key;
    o.key_count = 1;
    return command_list_mpop(c, &o);
}

static void command_list_block_blmpop(struct command_call *c)
{
    struct command_list_mpop o;
    struct command_block b = {.type = KEYSPACE_LIST, .serve = serve_blmpop};
    if (!command_list_parse_mpop(c, 2, &o) || !command_timeout(c, 1, &b.timeout_ms) || command_list_mpop(c, &o)) return;
    b.keys = o.keys;
    b.key_count = o.key_count;
    command_block(c, &b);
}

/* ---- the rows ---- */

#define POPPED (KEY_RW | KEY_ACCESS | KEY_DELETE)

const struct command_row command_list_block_rows[] = {
    {"BLPOP", -3, WRITE | NOSCRIPT | BLOCKING, KEYS(1, -2, 1, POPPED), ACL_LIST, command_list_block_blpop,
     "Takes the first value out of the first of several lists that has any, and waits for one if none has.",
     .needs = NEEDS_POPPED(false, 0), .syntax = "key... timeout", .since = "2.0.0", .complexity = "O(N) where N is the number of provided keys."},
    {"BRPOP", -3, WRITE | NOSCRIPT | BLOCKING, KEYS(1, -2, 1, POPPED), ACL_LIST, command_list_block_brpop,
     "Takes the last value out of the first of several lists that has any, and waits for one if none has.",
     .needs = NEEDS_POPPED(true, 0), .syntax = "key... timeout", .since = "2.0.0", .complexity = "O(N) where N is the number of provided keys."},
    {"BLMOVE", 6, WRITE | DENYOOM | NOSCRIPT | BLOCKING, KEYS(1, 1, 1, POPPED), ACL_LIST, command_list_block_blmove,
     "The same as LMOVE, and waits for a value if the list has none.",
     .needs = NEEDS_MOVED(3), .syntax = "source destination (wherefrom: LEFT | RIGHT) (whereto: LEFT | RIGHT) timeout", .since = "6.2.0", .complexity = "O(1)",
     .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RW | KEY_INSERT))},
    {"BRPOPLPUSH", 4, WRITE | DENYOOM | NOSCRIPT | BLOCKING, KEYS(1, 1, 1, POPPED), ACL_LIST, command_list_block_brpoplpush,
     "The same as RPOPLPUSH, and waits for a value if the list has none.",
     .needs = NEEDS_MOVED(0), .syntax = "source destination timeout", .since = "2.2.0", .complexity = "O(1)",
     .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments", .deprecated_since = "6.2.0",
     .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RW | KEY_INSERT))},
    {"BLMPOP", -5, WRITE | BLOCKING, KEYS_COUNTED(2, POPPED), ACL_LIST, command_list_block_blmpop,
     "The same as LMPOP, and waits for values if no list has any.",
     .needs = NEEDS_FIRST_POPPED(2), .syntax = "timeout numkeys key... (where: LEFT | RIGHT) [COUNT count]", .since = "7.0.0",
     .complexity = "O(N+M) where N is the number of provided keys and M is the number of elements returned."},
    {0},
};
