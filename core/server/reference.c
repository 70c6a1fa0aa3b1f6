#include "server/reference.h"

#include <inttypes.h>

#include "cluster/step.h"
#include "command/command.h"
#include "script/policy.h"
#include "server/config.h"

static void write_errors(struct buffer *out)
{
    buffer_append_text(out, "# Errors\n\nMade by `aikv --reference errors` from `core/base/error.def`. A RESP error begins with the prefix; log lines and "
                            "exit messages have the text alone.\n\n| name | prefix | meaning |\n|---|---|---|\n");
    for (int code = ERROR_NONE + 1; code < ERROR_COUNT; code++)
        buffer_printf(out, "| %s | `%s` | %s |\n", error_name(code), error_resp_prefix(code), error_meaning(code));
}

static void write_fields(struct buffer *out, unsigned fields)
{
    static const struct {
        unsigned field;
        const char *text;
    } known[] = {{CLUSTER_FIELD_NODE, "`node`"}, {CLUSTER_FIELD_SHARD, "`shard`"}, {CLUSTER_FIELD_SLOTS, "`slots`"}, {CLUSTER_FIELD_MS, "`ms`"}, {CLUSTER_FIELD_FROM, "`from`"},
                 {CLUSTER_FIELD_TO, "`to`"}, {CLUSTER_FIELD_KEY, "`key`"}, {CLUSTER_FIELD_VALUE, "`value`"}, {CLUSTER_FIELD_ON, "`on`"},
                 {CLUSTER_FIELD_LABELS, "`labels`"}};
    const char *between = "";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!(fields & known[i].field)) continue;
        buffer_printf(out, "%s%s", between, known[i].text);
        between = " ";
    }
}

static void write_steps(struct buffer *out)
{
    buffer_append_text(out, "# Steps\n\nMade by `aikv --reference steps` from `core/cluster/step.def`: what a policy may ask for. A step is a table, "
                            "`{ op = \"promote\", node = \"4\" }`. `node` is an id, an alias or a name, `shard` is `\"s1\"`, `slots` is a list of "
                            "ranges `{ { 0, 100 }, { 200, 200 } }` with both ends included, `from` and `to` are shards, `ms` and `value` whole numbers, `on` is "
                            "true or false, `labels` a text, `key` the name of a setting (below). Every step may carry `why`, a text for people.\n\n"
                            "A step whose effect is there already is done. One that would break an invariant fails with the reason and changes "
                            "nothing; it ends its round, and the next `plan` finds it in `view.run.failed`.\n\n| op | fields | what it does |\n|---|---|---|\n");
    for (int op = 0; op < CLUSTER_OPS; op++) {
        const struct cluster_op_info *info = cluster_op_info((enum cluster_op)op);
        buffer_printf(out, "| `%s` | ", info->name);
        write_fields(out, info->fields);
        buffer_printf(out, " | %s |\n", info->doc);
    }
    buffer_append_text(out, "\n## Settings\n\nFrom `core/cluster/setting.def`: what all policies share, so that two of them do not fight. `view.settings` has "
                            "them, the step `set` changes them.\n\n| key | default | least | most | what it is |\n|---|---|---|---|---|\n");
    for (int i = 0; i < CLUSTER_SETTINGS; i++) {
        const struct cluster_setting_info *s = cluster_setting_info((enum cluster_setting)i);
        buffer_printf(out, "| `%s` | %" PRId64 " | %" PRId64 " | %" PRId64 " | %s |\n", s->name, s->initial, s->least, s->most, s->doc);
    }
}

reference_writer *reference_page(const char *name, struct error *e)
{
    static const struct {
        const char *name;
        reference_writer *writer;
    } pages[] = {{"commands", command_reference}, {"configuration", config_reference}, {"errors", write_errors}, {"steps", write_steps},
                 {"view", script_view_reference}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].name, name) == 0) return pages[i].writer;
    error_set(e, ERROR_CONFIG, "--reference knows commands, configuration, errors, steps and view, not '%.60s'", name);
    return NULL;
}
