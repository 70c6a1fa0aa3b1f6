/* PUBLISH in a cluster: messages on their way to other nodes, through the host. */
#ifndef AIKV_COMMAND_FORWARD_H
#define AIKV_COMMAND_FORWARD_H

#include <sys/queue.h>

#include "base/bytes.h"

struct command_engine;

STAILQ_HEAD(forward_queue, forward);

/* Of an engine: what waits until what was written before it is released. */
struct forwards {
    struct forward_queue queue;
    size_t bytes;
    uint64_t lost; /* since too many waited */
};

void forwards_init(struct forwards *f);
void forwards_release(struct forwards *f);

/* Keeps a message; where too many wait, it is lost. */
void forward_message(struct command_engine *e, struct bytes channel, struct bytes text);
/* What was kept in this turn waits for its last write. Before the store is flushed. */
void forward_gate(struct command_engine *e);
/* Hands on what need not wait any more, as far as the host takes it. */
void forward_released(struct command_engine *e);

#endif
