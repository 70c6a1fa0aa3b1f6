#include "command/pause.h"

#include "base/clock.h"
#include "command/client.h"
#include "command/engine.h"

static bool is_paused(const struct command_engine *e, const struct command_session *s, const struct resp_request *r)
{
    const struct command_entry *entry = command_table_resolve(&e->table, r->argc, r->argv);
    if (!entry || !command_arity_fits(entry->row, r->argc)) return false; /* an error at once */
    bool ends_writing = entry->row->run == command_transaction_exec && s->transaction.waits_as_write;
    return e->pause.all || command_waits_as_write(entry->row) || ends_writing;
}

size_t command_pause_admits(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count)
{
    command_pause_check(e);
    if (!e->pause.until_ms) return count;
    struct command_session *s = net_client_session(client);
    size_t n = 0;
    while (n < count && !is_paused(e, s, &requests[n])) n++;
    if (n > 0) return n;
    s->paused = true;
    e->pause.clients++;
    net_client_suspend(client);
    return 0;
}

static void go_on(void *user, struct net_client *client)
{
    (void)user;
    struct command_session *s = net_client_session(client);
    if (!s->paused) return;
    s->paused = false;
    net_client_resume(client);
}

static void end_pause(struct command_engine *e)
{
    e->pause = (struct command_pause){0};
    net_server_each(e->server, go_on, NULL);
}

void command_pause_check(struct command_engine *e)
{
    if (e->pause.until_ms && clock_monotonic_ms() >= e->pause.until_ms) end_pause(e);
}

void command_pause_forget(struct command_engine *e, const struct command_session *s)
{
    if (s->paused) e->pause.clients--;
}

/* A pause under way gets no shorter and no narrower. */
void command_client_pause(struct command_call *c)
{
    struct command_pause *p = &c->engine->pause;
    int64_t ms;
    bool all = c->argc == 3 || command_is(c, 3, "ALL");
    if (c->argc > 4) {
        command_reply_subcommand_error(c);
    } else if (!all && !command_is(c, 3, "WRITE")) {
        resp_error(c->reply, ERROR_SYNTAX, "CLIENT PAUSE mode must be WRITE or ALL");
    } else if (command_integer(c, 2, &ms, "timeout is not an integer or out of range")) {
        if (ms < 0) {
            resp_error(c->reply, ERROR_SYNTAX, "timeout is negative");
            return;
        }
        uint64_t until_ms = clock_monotonic_ms() + (uint64_t)ms;
        if (until_ms > p->until_ms) p->until_ms = until_ms;
        p->all |= all;
        command_reply_ok(c);
    }
}

void command_client_unpause(struct command_call *c)
{
    end_pause(c->engine);
    command_reply_ok(c);
}
