/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include "command/transaction.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "command/call.h"
#include "command/engine.h"

/* ---- the queue ---- */

static size_t memory_of(const struct command_request *request)
{
    size_t size = sizeof *request + (size_t)request->argc * sizeof *request->argv;
    for (int i = 0; i < request->argc; i++) size += request->argv[i].len;
    return size;
}

/* argv and what it points to in one piece. */
static struct bytes *copy_arguments(const struct command_request *request)
{
    struct bytes *argv = malloc(memory_of(request));
    if (!argv) abort();
    uint8_t *at = (uint8_t *)&argv[request->argc];
    for (int i = 0; i < request->argc; i++) {
        struct bytes from = request->argv[i];
        argv[i] = bytes_of(at, from.len);
        if (from.len) memcpy(at, from.data, from.len);
        at += from.len;
    }
    return argv;
}

void transaction_queue(struct command_session *s, const struct command_request *request)
{
    struct command_transaction *t = &s->transaction;
    if (t->refused || s->watcher.dirty) return;
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 8;
        t->queue = realloc(t->queue, t->cap * sizeof *t->queue);
        if (!t->queue) abort();
    }
    t->queue[t->count++] = (struct command_request){request->entry, request->argc, copy_arguments(request)};
    t->writes |= (request->entry->row->flags & WRITE) != 0;
    t->waits_as_write |= command_waits_as_write(request->entry->row);
    t->needs_room |= (request->entry->row->flags & DENYOOM) != 0;
    size_t bytes = memory_of(request);
    t->bytes += bytes;
    command_session_keep(s, bytes);
}

void transaction_end(struct command_engine *e, struct command_session *s)
{
    struct command_transaction *t = &s->transaction;
    for (size_t i = 0; i < t->count; i++) free((void *)(uintptr_t)t->queue[i].argv);
    free(t->queue);
    command_session_let_go(s, t->bytes);
    *t = (struct command_transaction){0};
    watch_end(e, s);
}

/* ---- the commands ---- */

static void command_transaction_multi(struct command_call *c)
{
    if (c->session->transaction.open) {
        resp_error(c->reply, ERROR_GENERIC, "MULTI calls can not be nested");
        return;
    }
    c->session->transaction.open = true;
    command_reply_ok(c);
}

static void command_transaction_discard(struct command_call *c)
{
    if (!c->session->transaction.open) {
        resp_error(c->reply, ERROR_GENERIC, "DISCARD without MULTI");
        return;
    }
    transaction_end(c->engine, c->session);
    command_reply_ok(c);
}

static void run_queue(struct command_call *c)
{
    const struct command_transaction *t = &c->session->transaction;
    resp_array(c->reply, t->count);
    for (size_t i = 0; i < t->count; i++) {
        struct command_call call = *c;
        call.entry = t->queue[i].entry;
        call.argc = t->queue[i].argc;
        call.argv = t->queue[i].argv;
        call.in_transaction = true;
        arena_reset(c->arena);
        buffer_clear(&c->engine->scratch);
        command_execute(c->engine, &call, c->engine->last_end_us);
        assert(!c->session->waiting); /* nothing that suspends its client is queued */
    }
}

/* Looks at what is watched before anything runs, and runs all of it in one batch, while the clock stands still. */
void command_transaction_exec(struct command_call *c)
{
    struct command_engine *e = c->engine;
    struct command_session *s = c->session;
    struct command_transaction *t = &s->transaction;
    if (!t->open) {
        resp_error(c->reply, ERROR_GENERIC, "EXEC without MULTI");
        return;
    }
    if (e->cluster_enabled && !command_slot_check_all(e, c->client, t->queue, t->count, c->reply)) {
        transaction_end(e, s);
        return;
    }
    keyspace_begin(e->keyspace, s->database, c->now_ms);
    watch_check(e, s, c->now_ms);
    if (t->refused) {
        resp_error(c->reply, ERROR_EXECABORT, "Transaction discarded because of previous errors.");
    } else if (s->watcher.dirty) {
        resp_null_array(c->reply);
    } else {
        watch_end(e, s);
        e->last_end_us = clock_monotonic_us();
        run_queue(c);
    }
    command_gate(e, c->client, keyspace_end(e->keyspace));
    transaction_end(e, s);
}

static void command_transaction_watch(struct command_call *c)
{
    struct command_session *s = c->session;
    if (s->transaction.open) {
        resp_error(c->reply, ERROR_GENERIC, "WATCH inside MULTI is not allowed");
        return;
    }
    keyspace_begin(c->keyspace, s->database, c->now_ms);
    keyspace_only_look(c->keyspace, true);
    for (int i = 1; i < c->argc && !s->watcher.dirty; i++)
        watch_add(c->engine, s, c->argv[i], keyspace_find(c->keyspace, c->argv[i]).type != KEYSPACE_NONE);
    command_gate(c->engine, c->client, keyspace_end(c->keyspace));
    command_reply_ok(c);
}

static void command_transaction_unwatch(struct command_call *c)
{
    watch_end(c->engine, c->session);
    command_reply_ok(c);
}

#define FLAGS (NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY)

const struct command_row command_transaction_rows[] = {
    {"MULTI", 1, FLAGS, NO_KEYS, ACL_TRANSACTION, command_transaction_multi,
     "Begins a transaction: the commands that follow are kept, until EXEC runs them or DISCARD forgets them.",
     .since = "1.2.0", .complexity = "O(1)", .never_queued = true},
    {"EXEC", 1, NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG, NO_KEYS, ACL_TRANSACTION, command_transaction_exec,
     "Runs the commands since MULTI, with nothing between them: all of them reach the disk, or none. Null if a key has changed that was "
     "watched.",
     .since = "1.2.0", .complexity = "Depends on commands in the transaction", .never_queued = true},
    {"DISCARD", 1, FLAGS, NO_KEYS, ACL_TRANSACTION, command_transaction_discard,
     "Forgets the commands since MULTI, and what is watched.",
     .since = "2.0.0", .complexity = "O(N), when N is the number of queued commands", .never_queued = true},
    {"WATCH", -2, FLAGS, KEYS(1, -1, 1, KEY_RO), ACL_TRANSACTION, command_transaction_watch,
     "Lets the next EXEC run only if these keys have not changed by then.",
     .syntax = "key...", .since = "2.2.0", .complexity = "O(1) for every key.", .never_queued = true},
    {"UNWATCH", 1, FLAGS, NO_KEYS, ACL_TRANSACTION, command_transaction_unwatch,
     "Forgets the keys that are watched.",
     .since = "2.2.0", .complexity = "O(1)"},
    {0},
};
