/* How control ends: what cannot go on tells the data thread, which ends the process; and the stop that it asks for. */
#include <stdlib.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "control/control_thread.h"

#define HAND_OVER_MS 1000

/* ---- when the process must end ---- */

struct failure {
    struct mailbox_message message;
    struct control_handler handler;
    int exit_code;
    struct error error;
};

static void deliver_failure(struct mailbox_message *m, void *user)
{
    (void)user;
    struct failure *f = (struct failure *)m;
    f->handler.failed(f->handler.user, f->exit_code, &f->error);
    free(f);
}

void control_fail_tell(struct control *c)
{
    if (c->failure && mailbox_post(c->options.data_mailbox, &c->failure->message)) c->failure = NULL;
}

void control_fail(struct control *c, const struct error *e)
{
    if (c->broken) return;
    c->broken = true;
    c->start_error = *e; /* while it starts, control_start returns it */
    if (c->starting) return;
    log_error("control cannot go on", "error=%s", log_quote(e->text));
    c->failure = control_allocate(sizeof *c->failure);
    c->failure->message.deliver = deliver_failure;
    c->failure->handler = c->options.handler;
    c->failure->exit_code = exit_code_of(e);
    c->failure->error = *e;
    control_fail_tell(c);
}

/* ---- the end ---- */

void control_end_close(struct control *c)
{
    c->closing = true;
    uv_close((uv_handle_t *)&c->tick, NULL);
    uv_close((uv_handle_t *)&c->wake, NULL);
    if (c->meta) meta_close(c->meta, NULL, NULL);
    c->meta = NULL;
    control_join_release(c);
    control_members_release(c);
    if (c->bus) bus_close(c->bus);
    c->bus = NULL;
    mailbox_close(c->mailbox);
}

void control_end_begin(struct control *c)
{
    c->stopping = true;
    control_calls_fail_all(c);
    policy_thread_free(c->policy);
    c->policy = NULL;
    c->stop_deadline_ms = control_now_ms(c);
    struct error e;
    if (c->meta && !c->broken && meta_leads(c->meta) && cluster_voters(meta_state(c->meta)) > 1 &&
        meta_transfer(c->meta, 0, &e) == 0)
        c->stop_deadline_ms += HAND_OVER_MS;
}

void control_end_tick(struct control *c)
{
    bool leads = c->meta && !c->broken && meta_leads(c->meta);
    if (c->persist_running || (leads && control_now_ms(c) < c->stop_deadline_ms)) return;
    control_persist_now(c);
    control_end_close(c);
}
