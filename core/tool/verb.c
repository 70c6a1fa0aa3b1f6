#include "tool/verb.h"

#include <stddef.h>

#define ASK (VERB_NODE | VERB_JSON)
#define ANY VERB_WORDS_MAX

static const struct verb table[] = {
    {"script", "load", "FILE [NAME]",
     "Checks a policy and keeps it in the cluster, under its name, which the file has too, or the name given; '-' is standard input.", 1, 2, ASK,
     tool_script_load},
    {"script", "plan", "NAME|FILE [PARAM=VALUE]...",
     "Dry run: every round of steps, and the score before and after. Changes nothing. A FILE is planned here, on the "
     "node's view; with --view FILE all is offline, on a saved view.",
     1, ANY, ASK | VERB_VIEW, tool_script_plan},
    {"script", "run", "NAME [PARAM=VALUE]...",
     "Starts a run and shows it until it ends. Interrupting this does not end the run.", 1, ANY, ASK | VERB_DETACH,
     tool_script_run},
    {"script", "eval", "[run] SOURCE|FILE [ARG]...",
     "A chunk of Lua that sees `view` and `ARGV`, and its value; with 'run' it returns steps, which are carried out.",
     1, ANY, ASK | VERB_DETACH, tool_script_eval},
    {"script", "status", "[RUN]", "A run, by default the newest.", 0, 1, ASK, tool_script_status},
    {"script", "watch", "[RUN]", "Shows a run, by default the newest, until it ends.", 0, 1, ASK, tool_script_watch},
    {"script", "history", "[N]", "The newest N runs (10), the newest first.", 0, 1, ASK, tool_script_history},
    {"script", "cancel", "RUN", "Ends a run; steps that have begun are finished.", 1, 1, ASK, tool_script_cancel},
    {"script", "pause", "RUN", "No step of the run begins until it is resumed.", 1, 1, ASK, tool_script_pause},
    {"script", "resume", "RUN", "Lets a paused run go on.", 1, 1, ASK, tool_script_resume},
    {"script", "rollback", "NAME VERSION", "Makes an earlier version the one that runs take.", 2, 2, ASK,
     tool_script_rollback},
    {"script", "delete", "NAME", "Removes a loaded policy, all versions; a built-in one of the name is there again.", 1,
     1, ASK, tool_script_delete},
    {"script", "get", "NAME [VERSION]", "The source of a policy.", 1, 2, ASK, tool_script_get},
    {"script", "describe", "NAME|FILE", "What a policy is for, and its parameters. A file offline.", 1, 1,
     ASK | VERB_FILE, tool_script_describe},
    {"script", "list", "[NAME]", "The policies; of one, its versions.", 0, 1, ASK, tool_script_list},
    {"script", "view", "", "What policies see, as JSON: save it for 'plan --view'.", 0, 0, ASK, tool_script_view},
    {"script", "trigger",
     "set ID NAME on EVENT | every SECONDS [cooldown SECONDS] [PARAM=VALUE]... | list | delete ID | pause | resume",
     "What starts policies by itself.", 1, ANY, ASK, tool_script_trigger},
    {"script", "new", "NAME", "Writes NAME.lua and NAME_spec.lua, a policy to begin with and its test. Offline.", 1, 1,
     0, tool_script_new},
    {"script", "check", "FILE|FOLDER... [PARAM=VALUE]...",
     "Whether files are policies, and plan on a small made-up cluster without an error. Offline.", 1, ANY, VERB_JSON,
     tool_script_check},
    {"script", "test", "FILE|FOLDER",
     "Runs tests of policies (busted) with the model cluster; of a folder its *_spec.lua. Offline.", 1, 1, 0,
     tool_script_test},
    {"cluster", "status", "", "Whether the cluster is healthy, and why not: then the exit code is 1.", 0, 0, ASK,
     tool_cluster_status},
    {"cluster", "nodes", "", "The nodes: role, shard, load, and how far their metadata are behind.", 0, 0, ASK,
     tool_cluster_nodes},
    {"cluster", "settings", "[SETTING=VALUE]...", "What all policies share; or changes it, by a run.", 0, ANY,
     ASK | VERB_DETACH, tool_cluster_settings},
    {"cluster", "slots", "", "Ranges of slots with the shard, primary and replicas that have them.", 0, 0, ASK,
     tool_cluster_slots},
};

const struct verb *verb_at(unsigned i)
{
    return i < sizeof table / sizeof *table ? &table[i] : NULL;
}
