#include "net/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

struct mailbox {
    uv_async_t async;
    pthread_mutex_t lock; /* of what follows, up to `batch` */
    struct mailbox_message *waiting, **end;
    size_t count, max;
    bool closing;
    struct mailbox_message *batch; /* being delivered; the loop's thread only */
    void *user;
};

static void deliver_batch(struct mailbox *m)
{
    while (m->batch) {
        struct mailbox_message *message = m->batch;
        m->batch = message->next;
        message->deliver(message, m->user);
    }
}

/* Delivers all there is, oldest first. Called once more from within when a deliver function closes the mailbox: the
 * rest of the interrupted batch comes before what arrived behind it. */
static void deliver_waiting(struct mailbox *m)
{
    deliver_batch(m);
    pthread_mutex_lock(&m->lock);
    m->batch = m->waiting;
    m->waiting = NULL;
    m->end = &m->waiting;
    m->count = 0;
    pthread_mutex_unlock(&m->lock);
    deliver_batch(m);
}

static void on_wakeup(uv_async_t *async)
{
    deliver_waiting(async->data);
}

struct mailbox *mailbox_new(uv_loop_t *loop, size_t max, void *user)
{
    struct mailbox *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    if (uv_async_init(loop, &m->async, on_wakeup) != 0) {
        free(m);
        return NULL;
    }
    m->async.data = m;
    m->max = max;
    m->user = user;
    m->end = &m->waiting;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

bool mailbox_post(struct mailbox *m, struct mailbox_message *message)
{
    pthread_mutex_lock(&m->lock);
    bool taken = !m->closing && m->count < m->max;
    if (taken) {
        message->next = NULL;
        bool was_empty = !m->waiting;
        *m->end = message;
        m->end = &message->next;
        m->count++;
        /* Under the lock: once it is released the loop's thread may close the mailbox. */
        if (was_empty) uv_async_send(&m->async);
    }
    pthread_mutex_unlock(&m->lock);
    return taken;
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *m = handle->data;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void mailbox_close(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    m->closing = true;
    pthread_mutex_unlock(&m->lock);
    deliver_waiting(m);
    uv_close((uv_handle_t *)&m->async, on_closed);
}
