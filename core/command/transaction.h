/* MULTI to EXEC: requests that are kept, and run together as one batch. */
#ifndef AIKV_COMMAND_TRANSACTION_H
#define AIKV_COMMAND_TRANSACTION_H

#include "command/table.h"

struct command_call;
struct command_engine;
struct command_session;

/* A request that has been found to be a command. */
struct command_request {
    const struct command_entry *entry;
    int argc;
    const struct bytes *argv;
};

/* A session's. All zeros is one that has not said MULTI. */
struct command_transaction {
    bool open;                     /* between MULTI and EXEC or DISCARD */
    bool refused;                  /* a request was: EXEC will be, too */
    bool writes;                   /* one of the queue may change data */
    bool waits_as_write;           /* a pause of writes holds EXEC up */
    bool needs_room;               /* one of them is refused when there is too much */
    struct command_request *queue; /* each argv in memory of its own */
    size_t count, cap, bytes;      /* `bytes`: of all that, part of session->kept */
};

/* Keeps a request for EXEC. What would not run anyway is not kept. */
void transaction_queue(struct command_session *s, const struct command_request *request);
/* Ends it, and what the session watches. */
void transaction_end(struct command_engine *e, struct command_session *s);

void command_transaction_exec(struct command_call *c);

#endif
