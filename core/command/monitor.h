/* MONITOR: clients that are shown every command that runs. */
#ifndef AIKV_COMMAND_MONITOR_H
#define AIKV_COMMAND_MONITOR_H

#include "command/call.h"

#define MONITOR_LINE_MAX   ((size_t)1 << 20)  /* what is longer is cut */
#define MONITOR_OUTPUT_MAX ((size_t)32 << 20) /* a monitor that lets so much wait is closed */

struct command_monitors {
    struct net_client **list;
    size_t count, cap;
};

/* Shows a command that has just run, passwords left out. `at_us` is wall time. Administrative commands are not shown. */
void command_monitors_feed(struct command_monitors *m, const struct command_call *c, int64_t at_us);
/* The client is shown nothing more; also if it never was. */
void command_monitors_remove(struct command_monitors *m, struct net_client *client);
void command_monitors_release(struct command_monitors *m);

#endif
