/* Streams: adding, reading by id, trimming, deleting. */
#include "command/stream.h"

#include "base/number.h"
#include "command/notify.h"

/* Opens the stream of a key; none is an empty one. False: wrong type, the error was replied. */
static bool open_stream(struct command_call *c, struct keyspace_stream *out)
{
    struct keyspace_entry entry = c->entry->row->flags & READ ? command_read(c, c->argv[1]) : keyspace_find(c->keyspace, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STREAM)) return false;
    keyspace_stream_open(c->keyspace, c->argv[1], &entry, out);
    return true;
}

/* ---- ids ---- */

/* "ms" or "ms-seq"; with `any_seq`, "ms-*" too, which sets it. False: it is none. */
static bool parse_id(struct bytes text, uint64_t missing_seq, struct stream_id *out, bool *any_seq)
{
    const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
    if (any_seq) *any_seq = false;
    out->seq = missing_seq;
    if (!dash) return number_parse_unsigned(text, &out->ms);
    size_t len = (size_t)(dash - text.data);
    struct bytes seq = bytes_of(dash + 1, text.len - len - 1);
    if (!number_parse_unsigned(bytes_of(text.data, len), &out->ms)) return false;
    if (!any_seq || !bytes_is(seq, "*")) return number_parse_unsigned(seq, &out->seq);
    *any_seq = true;
    out->seq = 0;
    return true;
}

static bool refuse_id(struct command_call *c)
{
    resp_error(c->reply, ERROR_SYNTAX, "Invalid stream ID specified as stream command argument");
    return false;
}

bool command_stream_id(struct command_call *c, int i, struct stream_id *out)
{
    return parse_id(c->argv[i], 0, out, NULL) || refuse_id(c);
}

/* An end of a range: "-", "+", an id, or "(" and an id, which is left out. */
static bool end_argument(struct command_call *c, int i, bool is_end, struct stream_id *out)
{
    struct bytes text = c->argv[i];
    bool excluded = text.len > 1 && text.data[0] == '(';
    if (bytes_is(text, "-") || bytes_is(text, "+")) {
        *out = text.data[0] == '-' ? (struct stream_id){0, 0} : STREAM_ID_MAX;
        return true;
    }
    if (excluded) text = bytes_of(text.data + 1, text.len - 1);
    if (!parse_id(text, is_end ? UINT64_MAX : 0, out, NULL)) return refuse_id(c);
    if (!excluded || (is_end ? stream_id_previous(out) : stream_id_next(out))) return true;
    resp_error(c->reply, ERROR_SYNTAX, "invalid %s ID for the interval", is_end ? "end" : "start");
    return false;
}

static void reply_id(struct command_call *c, struct stream_id id)
{
    resp_bulk_printf(c->reply, "%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);
}

/* ---- trimming ---- */

#define LIMIT_DEFAULT 10000 /* entries that "~" trims at most, as Redis's */

struct trim {
    enum { TRIM_NONE, TRIM_LENGTH, TRIM_ID } by;
    bool about, limit_given, no_stream;
    int64_t length, limit; /* 0: no limit */
    struct stream_id id;
};

static bool refuse(struct command_call *c, const char *text)
{
    resp_error(c->reply, ERROR_SYNTAX, "%s", text);
    return false;
}

/* MAXLEN or MINID at argument `*i`, with what belongs to it; `*i` is its last then. */
static bool parse_threshold(struct command_call *c, int *i, struct trim *t)
{
    bool by_length = command_is(c, *i, "MAXLEN");
    if (t->by != TRIM_NONE) return refuse(c, "syntax error, MAXLEN and MINID options at the same time are not compatible");
    t->by = by_length ? TRIM_LENGTH : TRIM_ID;
    bool sign = *i + 2 < c->argc && (command_is(c, *i + 1, "~") || command_is(c, *i + 1, "="));
    t->about = sign && command_is(c, *i + 1, "~");
    *i += sign ? 2 : 1;
    if (!by_length) return command_stream_id(c, *i, &t->id);
    if (!command_integer(c, *i, &t->length, NULL)) return false;
    return t->length >= 0 || refuse(c, "The MAXLEN argument must be >= 0.");
}

static bool parse_limit(struct command_call *c, int i, struct trim *t)
{
    t->limit_given = true;
    if (!command_integer(c, i, &t->limit, NULL)) return false;
    return t->limit >= 0 || refuse(c, "The LIMIT argument must be >= 0.");
}

/* Options from argument 2 on; `*at` is the first that is none, for XADD. False: the error was replied. */
static bool parse_trim(struct command_call *c, bool adds, struct trim *t, int *at)
{
    int i = 2;
    *t = (struct trim){0};
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

/* Whether the options go together; after what follows them was read. */
static bool check_trim(struct command_call *c, bool adds, struct trim *t)
{
    if (t->limit && t->by == TRIM_NONE) return refuse(c, "syntax error, LIMIT cannot be used without specifying a trimming strategy");
    if (!adds && t->by == TRIM_NONE) return refuse(c, "syntax error, XTRIM must be called with a trimming strategy");
    if (t->limit_given && !t->about) return refuse(c, "syntax error, LIMIT cannot be used without the special ~ option");
    if (t->about && !t->limit_given) t->limit = LIMIT_DEFAULT;
    return true;
}

/* Returns how many went. */
static uint64_t trim(struct keyspace_stream *s, const struct trim *t)
{
    uint64_t length = (uint64_t)t->length, gone = 0;
    if (t->by == TRIM_LENGTH && s->count > length) gone = s->count - length;
    if (t->by == TRIM_ID) gone = keyspace_stream_rank(s, t->id, NULL);
    if (t->limit && gone > (uint64_t)t->limit) gone = (uint64_t)t->limit;
    keyspace_stream_remove(s, 0, gone);
    return gone;
}

static void command_stream_xtrim(struct command_call *c)
{
    struct keyspace_stream s;
    struct trim t;
    int at;
    if (!parse_trim(c, false, &t, &at) || !check_trim(c, false, &t) || !open_stream(c, &s)) return;
    uint64_t gone = trim(&s, &t);
    keyspace_stream_close(&s);
    if (gone) command_notify(c, NOTIFY_STREAM, "xtrim", c->argv[1]);
    resp_integer(c->reply, (int64_t)gone);
}

/* ---- XADD ---- */

struct new_id {
    bool any, any_seq;
    struct stream_id id;
};

/* Fields and values from argument `at` on, packed, in the arena. False: too many bytes, the error was replied. */
static bool pack_fields(struct command_call *c, int at, struct bytes *out)
{
    size_t len = 0;
    for (int i = at; i < c->argc; i += 2) len += element_size(&(struct element){.key = c->argv[i], .value = c->argv[i + 1]});
    if (len > KEYSPACE_STREAM_ENTRY_MAX) {
        resp_error(c->reply, ERROR_LIMIT, "an entry of a stream takes at most %zu MiB", KEYSPACE_STREAM_ENTRY_MAX >> 20);
        return false;
    }
    uint8_t *room = arena_alloc(c->arena, len), *end = room;
    for (int i = at; i < c->argc; i += 2) end = element_write(end, &(struct element){.key = c->argv[i], .value = c->argv[i + 1]});
    *out = bytes_of(room, len);
    return true;
}

/* The id that the entry gets. False: the error was replied. */
static bool choose_id(struct command_call *c, const struct keyspace_stream *s, const struct new_id *n, struct stream_id *out)
{
    struct stream_id last = s->head.last;
    if (stream_id_compare(last, STREAM_ID_MAX) == 0)
        return refuse(c, "The stream has exhausted the last possible ID, unable to add more items");
    *out = n->any ? (struct stream_id){(uint64_t)c->now_ms, 0} : n->id;
    if (n->any && out->ms <= last.ms) {
        *out = last;
        stream_id_next(out);
    }
    if (n->any_seq && out->ms == last.ms && last.seq < UINT64_MAX) out->seq = last.seq + 1;
    if (stream_id_compare(*out, last) > 0) return true;
    return refuse(c, "The ID specified in XADD is equal or smaller than the target stream top item");
}

static bool parse_add(struct command_call *c, struct trim *t, struct new_id *n, int *fields_at)
{
    int at;
    if (!parse_trim(c, true, t, &at)) return false;
    *n = (struct new_id){.any = at < c->argc && command_is(c, at, "*")};
    if (!n->any && at < c->argc && !parse_id(c->argv[at], 0, &n->id, &n->any_seq)) return refuse_id(c);
    if (!check_trim(c, true, t)) return false;
    *fields_at = at + 1;
    if (c->argc - *fields_at < 2 || (c->argc - *fields_at) % 2) {
        command_reply_arity_error(c);
        return false;
    }
    if (n->any || n->any_seq || n->id.ms || n->id.seq) return true;
    return refuse(c, "The ID specified in XADD must be greater than 0-0");
}

static void command_stream_xadd(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_entry entry;
    struct trim t;
    struct new_id n;
    int fields_at;
    if (!parse_add(c, &t, &n, &fields_at) || !open_stream(c, &s)) return;
    if (!s.exists && t.no_stream) {
        resp_null(c->reply);
        return;
    }
    if (!choose_id(c, &s, &n, &entry.id) || !pack_fields(c, fields_at, &entry.fields)) return;
    keyspace_stream_append(&s, &entry);
    bool trimmed = trim(&s, &t) > 0;
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xadd", c->argv[1]);
    if (trimmed) command_notify(c, NOTIFY_STREAM, "xtrim", c->argv[1]);
    reply_id(c, entry.id);
}

/* ---- reading ---- */

static void command_stream_xlen(struct command_call *c)
{
    struct keyspace_stream s;
    if (open_stream(c, &s)) resp_integer(c->reply, (int64_t)s.count);
}

static void reply_entry(struct command_call *c, const struct stream_entry *entry)
{
    struct element el;
    size_t count = 0;
    for (struct bytes rest = entry->fields; element_skip(&rest);) count++;
    resp_array(c->reply, 2);
    reply_id(c, entry->id);
    resp_array(c->reply, 2 * count);
    for (struct bytes rest = entry->fields; element_next(&rest, &el);) {
        resp_bulk(c->reply, el.key);
        resp_bulk(c->reply, el.value);
    }
}

void command_stream_reply(struct command_call *c, struct keyspace_stream *s, uint64_t position, bool backwards, uint64_t count)
{
    struct keyspace_stream_walk w;
    struct stream_entry entry;
    resp_array(c->reply, count);
    if (!count) return;
    keyspace_stream_walk(s, position, backwards, &w);
    while (count-- && !c->reply->out->failed && keyspace_stream_next(s, &w, &entry)) reply_entry(c, &entry);
}

/* COUNT, any number of times; -1: all. */
static bool parse_count(struct command_call *c, int64_t *count)
{
    *count = -1;
    for (int i = 4; i < c->argc; i += 2) {
        if (!command_is(c, i, "COUNT") || i + 1 >= c->argc) {
            command_reply_syntax_error(c);
            return false;
        }
        if (!command_integer(c, i + 1, count, NULL)) return false;
        if (*count < 0) *count = 0;
    }
    return true;
}

static void range(struct command_call *c, bool backwards)
{
    struct keyspace_stream s;
    struct stream_id from, to;
    int64_t count;
    bool equal;
    if (!end_argument(c, backwards ? 3 : 2, false, &from) || !end_argument(c, backwards ? 2 : 3, true, &to)) return;
    if (!parse_count(c, &count) || !open_stream(c, &s)) return;
    if (s.exists && count == 0) {
        resp_null_array(c->reply);
        return;
    }
    uint64_t first = keyspace_stream_rank(&s, from, NULL), end = keyspace_stream_rank(&s, to, &equal);
    end += equal;
    uint64_t found = end > first ? end - first : 0;
    if (count > 0 && found > (uint64_t)count) found = (uint64_t)count;
    command_stream_reply(c, &s, backwards ? end - 1 : first, backwards, found);
}

static void command_stream_xrange(struct command_call *c)
{
    range(c, false);
}

static void command_stream_xrevrange(struct command_call *c)
{
    range(c, true);
}

/* ---- XDEL, XSETID ---- */

static void command_stream_xdel(struct command_call *c)
{
    struct keyspace_stream s;
    size_t count = (size_t)c->argc - 2;
    struct stream_id *ids = arena_alloc(c->arena, count * sizeof *ids);
    int64_t gone = 0;
    if (!open_stream(c, &s)) return;
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

/* XSETID's options; `added` stays below 0 and `max_deleted` 0-0 where they are not given. False: the error was replied. */
static bool parse_head(struct command_call *c, struct stream_id last, int64_t *added, struct stream_id *max_deleted)
{
    for (int i = 3; i < c->argc; i += 2) {
        bool more = i + 1 < c->argc;
        if (more && command_is(c, i, "ENTRIESADDED")) {
            if (!command_integer(c, i + 1, added, NULL)) return false;
            if (*added < 0) return refuse(c, "entries_added must be positive");
        } else if (more && command_is(c, i, "MAXDELETEDID")) {
            if (!command_stream_id(c, i + 1, max_deleted)) return false;
            if (stream_id_compare(last, *max_deleted) < 0)
                return refuse(c, "The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

static bool may_set(struct command_call *c, struct keyspace_stream *s, struct stream_id last, int64_t added)
{
    struct keyspace_stream_walk w;
    struct stream_entry top;
    if (!s->count) return true;
    keyspace_stream_walk(s, s->count - 1, true, &w);
    if (keyspace_stream_next(s, &w, &top) && stream_id_compare(last, top.id) < 0)
        return refuse(c, "The ID specified in XSETID is smaller than the target stream top item");
    if (added >= 0 && s->count > (uint64_t)added)
        return refuse(c, "The entries_added specified in XSETID is smaller than the target stream length");
    return true;
}

static void command_stream_xsetid(struct command_call *c)
{
    struct keyspace_stream s;
    struct stream_id last, max_deleted = {0, 0};
    int64_t added = -1;
    if (!command_stream_id(c, 2, &last) || !parse_head(c, last, &added, &max_deleted) || !open_stream(c, &s)) return;
    if (!s.exists) {
        resp_error(c->reply, ERROR_GENERIC, "no such key");
        return;
    }
    if (!may_set(c, &s, last, added)) return;
    struct stream_head head = s.head;
    head.last = last;
    if (added >= 0) head.added = (uint64_t)added;
    if (max_deleted.ms || max_deleted.seq) head.max_deleted = max_deleted;
    keyspace_stream_set_head(&s, &head);
    keyspace_stream_close(&s);
    command_notify(c, NOTIFY_STREAM, "xsetid", c->argv[1]);
    command_reply_ok(c);
}

/* ---- the rows ---- */

#define TRIM_SYNTAX "MAXLEN | MINID [= | ~] threshold [LIMIT count]"

const struct command_row command_stream_rows[] = {
    {"XADD", -5, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xadd,
     "Adds an entry to a stream, and takes old ones out if told to; returns its id.",
     .syntax = "key [NOMKSTREAM] [" TRIM_SYNTAX "] * | id field value [field value ...]", .since = "5.0.0",
     .complexity = "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
     .tips = "nondeterministic_output", .keys_note = "UPDATE instead of INSERT because of the optional trimming feature"},
    {"XLEN", 2, READ | FAST, KEYS(1, 1, 1, KEY_RO), ACL_STREAM, command_stream_xlen,
     "How many entries a stream has.",
     .syntax = "key", .since = "5.0.0", .complexity = "O(1)"},
    {"XRANGE", -4, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_xrange,
     "The entries whose ids are in a range.",
     .syntax = "key start end [COUNT count]", .since = "5.0.0",
     .complexity = "O(log(N)+M) with N being the number of entries and M the number of those returned."},
    {"XREVRANGE", -4, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_STREAM, command_stream_xrevrange,
     "The same as XRANGE, the last entry first.",
     .syntax = "key end start [COUNT count]", .since = "5.0.0",
     .complexity = "O(log(N)+M) with N being the number of entries and M the number of those returned."},
    {"XDEL", -3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_stream_xdel,
     "Deletes entries by their ids; returns how many there were.",
     .syntax = "key id [id ...]", .since = "5.0.0", .complexity = "O(log(N)) for each id, with N being the number of entries."},
    {"XTRIM", -4, WRITE, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_stream_xtrim,
     "Takes the oldest entries out of a stream; returns how many.",
     .syntax = "key " TRIM_SYNTAX, .since = "5.0.0", .complexity = "O(N), with N being the number of evicted entries.",
     .tips = "nondeterministic_output"},
    {"XSETID", -3, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xsetid,
     "Sets the last id of a stream, and what else it knows beside its entries.",
     .syntax = "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", .since = "5.0.0", .complexity = "O(1)"},
    {0},
};
