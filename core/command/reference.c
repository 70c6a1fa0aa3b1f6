/* docs/reference/commands.md, from the table. */
#include "command/command.h"
#include "command/syntax.h"
#include "command/table.h"

static void write_upper(struct buffer *out, const char *name)
{
    for (; *name; name++) {
        char c = *name == '|' ? ' ' : *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        buffer_append(out, &c, 1);
    }
}

static void write_bits(struct buffer *out, uint32_t bits, const char *const names[], int count)
{
    for (int i = 0; i < count; i++) {
        if (bits >> i & 1) buffer_printf(out, " %s", names[i]);
    }
}

static void write_entry(struct buffer *out, const struct command_entry *e)
{
    const struct command_row *row = e->row;
    buffer_append_text(out, e->container ? "#### " : "### ");
    write_upper(out, e->name);
    buffer_append_text(out, "\n\n");
    if (!e->subcommand_count) {
        buffer_append_text(out, "    ");
        write_upper(out, e->name);
        struct arena arena = {0};
        syntax_write(syntax_parse(&arena, row), out);
        arena_release(&arena);
        buffer_append_text(out, "\n\n");
    }
    buffer_printf(out, "%s\n\n", row->summary);
    if (row->replaced_by) {
        buffer_printf(out, "Deprecated since %s; use %s.\n\n", row->deprecated_since, row->replaced_by);
    }
    buffer_printf(out, "Since %s · %s · flags:", row->since, row->complexity);
    if (!row->flags) buffer_append_text(out, " none");
    write_bits(out, command_row_flags(row), command_flag_names, COMMAND_FLAG_COUNT);
    buffer_append_text(out, " · ACL:");
    write_bits(out, command_row_categories(row), command_category_names, COMMAND_CATEGORY_COUNT);
    buffer_append_text(out, "\n\n");
    for (size_t i = 0; i < e->subcommand_count; i++) write_entry(out, &e->subcommands[i]);
}

void command_reference(struct buffer *out)
{
    struct command_table t;
    command_table_init(&t);
    buffer_append_text(out, "# Commands\n\nWritten by `aikv --reference commands` from the command table. *Since* is the version of "
                            "Redis that brought the command.\n\n");
    const char *group = "";
    for (size_t i = 0; i < t.top_count; i++) {
        if (strcmp(group, t.entries[i].group) != 0) {
            group = t.entries[i].group;
            buffer_append_text(out, "## ");
            write_upper(out, group);
            buffer_append_text(out, "\n\n");
        }
        write_entry(out, &t.entries[i]);
    }
    command_table_release(&t);
}
