/* COMMAND DOCS and LIST. */
#include "command/engine.h"
#include "command/glob.h"
#include "command/introspect.h"

static void reply_field(struct resp_writer *w, const char *name, const char *value)
{
    resp_bulk_text(w, name);
    resp_bulk_text(w, value);
}

/* A name and a map. The fields `history` and `arguments` of Redis are left out. */
static void reply_docs(struct resp_writer *w, const struct command_entry *e)
{
    const struct command_row *row = e->row;
    resp_bulk_text(w, e->name);
    resp_map(w, 4 + (row->replaced_by ? 3u : 0) + (e->subcommand_count ? 1u : 0));
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
