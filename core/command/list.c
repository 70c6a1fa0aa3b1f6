/* Lists: values at their ends and within. */
#include "command/list.h"
#include "command/need.h"
#include "command/notify.h"

bool command_list_open(struct command_call *c, struct bytes key, struct keyspace_list *l)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_LIST)) return false;
    keyspace_list_open(c->keyspace, key, &entry, l);
    return true;
}

/* The list that the command is about, for reading. */
static bool open_read(struct command_call *c, struct keyspace_list *l)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_LIST)) return false;
    keyspace_list_open(c->keyspace, c->argv[1], &entry, l);
    return true;
}

static struct bytes value_at(struct keyspace_list *l, uint64_t index)
{
    struct keyspace_list_walk w = {.index = index};
    struct bytes value = {0};
    keyspace_list_next(l, &w, &value);
    return value;
}

/* ---- pushing ---- */

static void push(struct command_call *c, enum keyspace_list_side side, bool only_old)
{
    struct keyspace_list l;
    if (!command_list_open(c, c->argv[1], &l)) return;
    if (l.there || !only_old) {
        keyspace_list_push(&l, side, c->argv + 2, (size_t)c->argc - 2);
        keyspace_list_close(&l);
        command_notify(c, NOTIFY_LIST, side == LIST_LEFT ? "lpush" : "rpush", c->argv[1]);
    }
    resp_integer(c->reply, (int64_t)keyspace_list_len(&l));
}

static void command_list_lpush(struct command_call *c)
{
    push(c, LIST_LEFT, false);
}

static void command_list_rpush(struct command_call *c)
{
    push(c, LIST_RIGHT, false);
}

static void command_list_lpushx(struct command_call *c)
{
    push(c, LIST_LEFT, true);
}

static void command_list_rpushx(struct command_call *c)
{
    push(c, LIST_RIGHT, true);
}

/* ---- popping ---- */

void command_list_removed(struct command_call *c, struct keyspace_list *l, const char *event)
{
    keyspace_list_close(l);
    command_notify(c, NOTIFY_LIST, event, l->key);
    if (!l->there) command_notify(c, NOTIFY_GENERIC, "del", l->key);
}

static void take_out(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side, uint64_t count)
{
    keyspace_list_remove(l, side == LIST_LEFT ? 0 : keyspace_list_len(l) - count, count);
    command_list_removed(c, l, side == LIST_LEFT ? "lpop" : "rpop");
}

void command_list_pop(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side)
{
    keyspace_list_near(l, side);
    resp_bulk(c->reply, value_at(l, side == LIST_LEFT ? 0 : keyspace_list_len(l) - 1));
    take_out(c, l, side, 1);
}

void command_list_pop_many(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side, uint64_t count)
{
    if (count > keyspace_list_len(l)) count = keyspace_list_len(l);
    keyspace_list_near(l, side);
    struct keyspace_list_walk w = {.index = side == LIST_LEFT ? 0 : keyspace_list_len(l) - 1, .backwards = side == LIST_RIGHT};
    struct bytes value;
    resp_array(c->reply, count);
    for (uint64_t i = 0; i < count && keyspace_list_next(l, &w, &value); i++) resp_bulk(c->reply, value);
    take_out(c, l, side, count);
}

static void pop(struct command_call *c, enum keyspace_list_side side)
{
    struct keyspace_list l;
    int64_t count = -1;
    if (c->argc > 3) {
        command_reply_arity_error(c);
        return;
    }
    if (c->argc == 3 && !command_integer_within(c, 2, 0, INT64_MAX, &count, "value is out of range, must be positive")) return;
    if (!command_list_open(c, c->argv[1], &l)) return;
    if (count < 0 && l.there)
        command_list_pop(c, &l, side);
    else if (count < 0)
        resp_null(c->reply);
    else if (!l.there)
        resp_null_array(c->reply);
    else if (count == 0)
        resp_array(c->reply, 0);
    else
        command_list_pop_many(c, &l, side, (uint64_t)count);
}

static void command_list_lpop(struct command_call *c)
{
    pop(c, LIST_LEFT);
}

static void command_list_rpop(struct command_call *c)
{
    pop(c, LIST_RIGHT);
}

/* ---- reading ---- */

static void command_list_llen(struct command_call *c)
{
    struct keyspace_list l;
    if (open_read(c, &l)) resp_integer(c->reply, (int64_t)keyspace_list_len(&l));
}

/* An index counted from the end is made one from the beginning. Whether there is such a value. */
static bool resolve(const struct keyspace_list *l, int64_t index, uint64_t *out)
{
    int64_t len = (int64_t)keyspace_list_len(l);
    if (index < 0) index += len;
    *out = (uint64_t)index;
    return index >= 0 && index < len;
}

static void command_list_lindex(struct command_call *c)
{
    struct keyspace_list l;
    int64_t index;
    uint64_t at;
    if (!open_read(c, &l)) return;
    if (!l.there)
        resp_null(c->reply);
    else if (!command_integer(c, 2, &index, NULL))
        return;
    else if (!resolve(&l, index, &at))
        resp_null(c->reply);
    else
        resp_bulk(c->reply, value_at(&l, at));
}

struct range {
    uint64_t first, count;
};

/* The values from one index to another, both included. */
static struct range range_of(const struct keyspace_list *l, int64_t start, int64_t stop)
{
    int64_t len = (int64_t)keyspace_list_len(l);
    if (start < 0) start = start + len < 0 ? 0 : start + len;
    if (stop < 0) stop += len;
    if (stop >= len) stop = len - 1;
    if (start > stop) return (struct range){0, 0};
    return (struct range){(uint64_t)start, (uint64_t)(stop - start + 1)};
}

static void command_list_lrange(struct command_call *c)
{
    struct keyspace_list l;
    int64_t start, stop;
    if (!command_integer(c, 2, &start, NULL) || !command_integer(c, 3, &stop, NULL) || !open_read(c, &l)) return;
    struct range r = range_of(&l, start, stop);
    struct keyspace_list_walk w = {.index = r.first};
    struct bytes value;
    resp_array(c->reply, r.count);
    for (uint64_t i = 0; i < r.count && !c->reply->out->failed && keyspace_list_next(&l, &w, &value); i++) resp_bulk(c->reply, value);
}

/* ---- changing within ---- */

static void command_list_lset(struct command_call *c)
{
    struct keyspace_list l;
    int64_t index;
    uint64_t at;
    if (!command_list_open(c, c->argv[1], &l)) return;
    if (!l.there) {
        resp_error(c->reply, ERROR_NOT_FOUND, "no such key");
    } else if (command_integer(c, 2, &index, NULL)) {
        if (!resolve(&l, index, &at)) {
            resp_error(c->reply, ERROR_GENERIC, "index out of range");
            return;
        }
        keyspace_list_set(&l, at, c->argv[3]);
        keyspace_list_close(&l);
        command_notify(c, NOTIFY_LIST, "lset", c->argv[1]);
        command_reply_ok(c);
    }
}

/* The index of the first value that is `wanted`; the length if there is none. */
static uint64_t find(struct keyspace_list *l, struct bytes wanted)
{
    struct keyspace_list_walk w = {0};
    struct bytes value;
    while (keyspace_list_next(l, &w, &value))
        if (bytes_equal(value, wanted)) return w.index - 1;
    return w.index;
}

static void command_list_linsert(struct command_call *c)
{
    struct keyspace_list l;
    bool after = command_is(c, 2, "AFTER");
    if (!after && !command_is(c, 2, "BEFORE")) {
        command_reply_syntax_error(c);
        return;
    }
    if (!command_list_open(c, c->argv[1], &l)) return;
    uint64_t at = find(&l, c->argv[3]);
    if (!l.there) {
        resp_integer(c->reply, 0);
    } else if (at == keyspace_list_len(&l)) {
        resp_integer(c->reply, -1);
    } else {
        keyspace_list_insert(&l, at + after, c->argv[4]);
        keyspace_list_close(&l);
        command_notify(c, NOTIFY_LIST, "linsert", c->argv[1]);
        resp_integer(c->reply, (int64_t)keyspace_list_len(&l));
    }
}

/* Removes up to `most` values from an end on that are `wanted`, neighbours at once. Returns how many. */
static int64_t remove_equal(struct keyspace_list *l, struct bytes wanted, uint64_t most, bool backwards)
{
    struct keyspace_list_walk w = {.index = backwards ? keyspace_list_len(l) - 1 : 0, .backwards = backwards};
    struct bytes value;
    uint64_t removed = 0, run = 0;
    bool more = true;
    while (more) {
        uint64_t at = w.index;
        more = removed + run < most && keyspace_list_next(l, &w, &value);
        bool equal = more && bytes_equal(value, wanted);
        run += equal;
        if (equal || !run) continue;
        uint64_t first = backwards ? at + 1 : at - run;
        keyspace_list_remove(l, first, run);
        removed += run;
        if (!backwards && more) first++; /* the one that differs has been looked at */
        w = (struct keyspace_list_walk){.index = backwards ? w.index : first, .backwards = backwards};
        run = 0;
    }
    return (int64_t)removed;
}

static void command_list_lrem(struct command_call *c)
{
    struct keyspace_list l;
    int64_t count;
    if (!command_integer(c, 2, &count, NULL) || !command_list_open(c, c->argv[1], &l)) return;
    uint64_t most = count > 0 ? (uint64_t)count : count < 0 ? 0 - (uint64_t)count : UINT64_MAX;
    int64_t removed = remove_equal(&l, c->argv[3], most, count < 0);
    if (removed) command_list_removed(c, &l, "lrem");
    resp_integer(c->reply, removed);
}

static void command_list_ltrim(struct command_call *c)
{
    struct keyspace_list l;
    int64_t start, stop;
    if (!command_integer(c, 2, &start, NULL) || !command_integer(c, 3, &stop, NULL) || !command_list_open(c, c->argv[1], &l)) return;
    struct range r = range_of(&l, start, stop);
    uint64_t len = keyspace_list_len(&l), behind = r.first + r.count;
    if (behind < len) keyspace_list_remove(&l, behind, len - behind);
    if (r.first > 0) keyspace_list_remove(&l, 0, r.first);
    if (l.there && r.count == len) keyspace_touch(c->keyspace, c->argv[1]); /* it counts as a change, as in Redis */
    if (l.there) command_list_removed(c, &l, "ltrim");
    command_reply_ok(c);
}

/* ---- the rows ---- */

#define PUSHES KEYS(1, 1, 1, KEY_RW | KEY_INSERT)
#define POPS   KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE)
#define READS  KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

#define EACH_PUSHED                                                                                                                           \
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments."

const struct command_row command_list_rows[] = {
    {"LPUSH", -3, WRITE | DENYOOM | FAST, PUSHES, ACL_LIST, command_list_lpush,
     "Adds values before the first one of a list, one after the other; returns its length.",
     .needs = NEEDS_PUSHED(false), .syntax = "key element...", .since = "1.0.0", .complexity = EACH_PUSHED},
    {"RPUSH", -3, WRITE | DENYOOM | FAST, PUSHES, ACL_LIST, command_list_rpush,
     "Adds values behind the last one of a list; returns its length.",
     .needs = NEEDS_PUSHED(true), .syntax = "key element...", .since = "1.0.0", .complexity = EACH_PUSHED},
    {"LPUSHX", -3, WRITE | DENYOOM | FAST, PUSHES, ACL_LIST, command_list_lpushx,
     "The same as LPUSH if there is a list, else nothing.",
     .needs = NEEDS_PUSHED(false), .syntax = "key element...", .since = "2.2.0", .complexity = EACH_PUSHED},
    {"RPUSHX", -3, WRITE | DENYOOM | FAST, PUSHES, ACL_LIST, command_list_rpushx,
     "The same as RPUSH if there is a list, else nothing.",
     .needs = NEEDS_PUSHED(true), .syntax = "key element...", .since = "2.2.0", .complexity = EACH_PUSHED},
    {"LPOP", -2, WRITE | FAST, POPS, ACL_LIST, command_list_lpop,
     "Takes the first value, or the first ones, out of a list.",
     .needs = NEEDS_POPPED(false, 2), .syntax = "key [count]", .since = "1.0.0", .complexity = "O(N) where N is the number of elements returned"},
    {"RPOP", -2, WRITE | FAST, POPS, ACL_LIST, command_list_rpop,
     "Takes the last value, or the last ones, out of a list.",
     .needs = NEEDS_POPPED(true, 2), .syntax = "key [count]", .since = "1.0.0", .complexity = "O(N) where N is the number of elements returned"},
    {"LLEN", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_LIST, command_list_llen,
     "The number of values in a list.",
     .syntax = "key", .since = "1.0.0", .complexity = "O(1)"},
    {"LINDEX", 3, READ, READS, ACL_LIST, command_list_lindex,
     "The value of a list at an index; below 0, counted from the end.",
     .needs = NEEDS_RANKS(2, 1, NEED_READS), .syntax = "key index", .since = "1.0.0", .complexity = "O(log N) where N is the length of the list"},
    {"LRANGE", 4, READ, READS, ACL_LIST, command_list_lrange,
     "The values of a list from one index to another.",
     .needs = NEEDS_RANKS(2, 2, NEED_READS), .syntax = "key start stop", .since = "1.0.0",
     .complexity = "O(log N+M) where N is the length of the list and M the number of elements returned"},
    {"LSET", 4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_LIST, command_list_lset,
     "Puts another value in place of the one at an index.",
     .needs = NEEDS_RANKS(2, 1, NEED_PUTS), .syntax = "key index element", .since = "1.0.0", .complexity = "O(log N) where N is the length of the list"},
    {"LINSERT", 5, WRITE | DENYOOM, PUSHES, ACL_LIST, command_list_linsert,
     "Adds a value before or after the first one that is equal to another; returns the length, -1 if there is no such value.",
     .needs = NEEDS_SEARCHED, .syntax = "key (where: BEFORE | AFTER) pivot element", .since = "2.2.0",
     .complexity = "O(N) where N is the number of elements to traverse before seeing the value pivot."},
    {"LREM", 4, WRITE, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_LIST, command_list_lrem,
     "Removes values that are equal to one: so many from the beginning, or, below 0, from the end; 0: all. Returns how many.",
     .needs = NEEDS_SEARCHED, .syntax = "key count element", .since = "1.0.0",
     .complexity = "O(N+M log N) where N is the length of the list and M the number of elements removed."},
    {"LTRIM", 4, WRITE, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_LIST, command_list_ltrim,
     "Keeps the values from one index to another.",
     .needs = NEEDS_TRIMMED, .syntax = "key start stop", .since = "1.0.0", .complexity = "O(N) where N is the number of elements to be removed by the operation."},
    {0},
};
