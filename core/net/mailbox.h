/* Messages to the thread of a uv loop, from any thread: a bounded queue and one wake-up a batch. */
#ifndef AIKV_NET_MAILBOX_H
#define AIKV_NET_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct mailbox;

/* A message: embed it first in a struct of the sender's. `deliver` runs on the loop's thread and owns the message from then on. */
struct mailbox_message {
    void (*deliver)(struct mailbox_message *m, void *user);
    struct mailbox_message *next; /* the mailbox's */
};

/* A mailbox on `loop` (call on its thread) for up to `max` waiting messages. `user` is handed to deliver.
 * NULL: no memory or file descriptor for it. */
struct mailbox *mailbox_new(uv_loop_t *loop, size_t max, void *user);
/* Posts; returns false (the sender keeps the message) when the mailbox is full or closing. */
bool mailbox_post(struct mailbox *m, struct mailbox_message *message);
/* On the loop's thread: refuses more, delivers what waits, frees itself when the loop has closed its handle. Senders must be done
 * with it by then. */
void mailbox_close(struct mailbox *m);

#endif
