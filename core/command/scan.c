/* SCAN: all keys, a few at a time. KEYS: all at once. RANDOMKEY: one. */
#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "command/engine.h"
#include "command/glob.h"
#include "command/scan.h"

/* As strtoul: a sign, and the empty text for 0, are accepted; blanks are not. */
bool command_scan_begin(struct command_call *c, int at, struct command_scan *out)
{
    char *text = command_text(c, at), *end;
    *out = (struct command_scan){.count = 10, .elements = command_writer_aside(c)};
    errno = 0;
    out->cursor = strtoull(text, &end, 10);
    bool blank = text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r');
    if (!blank && !*end && errno != ERANGE) return true;
    resp_error(c->reply, ERROR_SYNTAX, "invalid cursor");
    return false;
}

static void filter(struct command_scan *s, struct bytes pattern)
{
    s->pattern = pattern;
    s->filtered = !bytes_equal(pattern, bytes_text("*"));
}

bool command_scan_options(struct command_call *c, int from, bool types, struct command_scan *out)
{
    for (int i = from; i < c->argc; i += 2) {
        bool last = i + 1 == c->argc;
        if (command_is(c, i, "COUNT") && !last) {
            if (!command_integer(c, i + 1, &out->count, NULL)) return false;
            if (out->count >= 1) continue;
        } else if (command_is(c, i, "MATCH") && !last) {
            filter(out, c->argv[i + 1]);
            continue;
        } else if (types && command_is(c, i, "TYPE") && !last) {
            out->type = command_text(c, i + 1);
            continue;
        }
        command_reply_syntax_error(c);
        return false;
    }
    return true;
}

bool command_scan_fits(const struct command_scan *s, struct bytes text)
{
    return !s->filtered || glob_match(s->pattern, text, false);
}

void command_scan_reply(struct command_call *c, const struct command_scan *s, uint64_t next)
{
    if (s->elements.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "what one call gives does not fit a reply: use a smaller COUNT");
        return;
    }
    resp_array(c->reply, 2);
    resp_bulk_printf(c->reply, "%llu", (unsigned long long)next);
    resp_array(c->reply, s->found);
    command_reply_aside(c);
}

static void visit(void *user, struct bytes key, const struct keyspace_entry *entry)
{
    struct command_scan *s = user;
    if (!command_scan_fits(s, key)) return;
    if (s->type && strcasecmp(s->type, keyspace_type_name(entry->type)) != 0) return;
    resp_bulk(&s->elements, key);
    s->found++;
}

static void command_scan_scan(struct command_call *c)
{
    struct command_scan s;
    if (!command_scan_begin(c, 1, &s) || !command_scan_options(c, 2, true, &s)) return;
    uint64_t next = keyspace_scan(c->keyspace, s.cursor, (size_t)s.count, visit, &s);
    command_scan_reply(c, &s, next);
}

static void command_scan_keys(struct command_call *c)
{
    struct command_scan s = {.elements = command_writer_aside(c)};
    filter(&s, c->argv[1]);
    keyspace_scan(c->keyspace, 0, SIZE_MAX, visit, &s);
    if (s.elements.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the keys do not fit a reply: use SCAN");
        return;
    }
    resp_array(c->reply, s.found);
    command_reply_aside(c);
}

static void command_scan_randomkey(struct command_call *c)
{
    struct buffer *key = &c->engine->scratch;
    uint64_t random;
    random_bytes(&random, sizeof random);
    if (!keyspace_random(c->keyspace, random, key)) {
        resp_null(c->reply);
    } else if (key->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the key does not fit a reply");
    } else {
        resp_bulk(c->reply, buffer_bytes(key));
    }
}

const struct command_row command_scan_rows[] = {
    {"SCAN", -2, READ, NO_KEYS, ACL_KEYSPACE, command_scan_scan,
     "Some keys of the database, and the cursor to go on with: 0 at the end.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]", .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the "
                   "cursor to return back to 0.",
     .tips = "nondeterministic_output request_policy:special"},
    {"KEYS", 2, READ, NO_KEYS, ACL_KEYSPACE | ACL_DANGEROUS, command_scan_keys,
     "All keys of the database that fit a pattern. Nothing else runs meanwhile: SCAN is kinder.",
     .syntax = "pattern", .since = "1.0.0",
     .complexity = "O(N) with N being the number of keys in the database, under the assumption that the key names in "
                   "the database and the given pattern have limited length.",
     .tips = "request_policy:all_shards nondeterministic_output_order"},
    {"RANDOMKEY", 1, READ, NO_KEYS, ACL_KEYSPACE, command_scan_randomkey,
     "A random key of the database.",
     .since = "1.0.0", .complexity = "O(1)", .tips = "request_policy:all_shards nondeterministic_output", .only_looks = true},
    {0},
};
