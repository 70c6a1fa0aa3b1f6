/* What can be called, as a table. */
#include "base/nearest.h"
#include "control/control_thread.h"

static const struct call_command table[] = {
    {"METARAFT", "MEMBERS", 3, 3, false, true, control_admin_members},
    {"METARAFT", "STATUS", 3, 3, true, true, control_admin_status},
    {"METARAFT", "ADDLEARNER", 5, 5, false, true, control_admin_add_learner},
    {"METARAFT", "PROMOTE", 4, 0, false, true, control_admin_promote},
    {"METARAFT", "DEMOTE", 4, 4, false, true, control_dismiss_demote},
    {"METARAFT", "REMOVE", 4, 4, false, true, control_dismiss_remove},
    {"METARAFT", "TRANSFER", 4, 4, false, true, control_dismiss_transfer},
    {"METARAFT", "HELP", 3, 3, true, true, control_admin_help},
    {NULL, "MEET", 4, 5, false, true, control_admin_meet},
    {NULL, "FORGET", 3, 3, false, true, control_dismiss_forget},
    {NULL, "RESET", 2, 3, true, true, control_removed_reset},
    {NULL, "ADDSLOTS", 3, 0, false, false, control_slots_add},
    {NULL, "ADDSLOTSRANGE", 4, 0, false, false, control_slots_add_range},
    {NULL, "REPLICATE", 3, 3, false, true, control_slots_replicate},
    {NULL, "ADDREPLICATION", 4, 4, false, true, control_slots_add_replication},
    {"SCRIPT", "LOAD", 5, 5, false, true, control_script_load},
    {"SCRIPT", "LIST", 3, 4, false, true, control_script_list},
    {"SCRIPT", "GET", 4, 5, false, true, control_script_get},
    {"SCRIPT", "DELETE", 4, 4, false, false, control_script_delete},
    {"SCRIPT", "ROLLBACK", 5, 5, false, true, control_script_rollback},
    {"SCRIPT", "PLAN", 4, 0, false, true, control_script_plan},
    {"SCRIPT", "RUN", 4, 0, false, false, control_script_run},
    {"SCRIPT", "EVAL", 5, 0, false, false, control_script_eval},
    {"SCRIPT", "STATUS", 3, 4, false, true, control_script_status},
    {"SCRIPT", "HISTORY", 3, 4, false, true, control_script_history},
    {"SCRIPT", "CANCEL", 4, 4, false, true, control_script_cancel},
    {"SCRIPT", "PAUSE", 4, 4, false, true, control_script_pause},
    {"SCRIPT", "RESUME", 4, 4, false, true, control_script_resume},
    {"SCRIPT", "VIEW", 3, 3, false, true, control_script_view},
    {"SCRIPT", "TRIGGER", 4, 0, false, true, control_script_trigger},
    {"SCRIPT", "HELP", 3, 3, true, true, control_script_help},
};
#define ROWS (sizeof table / sizeof *table)

static bool matches(const struct call_command *row, int argc, const struct bytes *argv)
{
    if (!row->group) return bytes_is(argv[1], row->name);
    return argc > 2 && bytes_is(argv[1], row->group) && bytes_is(argv[2], row->name);
}

static const char *group_of(struct bytes word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].group && bytes_is(word, table[i].group)) return table[i].group;
    return NULL;
}

static void unknown(int argc, const struct bytes *argv, struct error *e)
{
    const char *group = group_of(argv[1]);
    if (group && argc == 2) {
        error_set(e, ERROR_SYNTAX, "wrong number of arguments for 'cluster|%s' command. Try CLUSTER %s HELP.", group,
                  group);
        return;
    }
    struct bytes word = group ? argv[2] : argv[1];
    struct nearest n;
    nearest_begin(&n, word);
    for (size_t i = 0; i < ROWS; i++)
        if (group == table[i].group) nearest_offer(&n, table[i].name);
    error_set(e, ERROR_SYNTAX, "unknown subcommand '%.*s'.%s%s%s Try CLUSTER %s%sHELP.",
              (int)(word.len > 128 ? 128 : word.len), (const char *)word.data, n.best ? " Did you mean " : "",
              n.best ? n.best : "", n.best ? "?" : "", group ? group : "", group ? " " : "");
}

const struct call_command *control_commands_find(int argc, const struct bytes *argv, struct error *e)
{
    const struct call_command *row = table;
    while (row < table + ROWS && !matches(row, argc, argv)) row++;
    if (row == table + ROWS) {
        unknown(argc, argv, e);
        return NULL;
    }
    if (argc >= row->argc_min && (!row->argc_max || argc <= row->argc_max)) return row;
    error_set(e, ERROR_SYNTAX, "wrong number of arguments for 'cluster|%s%s%s' command", row->group ? row->group : "",
              row->group ? "|" : "", row->name);
    for (char *p = e->text; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
    return NULL;
}
