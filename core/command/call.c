#include "command/call.h"

#include "base/number.h"
#include "command/engine.h"
#include "command/notify.h"
#include "command/syntax.h"

void command_reply_ok(struct command_call *c)
{
    resp_simple(c->reply, "OK");
}

void command_reply_syntax_error(struct command_call *c)
{
    resp_error(c->reply, ERROR_SYNTAX, "syntax error");
}

void command_reply_arity_error(struct command_call *c)
{
    resp_error(c->reply, ERROR_SYNTAX, "wrong number of arguments for '%s' command", c->entry->name);
}

void command_reply_subcommand_error(struct command_call *c)
{
    resp_error(c->reply, ERROR_SYNTAX, "unknown subcommand or wrong number of arguments for '%.128s'. Try %s HELP.",
               command_text(c, 1), (c->entry->container ? c->entry->container : c->entry)->row->name);
}

void command_reply_help(struct command_call *c)
{
    const struct command_entry *container = c->entry->container;
    size_t lines = 1;
    for (size_t i = 0; i < container->subcommand_count; i++) lines += 2;
    char text[512];
    resp_array(c->reply, lines);
    snprintf(text, sizeof text, "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container->row->name);
    resp_simple(c->reply, text);
    for (size_t i = 0; i < container->subcommand_count; i++) {
        const struct command_row *row = container->subcommands[i].row;
        struct buffer *line = &c->engine->scratch;
        buffer_clear(line);
        buffer_append_text(line, row->name);
        syntax_write(syntax_parse(c->arena, row), line);
        buffer_append(line, "", 1);
        resp_simple(c->reply, (const char *)line->data);
        snprintf(text, sizeof text, "    %s", row->summary);
        resp_simple(c->reply, text);
    }
}

bool command_integer(struct command_call *c, int i, int64_t *out, const char *error)
{
    if (number_parse_integer(c->argv[i], out)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "%s", error ? error : "value is not an integer or out of range");
    return false;
}

bool command_integer_within(struct command_call *c, int i, int64_t min, int64_t max, int64_t *out, const char *error)
{
    if (!command_integer(c, i, out, error)) return false;
    if (*out >= min && *out <= max) return true;
    if (error) {
        resp_error(c->reply, ERROR_SYNTAX, "%s", error);
    } else {
        resp_error(c->reply, ERROR_SYNTAX, "value is out of range, value must between %lld and %lld", (long long)min,
                   (long long)max);
    }
    return false;
}

bool command_parse_picks(struct command_call *c, const char *word, int64_t *count, bool *with)
{
    *with = c->argc == 4;
    if (!command_integer_within(c, 2, -INT64_MAX, INT64_MAX, count, NULL)) return false;
    if (c->argc > 4 || (*with && !command_is(c, 3, word))) {
        command_reply_syntax_error(c);
        return false;
    }
    if (!*with || (*count >= -INT64_MAX / 2 && *count <= INT64_MAX / 2)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "value is out of range");
    return false;
}

char *command_text(struct command_call *c, int i)
{
    return arena_copy(c->arena, c->argv[i].data, c->argv[i].len);
}

struct resp_writer command_writer_aside(const struct command_call *c)
{
    return (struct resp_writer){.out = &c->engine->scratch, .protocol = c->reply->protocol};
}

struct command_call command_call_aside(const struct command_call *c, struct resp_writer *w)
{
    struct command_call aside = *c;
    *w = command_writer_aside(c);
    aside.reply = w;
    return aside;
}

void command_reply_aside(struct command_call *c)
{
    const struct buffer *aside = &c->engine->scratch;
    resp_raw(c->reply, buffer_bytes(aside));
    c->reply->out->failed |= aside->failed;
}

void command_reply_string(struct command_call *c, const struct keyspace_entry *entry)
{
    if (entry->type == KEYSPACE_STRING) {
        command_reply_part(c, entry, 0, keyspace_string_len(entry));
    } else {
        resp_null(c->reply);
    }
}

void command_reply_part(struct command_call *c, const struct keyspace_entry *entry, size_t at, size_t len)
{
    uint8_t *room = resp_bulk_open(c->reply, len);
    if (room) keyspace_string_read(c->keyspace, entry, at, len, room);
}

bool command_string_fits(struct command_call *c, size_t len)
{
    if (len <= COMMAND_STRING_MAX) return true;
    resp_error(c->reply, ERROR_LIMIT, "string exceeds maximum allowed size (proto-max-bulk-len)");
    return false;
}

bool command_is_type(struct command_call *c, const struct keyspace_entry *entry, enum keyspace_type type)
{
    if (entry->type == type || entry->type == KEYSPACE_NONE) return true;
    resp_error(c->reply, ERROR_WRONGTYPE, "Operation against a key holding the wrong kind of value");
    return false;
}

struct keyspace_entry command_inspect(struct command_call *c, struct bytes key)
{
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (entry.type == KEYSPACE_NONE) {
        c->engine->statistics.misses++;
    } else {
        c->engine->statistics.hits++;
    }
    return entry;
}

struct keyspace_entry command_read(struct command_call *c, struct bytes key)
{
    struct keyspace_entry entry = command_inspect(c, key);
    if (entry.type == KEYSPACE_NONE) command_notify(c, NOTIFY_KEY_MISS, "keymiss", key);
    return entry;
}
