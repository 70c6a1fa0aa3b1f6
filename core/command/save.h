/* Clients that wait for a checkpoint: SAVE, DEBUG RELOAD. */
#ifndef AIKV_COMMAND_SAVE_H
#define AIKV_COMMAND_SAVE_H

#include "base/bytes.h"

struct command_call;
struct command_engine;

struct command_save {
    uint64_t client;   /* its id */
    uint64_t sequence; /* what the checkpoint must hold */
    bool reread;       /* and rows in memory are let go of then */
};

struct command_saves {
    struct command_save *list;
    size_t count, cap; /* at most one a client */
};

/* The client waits until a checkpoint holds all that was written so far; nobody else does. With `reread`, all rows in memory that it can be read
 * from are let go of then. An error is replied if none can be made. Not in a transaction. */
void command_save_wait(struct command_call *c, bool reread);
/* Answers those whose checkpoint is there, or cannot be made. After each flush of the store. */
void command_saves_wake(struct command_engine *e);
void command_saves_release(struct command_saves *s);

#endif
