#include "command/forward.h"

#include <stdlib.h>

#include "command/engine.h"

#define BYTES_MAX ((size_t)16 << 20)

struct forward {
    STAILQ_ENTRY(forward) next;
    uint64_t sequence; /* leaves no earlier than this is released; UINT64_MAX: not known yet */
    size_t channel_len, len;
    uint8_t bytes[]; /* channel, text */
};

void forwards_init(struct forwards *f)
{
    *f = (struct forwards){.queue = STAILQ_HEAD_INITIALIZER(f->queue)};
}

static void drop_first(struct forwards *f)
{
    struct forward *first = STAILQ_FIRST(&f->queue);
    STAILQ_REMOVE_HEAD(&f->queue, next);
    f->bytes -= sizeof *first + first->len;
    free(first);
}

void forwards_release(struct forwards *f)
{
    while (!STAILQ_EMPTY(&f->queue)) drop_first(f);
}

void forward_message(struct command_engine *e, struct bytes channel, struct bytes text)
{
    struct forwards *f = &e->forwards;
    struct forward *m = NULL;
    size_t len = channel.len + text.len, size = sizeof *m + len;
    if (f->bytes + size <= BYTES_MAX) m = malloc(size);
    if (!m) {
        f->lost++;
        return;
    }
    *m = (struct forward){.sequence = UINT64_MAX, .channel_len = channel.len, .len = len};
    if (channel.len) memcpy(m->bytes, channel.data, channel.len);
    if (text.len) memcpy(m->bytes + channel.len, text.data, text.len);
    STAILQ_INSERT_TAIL(&f->queue, m, next);
    f->bytes += size;
}

void forward_gate(struct command_engine *e)
{
    struct forward *m;
    STAILQ_FOREACH(m, &e->forwards.queue, next)
        if (m->sequence == UINT64_MAX) m->sequence = keyspace_written(e->keyspace).sequence;
}

void forward_released(struct command_engine *e)
{
    struct forward *m;
    uint64_t released = store_released(e->store).sequence;
    while ((m = STAILQ_FIRST(&e->forwards.queue)) && m->sequence <= released) {
        struct bytes channel = bytes_of(m->bytes, m->channel_len), text = bytes_of(m->bytes + m->channel_len, m->len - m->channel_len);
        if (!e->host->publish(e->host->user, channel, text)) return; /* again with the next flush */
        drop_first(&e->forwards);
    }
}
