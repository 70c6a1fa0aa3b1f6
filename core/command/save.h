/* Clients that wait for a checkpoint: SAVE. */
#ifndef AIKV_COMMAND_SAVE_H
#define AIKV_COMMAND_SAVE_H

#include "base/bytes.h"

struct command_engine;

struct command_save {
    uint64_t client;   /* its id */
    uint64_t sequence; /* what the checkpoint must hold */
};

struct command_saves {
    struct command_save *list;
    size_t count, cap; /* at most one a client */
};

/* Answers those whose checkpoint is there, or cannot be made. After each flush of the store. */
void command_saves_wake(struct command_engine *e);
void command_saves_release(struct command_saves *s);

#endif
