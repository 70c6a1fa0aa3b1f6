/* SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE: Redis's words for a checkpoint, which is made without them too. */
#include "command/save.h"

#include <stdlib.h>

#include "command/call.h"
#include "command/engine.h"

/* Whether no checkpoint can be made now, and why. */
static bool is_in_vain(const struct command_engine *e, struct error *why)
{
    if (!e->writable) *why = e->not_writable;
    return !e->writable || store_checkpoint_failing(e->store, why);
}

static void reply_failure(struct resp_writer *reply, const struct error *why)
{
    resp_error(reply, ERROR_GENERIC, "the checkpoint cannot be written: %s", why->text);
}

/* ---- waiting ---- */

static void wait_for(struct command_call *c, uint64_t sequence, bool reread)
{
    struct command_saves *s = &c->engine->saves;
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->list = realloc(s->list, s->cap * sizeof *s->list);
        if (!s->list) abort();
    }
    s->list[s->count++] = (struct command_save){net_client_id(c->client), sequence, reread};
    c->session->waiting = true;
    net_client_suspend(c->client);
}

static void answer(struct command_engine *e, uint64_t client, const struct error *failure)
{
    struct buffer text;
    buffer_init(&text, 1024);
    struct resp_writer reply = {.out = &text, .protocol = 2};
    if (failure)
        reply_failure(&reply, failure);
    else
        resp_simple(&reply, "OK");
    command_engine_resume(e, client, buffer_bytes(&text));
    buffer_release(&text);
}

void command_saves_wake(struct command_engine *e)
{
    struct command_saves *s = &e->saves;
    if (!s->count) return;
    struct store_statistics now;
    struct error why;
    store_statistics(e->store, &now);
    bool in_vain = is_in_vain(e, &why);
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct command_save w = s->list[i];
        bool saved = now.checkpoint.sequence >= w.sequence;
        if (saved && w.reread) store_drop_cached(e->store);
        if (saved || in_vain)
            answer(e, w.client, saved ? NULL : &why);
        else
            s->list[kept++] = w;
    }
    s->count = kept;
}

void command_saves_release(struct command_saves *s)
{
    free(s->list);
    *s = (struct command_saves){0};
}

/* ---- the commands ---- */

/* Asks for a checkpoint. `now`: how it was before. False: it would be in vain, as was replied. */
static bool ask_for_checkpoint(struct command_call *c, struct store_statistics *now)
{
    struct error why;
    store_statistics(c->engine->store, now);
    if (is_in_vain(c->engine, &why)) {
        reply_failure(c->reply, &why);
        return false;
    }
    store_checkpoint_soon(c->engine->store);
    return true;
}

void command_save_wait(struct command_call *c, bool reread)
{
    struct store_statistics now;
    if (ask_for_checkpoint(c, &now)) wait_for(c, now.last.sequence, reread);
}

static void command_save_save(struct command_call *c)
{
    command_save_wait(c, false);
}

/* As in Redis, SCHEDULE makes a difference only to who runs into something else than a save, of which there is nothing
 * here. */
static void command_save_bgsave(struct command_call *c)
{
    struct store_statistics now;
    if (c->argc > 2 || (c->argc == 2 && !command_is(c, 1, "SCHEDULE"))) {
        command_reply_syntax_error(c);
        return;
    }
    store_statistics(c->engine->store, &now);
    if (now.checkpoint_running)
        resp_error(c->reply, ERROR_GENERIC, "Background save already in progress");
    else if (ask_for_checkpoint(c, &now))
        resp_simple(c->reply, "Background saving started");
}

/* What a checkpoint holds the log need not hold any more. */
static void command_save_bgrewriteaof(struct command_call *c)
{
    struct store_statistics now;
    if (ask_for_checkpoint(c, &now))
        resp_simple(c->reply, now.checkpoint_running ? "Background append only file rewriting scheduled" : "Background append only file rewriting started");
}

static void command_save_lastsave(struct command_call *c)
{
    struct store_statistics now;
    store_statistics(c->engine->store, &now);
    resp_integer(c->reply, now.checkpoint_saved_ms / 1000);
}

const struct command_row command_save_rows[] = {
    {"SAVE", 1, ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI, NO_KEYS, 0, command_save_save,
     "Has all that was written so far brought into the checkpoint, and waits for it. Other clients are served "
     "meanwhile.",
     .since = "1.0.0", .complexity = "O(N) where N is the number of rows that changed since the last checkpoint"},
    {"BGSAVE", -1, ADMIN | NOSCRIPT | NO_ASYNC_LOADING, NO_KEYS, 0, command_save_bgsave,
     "Begins a checkpoint, unless one is running. They are made without being asked for too.", .syntax = "[SCHEDULE]",
     .since = "1.0.0", .complexity = "O(1)"},
    {"BGREWRITEAOF", 1, ADMIN | NOSCRIPT | NO_ASYNC_LOADING, NO_KEYS, 0, command_save_bgrewriteaof,
     "Begins a checkpoint, now or after the one that is running: the log is cut by what that holds. They are made without being asked for too.",
     .since = "1.0.0", .complexity = "O(1)"},
    {"LASTSAVE", 1, LOADING | STALE | FAST, NO_KEYS, ACL_ADMIN | ACL_DANGEROUS, command_save_lastsave,
     "When the last checkpoint was whole, in seconds since 1970; if none was yet, when the node started.",
     .since = "1.0.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {0},
};
