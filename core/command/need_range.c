/* Needs of commands: ranges of sorted sets and streams. */
#include "base/number.h"
#include "command/need.h"
#include "command/stream_id.h"

static struct bytes argument(const struct command_need *n, int i)
{
    return n->request->argv[i];
}

static bool integer(const struct command_need *n, int i, uint64_t *out)
{
    int64_t v;
    bool given = i < n->request->argc && number_parse_integer(argument(n, i), &v);
    if (given) *out = v < 0 ? UINT64_MAX : (uint64_t)v;
    return given;
}

/* ---- sorted sets ---- */

static bool parse_score(struct bytes text, bool upper, struct keyspace_need_end *out)
{
    bool open = text.len && text.data[0] == '(';
    *out = (struct keyspace_need_end){.by = NEED_BY_SCORE, .behind = upper != open};
    return number_parse_double(bytes_of(text.data + open, text.len - open), &out->score);
}

static bool parse_name(struct bytes text, bool upper, struct keyspace_need_end *out)
{
    uint8_t first = text.len ? text.data[0] : 0;
    *out = (struct keyspace_need_end){.by = NEED_OPEN};
    if (text.len == 1 && (first == '-' || first == '+')) return (first == '+') == upper;
    if (first != '(' && first != '[') return false;
    *out = (struct keyspace_need_end){.by = NEED_BY_NAME, .name = bytes_of(text.data + 1, text.len - 1), .behind = upper != (first == '(')};
    return true;
}

typedef bool parse_end(struct bytes text, bool upper, struct keyspace_need_end *out);

/* LIMIT among the options from `at` on. */
static void parse_limit(const struct command_need *n, int at, struct keyspace_need *need)
{
    for (int i = at; i + 2 < n->request->argc; i++)
        if (bytes_is(argument(n, i), "LIMIT") && integer(n, i + 1, &need->offset)) integer(n, i + 2, &need->limit);
}

/* The ends are at `at` and behind it; the upper one first if need->backwards. */
static void tell_between(const struct command_need *n, int at, parse_end *parse, struct keyspace_need *need)
{
    need->kind = NEED_BETWEEN;
    bool whole = parse(argument(n, at + need->backwards), false, &need->min) && parse(argument(n, at + !need->backwards), true, &need->max);
    if (whole) keyspace_ahead_need(n->ahead, need);
}

static void tell_ends(const struct command_need *n, parse_end *parse)
{
    struct keyspace_need need = {.change = (enum keyspace_need_change)n->how->step, .backwards = n->how->first == NEEDS_BACKWARDS, .limit = UINT64_MAX};
    if (n->how->first == NEEDS_COUNTED) need.limit = 0;
    parse_limit(n, 4, &need);
    tell_between(n, 2, parse, &need);
}

void command_need_scores(const struct command_need *n)
{
    tell_ends(n, parse_score);
}

void command_need_names(const struct command_need *n)
{
    tell_ends(n, parse_name);
}

/* Of ZRANGESTORE, too, whose destination is written over. */
void command_need_range(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_RANKS, .limit = UINT64_MAX};
    int at = n->key_at + 1;
    bool by_score = false, by_name = false;
    if (n->key_flags & KEY_OW || at + 1 >= n->request->argc) return;
    for (int i = at + 2; i < n->request->argc; i++) {
        by_score |= bytes_is(argument(n, i), "BYSCORE");
        by_name |= bytes_is(argument(n, i), "BYLEX");
        need.backwards |= bytes_is(argument(n, i), "REV");
    }
    parse_limit(n, at + 2, &need);
    if (by_score || by_name) {
        tell_between(n, at, by_score ? parse_score : parse_name, &need);
        return;
    }
    need.backwards |= n->how->first;
    if (!number_parse_integer(argument(n, at), &need.from) || !number_parse_integer(argument(n, at + 1), &need.to)) return;
    if (need.backwards) { /* ranks from the other end; of a number there is none below, ~ gives that */
        int64_t from = ~need.to;
        need.to = ~need.from;
        need.from = from;
    }
    keyspace_ahead_need(n->ahead, &need);
}

/* ---- streams ---- */

void command_need_entries(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_BETWEEN, .backwards = n->how->first, .limit = UINT64_MAX};
    need.min.by = need.max.by = NEED_BY_ID;
    need.max.behind = true;
    if (command_stream_end_parse(argument(n, 2 + need.backwards), false, &need.min.id) != STREAM_END_READ) return;
    if (command_stream_end_parse(argument(n, 3 - need.backwards), true, &need.max.id) != STREAM_END_READ) return;
    if (n->request->argc > 5 && bytes_is(argument(n, 4), "COUNT")) integer(n, 5, &need.limit);
    keyspace_ahead_need(n->ahead, &need);
}

/* MAXLEN, or MINID, and a threshold among the options. */
void command_need_oldest(const struct command_need *n)
{
    struct keyspace_need by_length = {.kind = NEED_RANKS, .change = NEED_REMOVES};
    struct keyspace_need by_id = {.kind = NEED_BETWEEN, .change = NEED_REMOVES, .max = {.by = NEED_BY_ID}, .limit = UINT64_MAX};
    int64_t length;
    int at = 2, argc = n->request->argc;
    while (at < argc && !bytes_is(argument(n, at), "MAXLEN") && !bytes_is(argument(n, at), "MINID")) at++;
    if (at + 1 >= argc) return;
    bool sign = at + 2 < argc && (bytes_is(argument(n, at + 1), "~") || bytes_is(argument(n, at + 1), "="));
    struct bytes threshold = argument(n, at + 1 + sign);
    if (bytes_is(argument(n, at), "MAXLEN")) {
        if (!number_parse_integer(threshold, &length) || length < 0) return;
        by_length.to = -length - 1;
        keyspace_ahead_need(n->ahead, &by_length);
    } else if (command_stream_id_parse(threshold, 0, &by_id.max.id, NULL)) {
        keyspace_ahead_need(n->ahead, &by_id);
    }
}

void command_need_entry(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_END, .change = NEED_PUTS};
    for (int i = 3; i < n->request->argc; i++) need.size += argument(n, i).len + 2;
    keyspace_ahead_need(n->ahead, &need);
    command_need_oldest(n);
}

void command_need_ids(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_BETWEEN, .change = NEED_REMOVES, .limit = UINT64_MAX};
    need.min.by = need.max.by = NEED_BY_ID;
    need.max.behind = true;
    int argc = n->request->argc;
    for (int i = 2 + (int)keyspace_ahead_pass(n->ahead, (uint64_t)argc - 2); i < argc && !keyspace_ahead_is_done(n->ahead); i++) {
        if (!command_stream_id_parse(argument(n, i), 0, &need.min.id, NULL)) return;
        need.max.id = need.min.id;
        keyspace_ahead_need(n->ahead, &need);
    }
}

#define OPTIONS_MAX 16 /* arguments before STREAMS; behind more, as when options are given again and again, nothing is told: each key looks through them */

/* The id that belongs to a key comes behind all keys, as far as the key behind STREAMS. */
void command_need_newer(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_BETWEEN, .min = {.by = NEED_BY_ID}, .limit = UINT64_MAX};
    int streams = 1, argc = n->request->argc;
    for (; streams <= OPTIONS_MAX && streams < n->key_at - 1 && !bytes_is(argument(n, streams), "STREAMS"); streams++)
        if (bytes_is(argument(n, streams), "COUNT")) integer(n, streams + 1, &need.limit);
    if (streams > OPTIONS_MAX) return;
    int id_at = n->key_at + (argc - 1 - streams) / 2;
    if (!need.limit) need.limit = UINT64_MAX; /* as if it had not been said */
    if (id_at >= argc || !command_stream_id_parse(argument(n, id_at), 0, &need.min.id, NULL) || !stream_id_next(&need.min.id)) return;
    keyspace_ahead_need(n->ahead, &need);
}
