/* COMMAND DOCS and LIST. */
#include "command/engine.h"
#include "command/glob.h"
#include "command/introspect.h"
#include "command/keys.h"
#include "command/syntax.h"

static void reply_field(struct resp_writer *w, const char *name, const char *value)
{
    resp_bulk_text(w, name);
    resp_bulk_text(w, value);
}

/* ---- DOCS ---- */

struct arguments_reply {
    struct resp_writer *w;
    const struct command_row *row;
    int keys; /* the key specification of the next key */
};

/* The number of the key specification that tells of an argument; -1: none does. The keys come in the order of the specifications, the last of which
 * may tell of several; patterns are of keys where there is one that cannot say where they are. */
static int key_specification(struct arguments_reply *r, const struct syntax_argument *a)
{
    const struct command_key_spec *s;
    int i = 0;
    if (a->type == SYNTAX_KEY) {
        i = r->keys;
        if (command_key_spec(r->row, i + 1)) r->keys++;
        return i;
    }
    if (a->type != SYNTAX_PATTERN) return -1;
    while ((s = command_key_spec(r->row, i)) && s->begin != KEYS_ELSEWHERE) i++;
    if (!s) return -1;
    r->keys = i + 1;
    return i;
}

static void reply_argument_flags(struct resp_writer *w, const struct syntax_argument *a)
{
    resp_bulk_text(w, "flags");
    resp_set(w, (size_t)a->optional + a->multiple + a->multiple_token);
    if (a->optional) resp_simple(w, "optional");
    if (a->multiple) resp_simple(w, "multiple");
    if (a->multiple_token) resp_simple(w, "multiple_token");
}

static void reply_arguments(struct arguments_reply *r, const struct syntax_argument *first);

static void reply_argument(struct arguments_reply *r, const struct syntax_argument *a)
{
    struct resp_writer *w = r->w;
    bool flags = a->optional || a->multiple;
    int key = key_specification(r, a);
    resp_map(w, 2u + (key >= 0) + (a->token.len > 0) + flags + (a->arguments != NULL));
    resp_bulk_text(w, "name");
    resp_bulk(w, a->name);
    reply_field(w, "type", syntax_type_name(a));
    if (key >= 0) {
        resp_bulk_text(w, "key_spec_index");
        resp_integer(w, key);
    }
    if (a->token.len) {
        resp_bulk_text(w, "token");
        resp_bulk(w, a->token);
    }
    if (flags) reply_argument_flags(w, a);
    if (a->arguments) reply_arguments(r, a->arguments);
}

static void reply_arguments(struct arguments_reply *r, const struct syntax_argument *first)
{
    size_t n = 0;
    for (const struct syntax_argument *a = first; a; a = a->next) n++;
    resp_bulk_text(r->w, "arguments");
    resp_array(r->w, n);
    for (const struct syntax_argument *a = first; a; a = a->next) reply_argument(r, a);
}

static void reply_syntax(struct resp_writer *w, const struct command_row *row)
{
    struct arena arena = {0}; /* not the command's: it may name many */
    struct arguments_reply r = {.w = w, .row = row};
    reply_arguments(&r, syntax_parse(&arena, row));
    arena_release(&arena);
}

/* A name and a map. The field `history` of Redis is left out. */
static void reply_docs(struct resp_writer *w, const struct command_entry *e)
{
    const struct command_row *row = e->row;
    resp_bulk_text(w, e->name);
    resp_map(w, 4 + (row->replaced_by ? 3u : 0) + (row->syntax ? 1u : 0) + (e->subcommand_count ? 1u : 0));
    reply_field(w, "summary", row->summary);
    reply_field(w, "since", row->since);
    reply_field(w, "group", e->group);
    reply_field(w, "complexity", row->complexity);
    if (row->replaced_by) {
        resp_bulk_text(w, "doc_flags");
        resp_set(w, 1);
        resp_simple(w, "deprecated");
        reply_field(w, "deprecated_since", row->deprecated_since);
        reply_field(w, "replaced_by", row->replaced_by);
    }
    if (row->syntax) reply_syntax(w, row);
    if (e->subcommand_count) {
        resp_bulk_text(w, "subcommands");
        resp_map(w, e->subcommand_count);
        for (size_t i = 0; i < e->subcommand_count; i++) reply_docs(w, &e->subcommands[i]);
    }
}

void command_introspect_docs(struct command_call *c)
{
    const struct command_table *t = &c->engine->table;
    if (c->argc == 2) {
        resp_map(c->reply, t->top_count);
        for (size_t i = 0; i < t->top_count; i++) reply_docs(c->reply, &t->entries[i]);
        return;
    }
    struct resp_writer found = command_writer_aside(c);
    size_t n = 0;
    for (int i = 2; i < c->argc; i++) {
        const struct command_entry *e = command_table_named(t, c->argv[i]);
        if (!e) continue;
        reply_docs(&found, e);
        n++;
    }
    if (found.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the documentation of so many commands does not fit a reply");
        return;
    }
    resp_map(c->reply, n);
    command_reply_aside(c);
}

/* ---- LIST ---- */

struct list_filter {
    uint32_t category;    /* 0: not by category */
    struct bytes pattern; /* if category is 0 */
};

static bool list_fits(const struct list_filter *f, const struct command_entry *e)
{
    if (f->category) return command_row_categories(e->row) & f->category;
    return glob_match(f->pattern, bytes_text(e->name), true);
}

static void list_filtered(struct command_call *c, const struct list_filter *f)
{
    const struct command_table *t = &c->engine->table;
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) n += list_fits(f, &t->entries[i]);
    resp_array(c->reply, n);
    for (size_t i = 0; i < t->count; i++) {
        if (list_fits(f, &t->entries[i])) resp_bulk_text(c->reply, t->entries[i].name);
    }
}

void command_reply_category(struct command_call *c, uint32_t category)
{
    list_filtered(c, &(struct list_filter){.category = category});
}

void command_introspect_list(struct command_call *c)
{
    const struct command_table *t = &c->engine->table;
    if (c->argc == 2) {
        resp_array(c->reply, t->count);
        for (size_t i = 0; i < t->count; i++) resp_bulk_text(c->reply, t->entries[i].name);
    } else if (c->argc == 5 && command_is(c, 2, "FILTERBY") && command_is(c, 3, "PATTERN")) {
        list_filtered(c, &(struct list_filter){.pattern = c->argv[4]});
    } else if (c->argc == 5 && command_is(c, 2, "FILTERBY") && command_is(c, 3, "ACLCAT")) {
        uint32_t category = command_category_named(c->argv[4]);
        if (category) {
            command_reply_category(c, category);
        } else {
            resp_array(c->reply, 0);
        }
    } else if (c->argc == 5 && command_is(c, 2, "FILTERBY") && command_is(c, 3, "MODULE")) {
        resp_array(c->reply, 0); /* there are no modules */
    } else {
        command_reply_syntax_error(c);
    }
}
