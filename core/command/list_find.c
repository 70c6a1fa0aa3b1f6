/* LPOS: where in a list a value is. */
#include "command/list.h"
#include "command/need.h"

struct lpos {
    uint64_t skipped; /* matches before the first one wanted */
    bool backwards;
    int64_t count;    /* how many are wanted, 0: all; -1: one, not in an array */
    uint64_t len_max; /* how many values are looked at; 0: all */
};

/* False: the error was replied. */
static bool parse_rank(struct command_call *c, int i, struct lpos *out)
{
    int64_t rank;
    if (!command_integer(c, i, &rank, NULL)) return false;
    if (rank == 0) {
        resp_error(c->reply, ERROR_SYNTAX,
                   "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end "
                   "of the list");
        return false;
    }
    out->backwards = rank < 0;
    out->skipped = rank == INT64_MIN ? 0 : (uint64_t)(rank < 0 ? -rank : rank) - 1; /* Redis negates the least number to itself */
    return true;
}

static bool parse(struct command_call *c, struct lpos *out)
{
    *out = (struct lpos){.count = -1};
    for (int i = 3; i < c->argc; i += 2) {
        int64_t len_max = 0;
        if (i + 1 == c->argc) {
            command_reply_syntax_error(c);
            return false;
        }
        if (command_is(c, i, "RANK")) {
            if (!parse_rank(c, i + 1, out)) return false;
        } else if (command_is(c, i, "COUNT")) {
            if (!command_integer_within(c, i + 1, 0, INT64_MAX, &out->count, "COUNT can't be negative")) return false;
        } else if (command_is(c, i, "MAXLEN")) {
            if (!command_integer_within(c, i + 1, 0, INT64_MAX, &len_max, "MAXLEN can't be negative")) return false;
            out->len_max = (uint64_t)len_max;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

/* Writes the indexes of the matches; returns how many. */
static size_t find(struct keyspace_list *l, const struct lpos *o, struct bytes wanted, struct resp_writer *out)
{
    uint64_t len = keyspace_list_len(l), left = o->len_max ? o->len_max : len, skipped = 0;
    size_t most = o->count < 0 ? 1 : o->count ? (size_t)o->count : SIZE_MAX, found = 0;
    struct keyspace_list_walk w = {.index = o->backwards ? len - 1 : 0, .backwards = o->backwards};
    struct bytes value;
    for (; left && found < most; left--) {
        uint64_t at = w.index;
        if (!keyspace_list_next(l, &w, &value)) break;
        if (!bytes_equal(value, wanted) || skipped++ < o->skipped) continue;
        resp_integer(out, (int64_t)at);
        found++;
    }
    return found;
}

static void command_list_find_lpos(struct command_call *c)
{
    struct lpos o;
    struct keyspace_list l;
    if (!parse(c, &o)) return;
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_LIST)) return;
    keyspace_list_open(c->keyspace, c->argv[1], &entry, &l);
    struct resp_writer found = command_writer_aside(c);
    size_t n = find(&l, &o, c->argv[2], &found);
    if (found.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "so many matches do not fit a reply: ask for some of them with COUNT");
        return;
    }
    if (o.count >= 0) resp_array(c->reply, n);
    if (o.count < 0 && n == 0) resp_null(c->reply);
    command_reply_aside(c);
}

const struct command_row command_list_find_rows[] = {
    {"LPOS", -3, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_LIST, command_list_find_lpos,
     "The index of the first value of a list that is equal to one, or those of several.",
     .needs = NEEDS_SEARCHED, .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]", .since = "6.0.6",
     .complexity = "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the "
                   "tail of the list, or when the MAXLEN option is provided, the command may run in constant time."},
    {0},
};
