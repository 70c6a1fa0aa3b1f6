/* Streams: taking entries out, the oldest ones or by their ids. */
#include "command/engine.h"
#include "command/need.h"
#include "command/notify.h"
#include "command/stream.h"

/* ---- the oldest ones ---- */

/* Entries that "~" trims at most without LIMIT: those of a hundred of Redis's nodes, within bounds; as it does. */
#define LIMIT_NODES   100
#define LIMIT_DEFAULT 10000 /* where their size is not bounded */
#define LIMIT_MAX     1000000

static int64_t default_limit(uint64_t node)
{
    if (node == 0) return LIMIT_DEFAULT;
    return node < LIMIT_MAX / LIMIT_NODES ? (int64_t)node * LIMIT_NODES : LIMIT_MAX;
}

/* MAXLEN or MINID at argument `*i`, with what belongs to it; `*i` is its last then. */
static bool parse_threshold(struct command_call *c, int *i, struct command_stream_trim *t)
{
    bool by_length = command_is(c, *i, "MAXLEN");
    if (t->by != TRIM_NONE) return command_stream_refuse(c, "syntax error, MAXLEN and MINID options at the same time are not compatible");
    t->by = by_length ? TRIM_LENGTH : TRIM_ID;
    bool sign = *i + 2 < c->argc && (command_is(c, *i + 1, "~") || command_is(c, *i + 1, "="));
    t->about = sign && command_is(c, *i + 1, "~");
    *i += sign ? 2 : 1;
    if (!by_length) return command_stream_id(c, *i, &t->id);
    if (!command_integer(c, *i, &t->length, NULL)) return false;
    return t->length >= 0 || command_stream_refuse(c, "The MAXLEN argument must be >= 0.");
}

static bool parse_limit(struct command_call *c, int i, struct command_stream_trim *t)
{
    t->limit_given = true;
    if (!command_integer(c, i, &t->limit, NULL)) return false;
    return t->limit >= 0 || command_stream_refuse(c, "The LIMIT argument must be >= 0.");
}

bool command_stream_parse_trim(struct command_call *c, bool adds, struct command_stream_trim *t, int *at)
{
    int i = 2;
    *t = (struct command_stream_trim){0};
    for (; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        if (more && (command_is(c, i, "MAXLEN") || command_is(c, i, "MINID"))) {
            if (!parse_threshold(c, &i, t)) return false;
        } else if (more && command_is(c, i, "LIMIT")) {
            if (!parse_limit(c, ++i, t)) return false;
        } else if (adds && command_is(c, i, "NOMKSTREAM")) {
            t->no_stream = true;
        } else if (adds) {
            break;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    *at = i;
    return true;
}

bool command_stream_check_trim(struct command_call *c, bool adds, struct command_stream_trim *t)
{
    if (t->limit && t->by == TRIM_NONE) return command_stream_refuse(c, "syntax error, LIMIT cannot be used without specifying a trimming strategy");
    if (!adds && t->by == TRIM_NONE) return command_stream_refuse(c, "syntax error, XTRIM must be called with a trimming strategy");
    if (t->limit_given && !t->about) return command_stream_refuse(c, "syntax error, LIMIT cannot be used without the special ~ option");
    if (t->about) t->step = c->engine->tuning.stream_entries;
    if (t->about && !t->limit_given) t->limit = default_limit(t->step);
    return true;
}

uint64_t command_stream_trim(struct keyspace_stream *s, const struct command_stream_trim *t)
{
    uint64_t length = (uint64_t)t->length, gone = 0;
    if (t->by == TRIM_LENGTH && s->count > length) gone = s->count - length;
    if (t->by == TRIM_ID) gone = keyspace_stream_rank(s, t->id, NULL);
    if (t->limit && gone > (uint64_t)t->limit) gone = (uint64_t)t->limit;
    if (t->step && gone < s->count) { /* so that not each entry that comes costs one that goes */
        uint64_t before = s->head.added - s->count, beyond = (before % t->step + gone) % t->step; /* a step begins where a node of Redis's would */
        gone = gone > beyond ? gone - beyond : 0;
    }
    keyspace_stream_remove(s, 0, gone);
    return gone;
}

static void command_stream_xtrim(struct command_call *c)
{
    struct keyspace_stream s;
    struct command_stream_trim t;
    int at;
    if (!command_stream_parse_trim(c, false, &t, &at) || !command_stream_check_trim(c, false, &t) || !command_open_stream(c, c->argv[1], &s)) return;
    uint64_t gone = command_stream_trim(&s, &t);
    keyspace_stream_close(&s);
    if (gone) command_notify(c, NOTIFY_STREAM, "xtrim", c->argv[1]);
    resp_integer(c->reply, (int64_t)gone);
}

/* ---- by their ids ---- */

static void command_stream_xdel(struct command_call *c)
{
    struct keyspace_stream s;
    size_t count = (size_t)c->argc - 2;
    struct stream_id *ids = arena_alloc(c->arena, count * sizeof *ids);
    int64_t gone = 0;
    if (!command_open_stream(c, c->argv[1], &s)) return;
    for (size_t i = 0; s.exists && i < count; i++)
        if (!command_stream_id(c, (int)i + 2, &ids[i])) return;
    for (size_t i = 0; s.exists && i < count; i++) {
        bool there;
        uint64_t at = keyspace_stream_rank(&s, ids[i], &there);
        if (!there) continue;
        struct stream_head head = s.head;
        keyspace_stream_remove(&s, at, 1);
        if (stream_id_compare(ids[i], head.max_deleted) > 0) head.max_deleted = ids[i];
        keyspace_stream_set_head(&s, &head);
        gone++;
    }
    keyspace_stream_close(&s);
    if (gone) command_notify(c, NOTIFY_STREAM, "xdel", c->argv[1]);
    resp_integer(c->reply, gone);
}

/* ---- the rows ---- */

const struct command_row command_stream_trim_rows[] = {
    {"XTRIM", -4, WRITE, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_stream_xtrim,
     "Takes the oldest entries out of a stream; returns how many.",
     .needs = NEEDS_OLDEST, .syntax = "key (trim: " STREAM_TRIM_SYNTAX ")", .since = "5.0.0", .complexity = "O(N), with N being the number of evicted entries.",
     .tips = "nondeterministic_output"},
    {"XDEL", -3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_stream_xdel,
     "Deletes entries by their ids; returns how many there were.",
     .needs = NEEDS_IDS, .syntax = "key id...", .since = "5.0.0", .complexity = "O(log(N)) for each id, with N being the number of entries."},
    {0},
};
