/* Replies of calls: to the data thread through its mailbox, or to the node that asked; and what carries calls out uses.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/control_thread.h"

#define REPLY_MAX (24u << 20)

/* A reply on its way to the data thread. */
struct outgoing {
    struct mailbox_message message; /* first */
    struct outgoing *next;
    struct control_handler handler;
    uint64_t token;
    uint8_t *data;
    size_t len;
};

/* ---- the way back ---- */

static void deliver_reply(struct mailbox_message *m, void *user)
{
    (void)user;
    struct outgoing *o = (struct outgoing *)m;
    o->handler.reply(o->handler.user, o->token, bytes_of(o->data, o->len));
    free(o->data);
    free(o);
}

/* Posts what waits, oldest first, until the mailbox is full. */
void control_outbox_flush(struct control *c)
{
    while (c->outbox) {
        struct outgoing *o = c->outbox, *rest = o->next;
        if (!mailbox_post(c->options.data_mailbox, &o->message)) return;
        c->outbox = rest;
        atomic_fetch_sub(&c->calls_open, 1);
    }
}

static void send_local(struct control *c, uint64_t token, struct buffer *reply)
{
    struct outgoing *o = control_allocate(sizeof *o), **end = &c->outbox;
    o->message.deliver = deliver_reply;
    o->handler = c->options.handler;
    o->token = token;
    o->data = buffer_detach(reply, &o->len);
    while (*end) end = &(*end)->next;
    *end = o;
    control_outbox_flush(c);
}

void control_call_answer(struct control *c, uint64_t link_id, uint64_t request, enum message_outcome outcome,
                         struct bytes reply)
{
    struct bus_link *to = c->bus ? bus_find_link(c->bus, link_id) : NULL;
    if (!to) return; /* nobody waits any more, or will ask again */
    struct buffer b;
    buffer_init(&b, frame_payload_max(FRAME_CALL_REPLY));
    message_call_reply_write(&b, &(struct message_call_reply){.request = request, .outcome = outcome, .reply = reply});
    bus_link_send(to, FRAME_CALL_REPLY, buffer_bytes(&b));
    buffer_release(&b);
}

/* ---- ends of a call ---- */

void control_call_reply(struct control *c, struct call *call, struct buffer *reply)
{
    if (reply->failed) {
        buffer_clear(reply);
        struct resp_writer w = {reply, call->protocol};
        resp_error(&w, ERROR_LIMIT, "the reply would be larger than %zu bytes", reply->max);
    }
    if (call->remote)
        control_call_answer(c, call->link_id, call->request, MESSAGE_ANSWERED, buffer_bytes(reply));
    else
        send_local(c, call->token, reply);
    buffer_release(reply);
    control_call_end(c, call);
}

struct resp_writer control_call_writer(const struct call *call, struct buffer *b)
{
    buffer_init(b, REPLY_MAX);
    return (struct resp_writer){b, call->protocol};
}

void control_call_ok(struct control *c, struct call *call)
{
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_simple(&w, "OK");
    control_call_reply(c, call, &b);
}

void control_call_integer(struct control *c, struct call *call, uint64_t value)
{
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_integer(&w, (int64_t)value);
    control_call_reply(c, call, &b);
}

void control_call_error_of(struct control *c, struct call *call, const struct error *e)
{
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_error_of(&w, e);
    control_call_reply(c, call, &b);
}

void control_call_error(struct control *c, struct call *call, int code, const char *format, ...)
{
    char text[sizeof((struct error *)0)->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct error e;
    error_set(&e, (enum error_code)code, "%s", text);
    control_call_error_of(c, call, &e);
}

/* ---- what a call waits for ---- */

void control_call_stage(struct control *c, struct call *call, unsigned stage)
{
    call->stage = stage;
    call->stage_since_ms = control_now_ms(c);
}

void control_call_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)node;
    struct call *call = control_call_find(c, number);
    if (!call) return;
    call->busy = false;
    call->value = result->value;
    call->problem = result->error;
    call->has_effect |= result->error.code == 0 || result->error.code == ERROR_STALE;
    if (call->problem.code == ERROR_STALE && !c->leads)
        error_set(&call->problem, ERROR_CLUSTERDOWN,
                  "the leader changed meanwhile and the outcome is not known: look again");
}

bool control_call_propose(struct control *c, struct call *call, const struct cluster_command *command,
                          control_proposed done)
{
    struct error e;
    int code = control_propose(c, command, done, call->id, "", &e);
    if (code == ERROR_NOT_LEADER && (!call->has_effect || call->command->repeatable)) {
        control_call_again(c, call);
        return false;
    }
    if (code) {
        control_call_error_of(c, call, &e);
        return false;
    }
    call->busy = true;
    return true;
}

static void job_done(void *user, struct policy_job *job)
{
    struct control *c = user;
    struct call *call = control_call_find(c, job->call);
    if (!call) return;
    call->busy = false;
    call->problem = job->error;
    /* The call keeps what came out, and of what state; the job itself is the policy thread's to free. */
    struct policy_job *result = policy_job_new(job->kind);
    result->reply = job->reply;
    result->steps = job->steps;
    result->dry_run = job->dry_run;
    result->state = job->state;
    job->dry_run = NULL;
    job->reply = (struct buffer){0};
    job->steps = (struct script_steps){0};
    job->state = NULL;
    if (call->result) policy_job_free(call->result);
    call->result = result;
    control_touch(c);
}

bool control_call_submit(struct control *c, struct call *call, struct policy_job *job)
{
    job->call = call->id;
    job->protocol = call->protocol;
    job->done = job_done;
    if (!policy_thread_submit(c->policy, job)) {
        bool is_dry_run = job->kind == POLICY_DRY_RUN;
        policy_job_free(job);
        control_call_error(c, call, ERROR_LIMIT, "%d %s are waiting already: try again later",
                           is_dry_run ? POLICY_DRY_RUNS_MAX : POLICY_JOBS_MAX, is_dry_run ? "plans" : "script calls");
        return false;
    }
    call->busy = true;
    return true;
}

void control_outbox_release(struct control *c)
{
    while (c->outbox) {
        struct outgoing *o = c->outbox;
        c->outbox = o->next;
        deliver_reply(&o->message, NULL);
    }
}
