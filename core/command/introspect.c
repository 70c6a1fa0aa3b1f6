/* COMMAND, its INFO, COUNT and rows. */
#include "command/introspect.h"

#include "command/engine.h"
#include "command/keys.h"

void command_reply_bits(struct resp_writer *w, uint32_t bits, const char *const names[], int count)
{
    resp_set(w, (size_t)__builtin_popcount(bits));
    for (int i = 0; i < count; i++) {
        if (bits >> i & 1) resp_simple(w, names[i]);
    }
}

static void reply_tips(struct resp_writer *w, const char *tips)
{
    size_t n = 0;
    for (const char *t = tips; t; t = strchr(t + 1, ' ')) n++;
    resp_set(w, n);
    for (const char *t = tips; n--; t += strcspn(t, " ") + (n > 0)) {
        resp_bulk(w, bytes_of(t, strcspn(t, " ")));
    }
}

static void reply_begin(struct resp_writer *w, const struct command_key_spec *s)
{
    static const char *const types[] = {"index", "keyword", "unknown"};
    resp_map(w, 2);
    resp_bulk_text(w, "type");
    resp_bulk_text(w, types[s->begin]);
    resp_bulk_text(w, "spec");
    if (s->begin == KEYS_ELSEWHERE) {
        resp_map(w, 0);
    } else if (s->begin == KEYS_AT) {
        resp_map(w, 1);
        resp_bulk_text(w, "index");
        resp_integer(w, s->index);
    } else {
        resp_map(w, 2);
        resp_bulk_text(w, "keyword");
        resp_bulk_text(w, s->keyword);
        resp_bulk_text(w, "startfrom");
        resp_integer(w, s->index);
    }
}

static void reply_integers(struct resp_writer *w, const char *const names[3], const int values[3])
{
    resp_map(w, 3);
    for (int i = 0; i < 3; i++) {
        resp_bulk_text(w, names[i]);
        resp_integer(w, values[i]);
    }
}

static void reply_find(struct resp_writer *w, const struct command_key_spec *s)
{
    static const char *const range[] = {"lastkey", "keystep", "limit"}, *const counted[] = {"keynumidx", "firstkey", "keystep"};
    bool unknown = s->begin == KEYS_ELSEWHERE;
    resp_map(w, 2);
    resp_bulk_text(w, "type");
    resp_bulk_text(w, unknown ? "unknown" : s->counted ? "keynum" : "range");
    resp_bulk_text(w, "spec");
    if (unknown) {
        resp_map(w, 0);
    } else if (s->counted) {
        reply_integers(w, counted, (const int[]){0, 1, s->step});
    } else {
        reply_integers(w, range, (const int[]){s->last, s->step, s->limit});
    }
}

static void reply_specification(struct resp_writer *w, const struct command_key_spec *s, const char *note)
{
    resp_map(w, note ? 4 : 3);
    if (note) {
        resp_bulk_text(w, "notes");
        resp_bulk_text(w, note);
    }
    resp_bulk_text(w, "flags");
    command_reply_bits(w, s->flags, command_key_flag_names, COMMAND_KEY_FLAG_COUNT);
    resp_bulk_text(w, "begin_search");
    reply_begin(w, s);
    resp_bulk_text(w, "find_keys");
    reply_find(w, s);
}

static void reply_keys(struct resp_writer *w, const struct command_row *row)
{
    int count = 0;
    while (command_key_spec(row, count)) count++;
    resp_set(w, (size_t)count);
    for (int i = 0; i < count; i++) {
        const struct command_key_spec *s = command_key_spec(row, i);
        reply_specification(w, s, s == &row->keys ? row->keys_note : s->note);
    }
}

static void reply_entry(struct resp_writer *w, const struct command_entry *e)
{
    const struct command_row *row = e->row;
    struct command_legacy_keys keys = command_legacy_keys(row);
    resp_array(w, 10);
    resp_bulk_text(w, e->name);
    resp_integer(w, row->arity);
    command_reply_bits(w, command_row_flags(row), command_flag_names, COMMAND_FLAG_COUNT);
    resp_integer(w, keys.first);
    resp_integer(w, keys.last);
    resp_integer(w, keys.step);
    command_reply_bits(w, command_row_categories(row), command_category_names, COMMAND_CATEGORY_COUNT);
    reply_tips(w, row->tips);
    reply_keys(w, row);
    resp_set(w, e->subcommand_count);
    for (size_t i = 0; i < e->subcommand_count; i++) reply_entry(w, &e->subcommands[i]);
}

static void reply_all(struct command_call *c)
{
    const struct command_table *t = &c->engine->table;
    resp_array(c->reply, t->top_count);
    for (size_t i = 0; i < t->top_count; i++) reply_entry(c->reply, &t->entries[i]);
}

void command_introspect_info(struct command_call *c)
{
    if (c->argc == 2) {
        reply_all(c);
        return;
    }
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        const struct command_entry *e = command_table_named(&c->engine->table, c->argv[i]);
        if (e) {
            reply_entry(c->reply, e);
        } else {
            resp_null(c->reply);
        }
    }
}

static void command_introspect_count(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)c->engine->table.top_count);
}

#define FLAGS (LOADING | STALE)

static const struct command_row subcommands[] = {
    {"INFO", -2, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_info,
     "What the table knows of some commands, or of all.",
     .syntax = "[command-name...]", .since = "2.8.13",
     .complexity = "O(N) where N is the number of commands to look up", .tips = "nondeterministic_output_order"},
    {"COUNT", 2, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_count,
     "The number of commands.",
     .since = "2.8.13", .complexity = "O(1)"},
    {"DOCS", -2, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_docs,
     "The documentation of some commands, or of all.",
     .syntax = "[command-name...]", .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands to look up", .tips = "nondeterministic_output_order"},
    {"LIST", -2, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_list,
     "The names of the commands, of all or of some.",
     .syntax = "[FILTERBY (filterby: MODULE module-name | ACLCAT category | PATTERN pattern)]", .since = "7.0.0",
     .complexity = "O(N) where N is the total number of commands", .tips = "nondeterministic_output_order"},
    {"GETKEYS", -4, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_getkeys,
     "Which arguments of a command are keys.",
     .syntax = "command [arg...]", .since = "2.8.13",
     .complexity = "O(N) where N is the number of arguments to the command"},
    {"GETKEYSANDFLAGS", -4, FLAGS, NO_KEYS, ACL_CONNECTION, command_introspect_getkeysandflags,
     "Which arguments of a command are keys, and what it does to them.",
     .syntax = "command [arg...]", .since = "7.0.0",
     .complexity = "O(N) where N is the number of arguments to the command"},
    {"HELP", 2, FLAGS, NO_KEYS, ACL_CONNECTION, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_introspect_rows[] = {
    {"COMMAND", -1, FLAGS, NO_KEYS, ACL_CONNECTION, reply_all,
     "What the table knows of all commands.",
     .since = "2.8.13", .complexity = "O(N) where N is the total number of commands",
     .tips = "nondeterministic_output_order", .subcommands = subcommands},
    {0},
};
