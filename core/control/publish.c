/* Messages of pub/sub: from the data thread to all other members, and from these to the data thread. At most once: a message that finds no room
 * on a link, or at the data thread of who receives it, is lost there, and counted; it never costs a link. */
#include <stdlib.h>

#include "control/control_thread.h"

#define BYTES_MAX        (16u << 20) /* of what is under way between the threads, in one direction */
#define LINK_WAITING_MAX (16u << 20) /* a link with so much waiting has no room for messages: MetaRaft needs it */

/* What is under way in one direction. Lives as long as anything is. */
struct control_room {
    atomic_size_t messages, bytes;
    atomic_uint references;
};

struct publication {
    struct mailbox_message message; /* first */
    struct control_room *room;
    struct control_handler handler; /* on the way to the data thread */
    size_t channel_len, len;        /* of `bytes`: the channel, then the text */
    uint8_t bytes[];
};

/* ---- room ---- */

struct control_room *control_room_new(void)
{
    struct control_room *room = control_allocate(sizeof *room);
    atomic_init(&room->references, 1);
    return room;
}

void control_room_release(struct control_room *room)
{
    if (atomic_fetch_sub(&room->references, 1) == 1) free(room);
}

static void publication_free(struct publication *p)
{
    atomic_fetch_sub(&p->room->messages, 1);
    atomic_fetch_sub(&p->room->bytes, sizeof *p + p->len);
    control_room_release(p->room);
    free(p);
}

/* NULL: there is no room. One thread alone takes from a room. */
static struct publication *publication_new(struct control_room *room, struct bytes channel, struct bytes text)
{
    struct publication *p;
    size_t len = channel.len + text.len, size = sizeof *p + len;
    if (atomic_load(&room->messages) >= CONTROL_MESSAGES_MAX || atomic_load(&room->bytes) + size > BYTES_MAX) return NULL;
    atomic_fetch_add(&room->messages, 1);
    atomic_fetch_add(&room->bytes, size);
    atomic_fetch_add(&room->references, 1);
    p = control_allocate(size);
    p->room = room;
    p->channel_len = channel.len;
    p->len = len;
    if (channel.len) memcpy(p->bytes, channel.data, channel.len);
    if (text.len) memcpy(p->bytes + channel.len, text.data, text.len);
    return p;
}

static struct message_publish contents(const struct publication *p)
{
    return (struct message_publish){bytes_of(p->bytes, p->channel_len), bytes_of(p->bytes + p->channel_len, p->len - p->channel_len)};
}

static bool post(struct mailbox *to, struct publication *p)
{
    bool posted = mailbox_post(to, &p->message);
    if (!posted) publication_free(p);
    return posted;
}

/* ---- to the others ---- */

static void send_to_members(struct control *c, const struct message_publish *m)
{
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_PUBLISH));
    message_publish_write(&b, m);
    for (uint32_t i = 0; i < c->member_count && !b.failed; i++) {
        struct bus_link *to = control_link_to(c, c->members[i]->id);
        bool sent = to && bus_link_waiting(to) < LINK_WAITING_MAX && bus_link_send(to, FRAME_PUBLISH, buffer_bytes(&b));
        if (!sent) atomic_fetch_add(&c->messages_lost, 1);
    }
    buffer_release(&b);
}

static void deliver_to_members(struct mailbox_message *message, void *user)
{
    struct control *c = user;
    struct publication *p = (struct publication *)message;
    struct message_publish m = contents(p);
    if (!c->stopping && !c->closing) send_to_members(c, &m);
    publication_free(p);
}

bool control_publish(struct control *c, struct bytes channel, struct bytes text)
{
    struct publication *p = publication_new(c->room_out, channel, text);
    if (!p) return false;
    p->message.deliver = deliver_to_members;
    return post(c->mailbox, p);
}

uint64_t control_messages_lost(const struct control *c)
{
    return atomic_load(&c->messages_lost);
}

/* ---- from another ---- */

static void deliver_to_data(struct mailbox_message *message, void *user)
{
    (void)user;
    struct publication *p = (struct publication *)message;
    struct message_publish m = contents(p);
    p->handler.published(p->handler.user, m.channel, m.text);
    publication_free(p);
}

int control_publish_received(struct control *c, struct bus_link *from, const struct message_publish *m, struct error *e)
{
    (void)from;
    (void)e;
    struct publication *p = publication_new(c->room_in, m->channel, m->text);
    if (p) {
        p->message.deliver = deliver_to_data;
        p->handler = c->options.handler;
    }
    if (!p || !post(c->options.data_mailbox, p)) atomic_fetch_add(&c->messages_lost, 1);
    return 0;
}
