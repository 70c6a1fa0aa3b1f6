/* SLOWLOG: the last commands that took long. */
#ifndef AIKV_COMMAND_SLOWLOG_H
#define AIKV_COMMAND_SLOWLOG_H

#include <sys/queue.h>

#include "command/call.h"

#define SLOWLOG_ARGUMENTS_MAX 32  /* of a command, its name counted; and bytes of each: an entry has 6 KiB at most */
#define SLOWLOG_ARGUMENT_MAX  128

struct slow_command;

struct command_slowlog {
    TAILQ_HEAD(slow_commands, slow_command) newest_first;
    size_t count;
    uint64_t next_id;
};

void command_slowlog_init(struct command_slowlog *l);
/* Forgets all entries; their numbers go on. */
void command_slowlog_clear(struct command_slowlog *l);
/* Drops the oldest until `max` are left. */
void command_slowlog_trim(struct command_slowlog *l, size_t max);
/* Notes a command that has just run; passwords are left out. */
void command_slowlog_add(struct command_slowlog *l, const struct command_call *c, uint64_t took_us);

#endif
