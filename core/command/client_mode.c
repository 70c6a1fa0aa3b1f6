/* CLIENT: how one connection is treated. */
#include "command/client.h"

#include "command/engine.h"

/* Argument 2 as ON or OFF; false: the error was replied. */
static bool on_or_off(struct command_call *c, bool *on)
{
    *on = command_is(c, 2, "ON");
    if (*on || command_is(c, 2, "OFF")) return true;
    command_reply_syntax_error(c);
    return false;
}

void command_client_reply(struct command_call *c)
{
    struct command_session *s = c->session;
    if (command_is(c, 2, "ON")) {
        s->replies_off = false;
        s->replies_skipped = 0;
        command_reply_ok(c);
    } else if (command_is(c, 2, "OFF")) {
        s->replies_off = true;
    } else if (command_is(c, 2, "SKIP")) {
        s->replies_skipped = 2; /* its own, which there is none of, and the next */
    } else {
        command_reply_syntax_error(c);
    }
}

void command_client_no_evict(struct command_call *c)
{
    bool on;
    if (!on_or_off(c, &on)) return;
    net_client_spare(c->client, on);
    c->session->no_evict = on;
    command_reply_ok(c);
}

/* What its commands look up does not count as used (dispatch.c), but by TOUCH. */
void command_client_no_touch(struct command_call *c)
{
    bool on;
    if (!on_or_off(c, &on)) return;
    c->session->no_touch = on;
    command_reply_ok(c);
}

static struct command_session *session_of(struct command_call *c, int64_t id)
{
    struct net_client *client = id > 0 ? net_server_find(c->engine->server, (uint64_t)id) : NULL;
    return client ? net_client_session(client) : NULL;
}

/* Clients that wait for a checkpoint or the cluster cannot be unblocked, as in Redis those that are not in a blocking command. */
void command_client_unblock(struct command_call *c)
{
    int64_t id;
    bool with_error = c->argc == 4 && command_is(c, 3, "ERROR");
    if (c->argc > 4) {
        command_reply_subcommand_error(c);
    } else if (c->argc == 4 && !with_error && !command_is(c, 3, "TIMEOUT")) {
        resp_error(c->reply, ERROR_SYNTAX, "CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    } else if (command_integer(c, 2, &id, NULL)) {
        struct command_session *session = session_of(c, id);
        resp_integer(c->reply, session && command_unblock(c->engine, session, with_error));
    }
}

/* ---- client-side caching, which there is none of ---- */

void command_client_tracking(struct command_call *c)
{
    if (command_is(c, 2, "ON")) {
        resp_error(c->reply, ERROR_GENERIC, "client-side caching is not in this version of AiKv: CLIENT TRACKING can only be OFF");
    } else if (command_is(c, 2, "OFF") && c->argc == 3) {
        command_reply_ok(c);
    } else {
        command_reply_syntax_error(c);
    }
}

void command_client_trackinginfo(struct command_call *c)
{
    resp_map(c->reply, 3);
    resp_bulk_text(c->reply, "flags");
    resp_set(c->reply, 1);
    resp_bulk_text(c->reply, "off");
    resp_bulk_text(c->reply, "redirect");
    resp_integer(c->reply, -1);
    resp_bulk_text(c->reply, "prefixes");
    resp_array(c->reply, 0);
}

void command_client_caching(struct command_call *c)
{
    resp_error(c->reply, ERROR_GENERIC,
               "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
}

void command_client_getredir(struct command_call *c)
{
    resp_integer(c->reply, -1);
}
