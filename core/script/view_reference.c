/* What the fields of the view are, and their reference page. */
#include <inttypes.h>

#include "script/view.h"

const struct view_field *view_field_at(size_t index)
{
    static const struct view_field fields[] = {
#define VIEW_FIELD(table, name, type, doc) {VIEW_TABLE_##table, name, type, doc},
#include "script/view.def"
#undef VIEW_FIELD
    };
    return index < sizeof fields / sizeof *fields ? &fields[index] : NULL;
}

static void write_table(struct buffer *out, const char *title, enum view_table table)
{
    buffer_printf(out, "\n## %s\n| field | type | meaning |\n|---|---|---|\n", title);
    const struct view_field *f;
    for (size_t i = 0; (f = view_field_at(i)); i++)
        if (f->table == table) buffer_printf(out, "| `%s` | %s | %s |\n", f->name, f->type, f->doc);
}

static void write_settings(struct buffer *out)
{
    buffer_append_text(out, "\n## The settings: `view.settings`\n| field | type | meaning |\n|---|---|---|\n");
    for (enum cluster_setting i = 0; i < CLUSTER_SETTINGS; i++) {
        const struct cluster_setting_info *s = cluster_setting_info(i);
        buffer_printf(out, "| `%s` | integer | %s; %" PRId64 " unless it was set |\n", s->name, s->doc, s->initial);
    }
}

static const char introduction[] =
    "# The view\n\n"
    "Made by `aikv --reference view` from `core/script/view.def`: what a policy's `plan` gets as its first argument, and an `EVAL` as the "
    "global `view`. `CLUSTER SCRIPT VIEW` prints the live one as JSON, keys sorted; the tables `node` and `shard` are left out there, as their "
    "rows are in `nodes` and `shards`. JSON leaves out what is nil.\n\n"
    "The view is a picture of one moment, made by the leader: the metadata that MetaRaft agrees on; what the leader sees beside it (marked "
    "*seen*); and what nodes reported to it (marked *reported*): every 2 seconds those slots that have changed, every 30 seconds all. It is "
    "read-only; a write is an error, and so is reading a field that is not in these tables. What is missing where a type says \"or nil\" reads as "
    "nil.\n";

static const char after_view[] =
    "\nA range is `{ from, to }`, both ends included; lists of them are sorted, and ranges that adjoin are one.\n";

static const char after_node[] =
    "\nA candidate has 0 and false in what is seen of members and reported by them. So has a member, in what is reported, until its first "
    "report to this leader, 2 seconds after it began to lead at most; and `metadata_version` 0 before its first answer.\n";

static const char after_shard[] =
    "\nThe members of a shard are the nodes whose `shard` is its id; `aikv.view` has `V.members(view, shard)`.\n";

static const char after_slots[] =
    "\nEach is a flat table whose index is the number of the slot: `for slot = 0, 16383 do sum = sum + view.slots.keys[slot] end`. `ipairs` and "
    "`#` begin with slot 1. In JSON each is a list whose first number is that of slot 0.\n\n"
    "A slot has 0 until its primary has reported it: after a failover, a move, or an election, for some seconds. A policy that weighs load "
    "must take a cluster where all is 0 for one of which nothing is known yet, and not for an empty one. `bytes` is counted exactly, with "
    "every change of a key; it is neither what the keys take on disk nor in memory, but in proportion to both. Keys that have expired count "
    "until they are deleted.\n";

static const char after_failed[] = "\n`V.usable(view)` leaves out nodes on which two steps failed.\n";

static const char example[] =
    "\n## Example\n"
    "Two nodes, one of them a candidate; 98 slots are not assigned. The output of `CLUSTER SCRIPT VIEW`, broken into lines, the numbers by "
    "slot cut short:\n"
    "```json\n"
    "{\"leader\": \"1236e83e2117bfe39c85ce53f7fd6aba56681b2e\",\n"
    " \"nodes\": [\n"
    "  {\"alias\": \"1\", \"disk_bytes\": 201351168, \"disk_limit_bytes\": 52613349376, \"id\": "
    "\"1236e83e2117bfe39c85ce53f7fd6aba56681b2e\", \"in_sync\": true,\n"
    "   \"keys\": 2, \"labels\": \"\", \"learner\": false, \"memory_bytes\": 11358208, \"memory_limit_bytes\": 8317931520, "
    "\"metadata_version\": 17,\n"
    "   \"name\": \"vm\", \"ops\": 310.5, \"primary\": true, \"role\": \"voter\", \"shard\": \"s1\", \"silent_ms\": 0, \"state\": \"member\", "
    "\"up\": true,\n"
    "   \"uptime_ms\": 61200, \"version\": \"0.1.0\", \"voter\": true, \"zone\": \"a\"},\n"
    "  {\"alias\": \"2\", \"disk_bytes\": 0, \"disk_limit_bytes\": 0, \"id\": \"23f83d262dc564acee478a805f530dfe929455d7\", \"in_sync\": "
    "false,\n"
    "   \"keys\": 0, \"labels\": \"ssd\", \"learner\": false, \"memory_bytes\": 0, \"memory_limit_bytes\": 0, \"metadata_version\": 0, "
    "\"name\": \"vm\",\n"
    "   \"ops\": 0, \"primary\": false, \"role\": \"none\", \"silent_ms\": 0, \"state\": \"candidate\", \"up\": true, \"uptime_ms\": 0,\n"
    "   \"version\": \"0.1.0\", \"voter\": false, \"zone\": \"b\"}],\n"
    " \"run\": {\"done\": 0, \"failed\": [], \"round\": 0, \"slots_moved\": 0},\n"
    " \"settings\": {\"concurrency\": 8, \"patience\": 30000, \"replicas\": 1, \"tolerance\": 5, \"voters\": 3},\n"
    " \"shards\": [\n"
    "  {\"bytes\": 81, \"epoch\": 2, \"id\": \"s1\", \"keys\": 2, \"ops\": 310.5, \"primary\": "
    "\"1236e83e2117bfe39c85ce53f7fd6aba56681b2e\", \"serving\": true,\n"
    "   \"slot_count\": 16286, \"slots\": [[0, 101], [200, 16383]]}],\n"
    " \"slots\": {\"bytes\": [0, 41, 40, 0, …], \"keys\": [0, 1, 1, 0, …], \"ops\": [0, 300, 10.5, 0, …]},\n"
    " \"unassigned\": [[102, 199]], \"version\": 17,\n"
    " \"voters\": [\"1236e83e2117bfe39c85ce53f7fd6aba56681b2e\"]}\n"
    "```\n";

void script_view_reference(struct buffer *out)
{
    buffer_append_text(out, introduction);
    write_table(out, "view", VIEW_TABLE_VIEW);
    buffer_append_text(out, after_view);
    write_table(out, "A node: `view.nodes[i]`", VIEW_TABLE_NODE);
    buffer_append_text(out, after_node);
    write_table(out, "A shard: `view.shards[i]`", VIEW_TABLE_SHARD);
    buffer_append_text(out, after_shard);
    write_table(out, "Load by slot: `view.slots`", VIEW_TABLE_SLOTS);
    buffer_append_text(out, after_slots);
    write_settings(out);
    write_table(out, "The run: `view.run`", VIEW_TABLE_RUN);
    write_table(out, "A step that failed: `view.run.failed[i]`", VIEW_TABLE_FAILED);
    buffer_append_text(out, after_failed);
    buffer_append_text(out, example);
}
