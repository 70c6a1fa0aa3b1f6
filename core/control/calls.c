/* Calls: administrative commands, from whichever node they are given to, to the leader, and their replies back.
 *
 *   waiting → sent, to the leader → answered; waiting again if that was not the leader, or if the link was lost and the
 *                                   command may be repeated
 *   waiting → executing: this node leads, or may answer itself → answered; waiting again if it ceased to lead before
 *                                   anything was done, or if the command may be repeated
 *
 * A command whose outcome is unknown is never sent again unless repeating it is harmless. */
#include <stdio.h>
#include <stdlib.h>

#include "control/control_thread.h"

/* The leader gives up so much before the node that asked it, so that its reason arrives. */
#define ANSWER_EARLY_MS 500

/* ---- life ---- */

struct call *control_call_find(struct control *c, uint64_t id)
{
    struct call *call = c->calls;
    while (call && call->id != id) call = call->next;
    return call;
}

static void call_free(struct call *call)
{
    if (call->dialled) bus_peer_free(call->dialled);
    if (call->result) policy_job_free(call->result);
    free(call->argv);
    free(call);
}

void control_call_end(struct control *c, struct call *call)
{
    struct call **at = &c->calls;
    while (*at && *at != call) at = &(*at)->next;
    if (*at) *at = call->next;
    if (call->remote) {
        c->remote_calls--;
        c->remote_bytes -= call->size;
    }
    call_free(call);
}

static void call_add(struct control *c, struct call *call)
{
    call->id = ++c->next_call;
    call->next = NULL;
    uint64_t now = control_now_ms(c);
    call->waiting_since_ms = call->stage_since_ms = now;
    call->deadline_ms = now + CONTROL_CALL_MS + control_script_wait_ms(call->argc, call->argv) -
                        (call->remote ? ANSWER_EARLY_MS : 0);
    struct call **end = &c->calls;
    while (*end) end = &(*end)->next;
    *end = call;
}

/* One block for the vector and what it points to. */
static size_t size_of_argv(int argc, const struct bytes *argv)
{
    size_t size = (size_t)argc * sizeof *argv;
    for (int i = 0; i < argc; i++) size += argv[i].len;
    return size;
}

static void copy_argv(struct call *call, int argc, const struct bytes *argv)
{
    call->argc = argc;
    call->size = size_of_argv(argc, argv);
    struct bytes *copy = call->argv = control_allocate(call->size);
    uint8_t *at = (uint8_t *)(copy + argc);
    for (int i = 0; i < argc; i++) {
        if (argv[i].len) memcpy(at, argv[i].data, argv[i].len);
        copy[i] = bytes_of(at, argv[i].len);
        at += argv[i].len;
    }
}

/* ---- the way to the leader ---- */

static void send_call(struct call *call, struct bus_link *to)
{
    struct message_call m = {.request = call->id, .protocol = call->protocol, .argc = call->argc, .argv = call->argv};
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_CALL));
    message_call_write(&b, &m);
    if (bus_link_send(to, FRAME_CALL, buffer_bytes(&b))) {
        call->state = CALL_SENT;
        call->sent_link = bus_link_id(to);
    }
    buffer_release(&b);
}

static void look_for_leader(struct control *c, struct call *call)
{
    if (c->leads || call->command->local) {
        call->state = CALL_EXECUTING;
        control_call_stage(c, call, 0);
        return;
    }
    if (call->remote) { /* not passed on, or the next leader would take this node for the one that was asked */
        control_call_answer(c, call->link_id, call->request, MESSAGE_NOT_LEADER, (struct bytes){0});
        control_call_end(c, call);
        return;
    }
    if (control_is_removed(c)) {
        control_call_error(c, call, ERROR_CLUSTERDOWN,
                           "this node was removed from its cluster: CLUSTER RESET here makes it a candidate again");
        return;
    }
    const char *leader = control_leader(c);
    struct bus_link *to = leader[0] ? control_link_to(c, leader) : NULL;
    if (to)
        send_call(call, to);
    else if (!c->identity.cluster_id[0] && !c->founding)
        control_call_error(
            c, call, ERROR_CLUSTERDOWN,
            "this node is not part of a cluster: it must be admitted first (from a member: CLUSTER MEET, "
            "or CLUSTER SCRIPT RUN init)");
    else if (control_now_ms(c) - call->waiting_since_ms >= CONTROL_CALL_RETRY_MS)
        control_call_error(c, call, ERROR_CLUSTERDOWN, "MetaRaft has no leader that this node can reach; waited %d s",
                           CONTROL_CALL_RETRY_MS / 1000);
}

void control_call_again(struct control *c, struct call *call)
{
    call->state = CALL_WAITING;
    call->waiting_since_ms = control_now_ms(c);
    call->problem = (struct error){0};
    call->node[0] = 0;
}

/* The link to the leader may be gone, and with it the answer. */
static void look_at_sent(struct control *c, struct call *call)
{
    if (bus_find_link(c->bus, call->sent_link)) return;
    if (call->command->repeatable) {
        control_call_again(c, call);
    } else {
        control_call_error(c, call, ERROR_CLUSTERDOWN,
                           "the leader went away before it answered; it is not known whether this was carried out: "
                           "look, then repeat it");
    }
}

static void look_at_executing(struct control *c, struct call *call)
{
    if (call->busy) return;
    bool led = call->command->local || (c->leads && call->problem.code != ERROR_NOT_LEADER);
    if (!led && (!call->has_effect || call->command->repeatable))
        control_call_again(c, call);
    else if (!led)
        control_call_error(
            c, call, ERROR_CLUSTERDOWN,
            "this node ceased to lead MetaRaft while it carried this out: look at the cluster, then repeat it");
    else if (call->problem.code)
        control_call_error_of(c, call, &call->problem);
    else
        call->command->advance(c, call);
}

static void process(struct control *c, struct call *call)
{
    if (control_now_ms(c) >= call->deadline_ms) {
        control_call_error(c, call, ERROR_TIMEOUT, "no outcome in time; it may still be carried out");
        return;
    }
    if (call->state == CALL_SENT)
        look_at_sent(c, call);
    else if (call->state == CALL_EXECUTING)
        look_at_executing(c, call);
    else
        look_for_leader(c, call);
}

void control_calls_tick(struct control *c)
{
    control_outbox_flush(c);
    struct call *next;
    for (struct call *call = c->calls; call; call = next) {
        next = call->next;
        bool was_waiting = call->state == CALL_WAITING;
        uint64_t id = call->id;
        process(c, call);
        /* What has just begun to execute takes its first step now. */
        if (was_waiting && (call = control_call_find(c, id)) && call->state == CALL_EXECUTING) process(c, call);
    }
}

/* ---- in and out ---- */

void control_calls_deliver(struct mailbox_message *m, void *user)
{
    struct control *c = user;
    struct call *call = (struct call *)m;
    struct error e;
    memcpy(call->origin, c->self.id, sizeof call->origin);
    call_add(c, call);
    if (c->stopping)
        control_call_error(c, call, ERROR_CLUSTERDOWN, "this node is shutting down");
    else if (call->too_large)
        control_call_error(c, call, ERROR_LIMIT,
                           "the command is %zu bytes of arguments or has more than %d; up to %u bytes are taken",
                           call->too_large, MESSAGE_ARGS_MAX, CONTROL_CALL_BYTES_MAX);
    else if (!(call->command = control_commands_find(call->argc, call->argv, &e)))
        control_call_error_of(c, call, &e);
    else
        control_touch(c);
}

bool control_call(struct control *c, uint64_t token, int argc, const struct bytes *argv, int protocol)
{
    if (atomic_fetch_add(&c->calls_open, 1) >= CONTROL_CALLS_MAX) {
        atomic_fetch_sub(&c->calls_open, 1);
        return false;
    }
    size_t size = 0;
    for (int i = 0; i < argc; i++) size += argv[i].len + 4;
    struct call *call = control_allocate(sizeof *call);
    call->message.deliver = control_calls_deliver;
    call->token = token;
    call->protocol = protocol;
    if (argc > MESSAGE_ARGS_MAX || size > CONTROL_CALL_BYTES_MAX) call->too_large = size;
    copy_argv(call, call->too_large ? 0 : argc, argv);
    if (mailbox_post(c->mailbox, &call->message)) return true;
    atomic_fetch_sub(&c->calls_open, 1);
    call_free(call);
    return false;
}

int control_calls_remote(struct control *c, struct bus_link *from, const struct message_call *m, struct error *e)
{
    (void)e;
    if (!c->leads) {
        control_call_answer(c, bus_link_id(from), m->request, MESSAGE_NOT_LEADER, (struct bytes){0});
        return 0;
    }
    if (c->remote_calls >= CONTROL_REMOTE_CALLS_MAX ||
        c->remote_bytes + size_of_argv(m->argc, m->argv) > CONTROL_REMOTE_BYTES_MAX) {
        control_call_answer(c, bus_link_id(from), m->request, MESSAGE_ANSWERED,
                            bytes_text("-ERR the leader has too many calls open: try again later\r\n"));
        return 0;
    }
    struct call *call = control_allocate(sizeof *call);
    call->remote = true;
    call->link_id = bus_link_id(from);
    call->request = m->request;
    snprintf(call->origin, sizeof call->origin, "%s", bus_link_peer(from)->node_id);
    call->protocol = m->protocol;
    copy_argv(call, m->argc, m->argv);
    c->remote_calls++;
    c->remote_bytes += call->size;
    call_add(c, call);
    struct error bad;
    if (!(call->command = control_commands_find(call->argc, call->argv, &bad)))
        control_call_error_of(c, call, &bad);
    else
        control_touch(c);
    return 0;
}

int control_calls_reply(struct control *c, struct bus_link *from, const struct message_call_reply *m, struct error *e)
{
    (void)e;
    struct call *call = control_call_find(c, m->request);
    if (!call || call->remote || call->state != CALL_SENT || call->sent_link != bus_link_id(from))
        return 0; /* too late */
    if (m->outcome == MESSAGE_NOT_LEADER) {
        control_call_again(c, call); /* the next pulse tells who leads */
        return 0;
    }
    struct buffer reply;
    buffer_init(&reply, frame_payload_max(FRAME_CALL_REPLY));
    buffer_append(&reply, m->reply.data, m->reply.len);
    control_call_reply(c, call, &reply);
    return 0;
}

void control_calls_fail_all(struct control *c)
{
    while (c->calls) control_call_error(c, c->calls, ERROR_CLUSTERDOWN, "this node is shutting down");
}
