/* Values from one list to another, and from the first of several lists that has any. */
#include "command/list.h"
#include "command/need.h"
#include "command/notify.h"

bool command_list_side(struct command_call *c, int i, enum keyspace_list_side *out)
{
    *out = command_is(c, i, "LEFT") ? LIST_LEFT : LIST_RIGHT;
    if (*out == LIST_LEFT || command_is(c, i, "RIGHT")) return true;
    command_reply_syntax_error(c);
    return false;
}

static struct bytes copy_outermost(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side)
{
    struct keyspace_list_walk w = {.index = side == LIST_LEFT ? 0 : keyspace_list_len(l) - 1};
    struct bytes value = {0};
    keyspace_list_next(l, &w, &value);
    return bytes_of(arena_copy(c->arena, value.data, value.len), value.len);
}

void command_list_move(struct command_call *c, struct keyspace_list *from, enum keyspace_list_side out, struct bytes key, enum keyspace_list_side in)
{
    struct keyspace_list other, *to = bytes_equal(from->key, key) ? from : &other;
    if (to == &other && !command_list_open(c, key, &other)) return;
    keyspace_list_near(from, out);
    struct bytes value = copy_outermost(c, from, out);
    keyspace_list_remove(from, out == LIST_LEFT ? 0 : keyspace_list_len(from) - 1, 1);
    if (to == &other) keyspace_list_close(from);
    keyspace_list_push(to, in, &value, 1);
    keyspace_list_close(to);
    command_notify(c, NOTIFY_LIST, in == LIST_LEFT ? "lpush" : "rpush", key);
    command_list_removed(c, from, out == LIST_LEFT ? "lpop" : "rpop");
    resp_bulk(c->reply, value);
}

static void move(struct command_call *c, enum keyspace_list_side out, enum keyspace_list_side in)
{
    struct keyspace_list from;
    if (!command_list_open(c, c->argv[1], &from)) return;
    if (from.there)
        command_list_move(c, &from, out, c->argv[2], in);
    else
        resp_null(c->reply);
}

static void command_list_move_lmove(struct command_call *c)
{
    enum keyspace_list_side out, in;
    if (command_list_side(c, 3, &out) && command_list_side(c, 4, &in)) move(c, out, in);
}

static void command_list_move_rpoplpush(struct command_call *c)
{
    move(c, LIST_RIGHT, LIST_LEFT);
}

bool command_list_parse_mpop(struct command_call *c, int at, struct command_list_mpop *out)
{
    int64_t keys, count = 1;
    if (!command_integer_within(c, at, 1, INT64_MAX, &keys, "numkeys should be greater than 0")) return false;
    if (keys >= c->argc - at - 1) {
        command_reply_syntax_error(c);
        return false;
    }
    int side_at = at + 1 + (int)keys;
    if (!command_list_side(c, side_at, &out->side)) return false;
    if (c->argc > side_at + 1 && (c->argc < side_at + 3 || !command_is(c, side_at + 1, "COUNT"))) {
        command_reply_syntax_error(c);
        return false;
    }
    if (c->argc > side_at + 1 && !command_integer_within(c, side_at + 2, 1, INT64_MAX, &count, "count should be greater than 0")) return false;
    if (c->argc > side_at + 3) {
        command_reply_syntax_error(c);
        return false;
    }
    *out = (struct command_list_mpop){&c->argv[at + 1], (size_t)keys, out->side, (uint64_t)count};
    return true;
}

bool command_list_mpop(struct command_call *c, const struct command_list_mpop *o)
{
    for (size_t i = 0; i < o->key_count; i++) {
        struct keyspace_list l;
        if (!command_list_open(c, o->keys[i], &l)) return true;
        if (!l.there) continue;
        resp_array(c->reply, 2);
        resp_bulk(c->reply, o->keys[i]);
        command_list_pop_many(c, &l, o->side, o->count);
        return true;
    }
    return false;
}

static void command_list_move_lmpop(struct command_call *c)
{
    struct command_list_mpop o;
    if (command_list_parse_mpop(c, 1, &o) && !command_list_mpop(c, &o)) resp_null_array(c->reply);
}

const struct command_row command_list_move_rows[] = {
    {"LMOVE", 5, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_LIST, command_list_move_lmove,
     "Takes the first or last value out of a list, adds it to another or the same one, and returns it.",
     .needs = NEEDS_MOVED(3), .syntax = "source destination (wherefrom: LEFT | RIGHT) (whereto: LEFT | RIGHT)", .since = "6.2.0", .complexity = "O(1)",
     .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RW | KEY_INSERT))},
    {"RPOPLPUSH", 3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_LIST, command_list_move_rpoplpush,
     "Takes the last value out of a list, adds it before the first of another or the same one, and returns it.",
     .needs = NEEDS_MOVED(0), .syntax = "source destination", .since = "1.2.0", .complexity = "O(1)", .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments",
     .deprecated_since = "6.2.0", .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RW | KEY_INSERT))},
    {"LMPOP", -4, WRITE, KEYS_COUNTED(1, KEY_RW | KEY_ACCESS | KEY_DELETE), ACL_LIST, command_list_move_lmpop,
     "Takes values out of the first of several lists that has any.",
     .needs = NEEDS_FIRST_POPPED(1), .syntax = "numkeys key... (where: LEFT | RIGHT) [COUNT count]", .since = "7.0.0",
     .complexity = "O(N+M) where N is the number of provided keys and M is the number of elements returned."},
    {0},
};
