/* The verbs of the tool, as a table. */
#ifndef AIKV_TOOL_VERB_H
#define AIKV_TOOL_VERB_H

#include "tool/call.h"

#define VERB_WORDS_MAX 256

enum verb_flag {
    VERB_NODE = 1, /* talks to a node: --host and its like */
    VERB_JSON = 2,
    VERB_DETACH = 4,
    VERB_VIEW = 8,  /* --view FILE makes it offline */
    VERB_FILE = 16, /* so does a file as its first word */
};

struct verb {
    const char *group, *name, *operands, *doc;
    int words_min, words_max;
    unsigned flags;
    int (*run)(struct tool_call *call); /* returns the exit code, has told of errors */
};

const struct verb *verb_at(unsigned i); /* NULL at the end */

/* script_source.c */
int tool_script_load(struct tool_call *call);
int tool_script_get(struct tool_call *call);
int tool_script_describe(struct tool_call *call);
int tool_script_list(struct tool_call *call);
int tool_script_delete(struct tool_call *call);
int tool_script_rollback(struct tool_call *call);
int tool_script_view(struct tool_call *call);
/* script_trigger.c */
int tool_script_trigger(struct tool_call *call);
/* script_run.c */
int tool_script_run(struct tool_call *call);
int tool_script_watch(struct tool_call *call);
int tool_script_status(struct tool_call *call);
int tool_script_history(struct tool_call *call);
int tool_script_cancel(struct tool_call *call);
int tool_script_pause(struct tool_call *call);
int tool_script_resume(struct tool_call *call);
/* script_eval.c */
int tool_script_eval(struct tool_call *call);
int tool_cluster_settings(struct tool_call *call);
/* script_plan.c */
int tool_script_plan(struct tool_call *call);
/* offline_check.c, offline_new.c, offline_test.c */
int tool_script_check(struct tool_call *call);
int tool_script_new(struct tool_call *call);
int tool_script_test(struct tool_call *call);
/* cluster_verbs.c */
int tool_cluster_status(struct tool_call *call);
int tool_cluster_nodes(struct tool_call *call);
int tool_cluster_slots(struct tool_call *call);

#endif
