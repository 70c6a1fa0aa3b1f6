/* SCAN: all keys, a few at a time. */
#include <errno.h>
#include <stdlib.h>

#include "command/call.h"
#include "command/engine.h"
#include "command/glob.h"

struct scan {
    int64_t count;
    bool filtered; /* by `pattern` */
    struct bytes pattern;
    const char *type; /* NULL: any */
    struct resp_writer keys;
    size_t found;
};

/* As strtoul: a sign, and the empty text for 0, are accepted; blanks are not. */
static bool parse_cursor(struct command_call *c, uint64_t *out)
{
    char *text = command_text(c, 1), *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    bool blank = text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r');
    if (!blank && !*end && errno != ERANGE) return true;
    resp_error(c->reply, ERROR_SYNTAX, "invalid cursor");
    return false;
}

static bool parse_options(struct command_call *c, struct scan *out)
{
    for (int i = 2; i < c->argc; i += 2) {
        bool last = i + 1 == c->argc;
        if (command_is(c, i, "COUNT") && !last) {
            if (!command_integer(c, i + 1, &out->count, NULL)) return false;
            if (out->count >= 1) continue;
        } else if (command_is(c, i, "MATCH") && !last) {
            out->pattern = c->argv[i + 1];
            out->filtered = !bytes_equal(out->pattern, bytes_text("*"));
            continue;
        } else if (command_is(c, i, "TYPE") && !last) {
            out->type = command_text(c, i + 1);
            continue;
        }
        command_reply_syntax_error(c);
        return false;
    }
    return true;
}

static void visit(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct scan *s = user;
    if (s->filtered && !glob_match(s->pattern, key, false)) return;
    if (s->type && strcasecmp(s->type, keyspace_type_name(entry->type)) != 0) return;
    resp_bulk(&s->keys, key);
    s->found++;
}

static void command_scan_scan(struct command_call *c)
{
    struct buffer *keys = &c->engine->scratch;
    struct scan s = {.count = 10, .keys = {.out = keys, .protocol = c->reply->protocol}};
    uint64_t cursor;
    if (!parse_cursor(c, &cursor) || !parse_options(c, &s)) return;
    cursor = keyspace_scan(c->keyspace, cursor, (size_t)s.count, visit, &s);
    if (keys->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the keys of one SCAN do not fit a reply: use a smaller COUNT");
        return;
    }
    resp_array(c->reply, 2);
    resp_bulk_printf(c->reply, "%llu", (unsigned long long)cursor);
    resp_array(c->reply, s.found);
    resp_raw(c->reply, buffer_bytes(keys));
}

const struct command_row command_scan_rows[] = {
    {"SCAN", -2, READ, NO_KEYS, ACL_KEYSPACE, command_scan_scan,
     "Some keys of the database, and the cursor to go on with: 0 at the end.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]", .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the "
                   "cursor to return back to 0.",
     .tips = "nondeterministic_output request_policy:special"},
    {0},
};
