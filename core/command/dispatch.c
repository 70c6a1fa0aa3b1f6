/* From a request to a reply. The checks come in the order of Redis's processCommand, so that a request with several
 * faults is told of the same one. */
#include "base/clock.h"
#include "command/call.h"
#include "command/engine.h"
#include "command/keys.h"

/* The arguments as in Redis's message: quoted, 128 bytes of them all told, each ending at a NUL. */
static void quote_arguments(int argc, const struct bytes *argv, char out[400])
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 1; i < argc && used < 128; i++) {
        int room = 128 - (int)used;
        int len = argv[i].len < (size_t)room ? (int)argv[i].len : room;
        used += (size_t)snprintf(out + used, 400 - used, "'%.*s' ", len, (const char *)argv[i].data);
    }
}

static int shown(struct bytes text)
{
    return text.len < 128 ? (int)text.len : 128;
}

static void reply_unknown(struct command_engine *e, int argc, const struct bytes *argv, struct resp_writer *reply)
{
    const struct command_entry *container = command_table_find(&e->table, argv[0]);
    if (container) {
        resp_error(reply, ERROR_SYNTAX, "unknown subcommand '%.*s'. Try %s HELP.", shown(argv[1]),
                   (const char *)argv[1].data, container->row->name);
        return;
    }
    char arguments[400];
    quote_arguments(argc, argv, arguments);
    resp_error(reply, ERROR_SYNTAX, "unknown command '%.*s', with args beginning with: %s", shown(argv[0]),
               (const char *)argv[0].data, arguments);
}

static bool may_debug(const struct command_engine *e, const struct net_client *client)
{
    enum command_debug allowed = e->tuning.debug;
    return allowed == COMMAND_DEBUG_YES || (allowed == COMMAND_DEBUG_LOCAL && net_client_is_loopback(client));
}

/* Between MULTI and EXEC everything is kept, so it needs room; but EXEC asks for what its commands need, and what ends it all is always let by. */
static bool needs_room(const struct command_session *session, const struct command_row *row)
{
    static const char *const always[] = {"EXEC", "DISCARD", "QUIT", "RESET"};
    const struct command_transaction *t = &session->transaction;
    if (row->flags & DENYOOM || (row->run == command_transaction_exec && t->needs_room)) return true;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(row->name, always[i]) == 0) return false;
    return t->open;
}

/* Deletes keys if there are too many, whoever asks for what. False: there is no room for this, and none can be made. */
static bool make_room(struct command_engine *e, const struct command_session *session, const struct command_row *row)
{
    if (keyspace_data_bytes(e->keyspace) <= e->tuning.data_max) return true;
    command_evict(e);
    return !e->evictions.refusing || !needs_room(session, row);
}

/* Whether the request may run; if not, the reason was replied. */
static bool may_run(struct command_engine *e, const struct command_session *session, const struct command_request *request,
                    struct resp_writer *reply)
{
    const struct command_entry *entry = request->entry;
    const struct command_row *row = entry->row;
    if (!command_arity_fits(row, request->argc)) {
        resp_error(reply, ERROR_SYNTAX, "wrong number of arguments for '%s' command", entry->name);
        return false;
    }
    if (row->is_debug && !may_debug(e, session->client)) {
        resp_error(reply, ERROR_GENERIC,
                   "%s command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you "
                   "need to set this option in the configuration file, and then restart the server.", row->name);
        return false;
    }
    if (!session->authenticated && !(row->flags & NO_AUTH) && command_password_needed(e)) {
        resp_error(reply, ERROR_NOAUTH, "Authentication required.");
        return false;
    }
    if (session->transaction.open && row->flags & NO_MULTI) {
        resp_error(reply, ERROR_GENERIC, "Command not allowed inside a transaction");
        return false;
    }
    if (session->transaction.open && row->suspends && e->cluster_enabled) {
        resp_error(reply, ERROR_GENERIC, "'%s' waits for the cluster and is not allowed inside a transaction", entry->name);
        return false;
    }
    if (e->cluster_enabled && !command_slot_check(e, session->client, request, reply)) return false;
    if (e->tuning.data_max && !make_room(e, session, row)) {
        resp_error(reply, ERROR_OOM, "command not allowed when used memory > 'maxmemory'.");
        return false;
    }
    bool writes = row->flags & WRITE || (row->run == command_transaction_exec && session->transaction.writes);
    if (!e->writable && writes) {
        resp_error(reply, ERROR_MISCONF, "Commands that change data are refused: %s", e->not_writable.text);
        return false;
    }
    if (session->protocol == 2 && !row->for_subscribers && pubsub_is_subscriber(&session->subscriber)) {
        resp_error(reply, ERROR_GENERIC,
                   "Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context", entry->name);
        return false;
    }
    if (session->monitor && row->flags & (READ | WRITE)) {
        resp_error(reply, ERROR_GENERIC, "Replica can't interact with the keyspace"); /* Redis's words for a monitor too */
        return false;
    }
    return true;
}

void command_gate(struct command_engine *e, struct net_client *client, struct store_position position)
{
    if (position.sequence && store_position_compare(position, store_released(e->store)) > 0) {
        net_client_gate(client, position.sequence);
        e->held_commands++;
    }
}

static void run(struct command_engine *e, struct command_call *c)
{
    const struct command_row *row = c->entry->row;
    if (!e->cluster_enabled && (c->entry->container ? c->entry->container->row : row)->needs_cluster) {
        resp_error(c->reply, ERROR_GENERIC, "This instance has cluster support disabled");
        return;
    }
    if (!(row->flags & (READ | WRITE))) {
        row->run(c);
        return;
    }
    keyspace_begin(e->keyspace, c->session->database, c->now_ms);
    if (row->only_looks || c->session->no_touch) keyspace_only_look(e->keyspace, true);
    row->run(c);
    command_gate(e, c->client, keyspace_end(e->keyspace));
}

/* Browsers lured into posting to a Redis port send "POST" or "Host:": close before a line of the body runs. */
static bool is_http(struct bytes name)
{
    return bytes_is(name, "POST") || bytes_is(name, "Host:");
}

/* When a command starts: in a pipeline, when the one before it ended, which saves reading the clock. */
static uint64_t start_us(const struct command_engine *e, uint64_t client)
{
    return e->last_client == client ? e->last_end_us : clock_monotonic_us();
}

void command_note_slow(struct command_engine *e, const struct command_call *c, uint64_t took_us)
{
    const struct command_tuning *t = &e->tuning;
    if (t->slowlog_us >= 0 && took_us >= (uint64_t)t->slowlog_us && !(c->entry->row->flags & SKIP_SLOWLOG)) {
        command_slowlog_add(&e->slowlog, c, took_us);
        command_slowlog_trim(&e->slowlog, t->slowlog_max);
    }
    if (t->latency_ms > 0 && took_us >= t->latency_ms * 1000) {
        enum latency_event event = c->entry->row->flags & FAST ? LATENCY_FAST_COMMAND : LATENCY_COMMAND;
        command_latency_add(&e->latency, event, c->now_ms / 1000, took_us);
    }
}

/* A command has run. */
static void count_run(struct command_engine *e, const struct command_call *c, uint64_t took_us, bool failed)
{
    struct command_counters *counters = &e->statistics.each[c->entry->number];
    counters->calls++;
    counters->usec += took_us;
    counters->failed += failed;
    if (e->tuning.latency_tracking) command_counts_latency(counters, took_us);
    if (took_us >= e->attention_us && !c->session->waiting) command_note_slow(e, c, took_us); /* one that waits has not run yet */
    if (e->monitors.count > 0) command_monitors_feed(&e->monitors, c, (int64_t)e->last_end_us + e->wall_offset_us);
}

static bool is_error(const struct buffer *reply, size_t at)
{
    return reply->len > at && reply->data[at] == '-';
}

static void count_error(struct command_engine *e, const struct buffer *reply, size_t at)
{
    command_counts_error(&e->statistics, bytes_of(reply->data + at, reply->len - at));
}

void command_execute(struct command_engine *e, struct command_call *c, uint64_t start_us)
{
    const struct buffer *reply = c->reply->out;
    size_t reply_at = reply->len;
    e->statistics.commands++;
    run(e, c);
    e->last_client = net_client_id(c->client);
    e->last_end_us = clock_monotonic_us();
    bool failed = is_error(reply, reply_at);
    if (failed) count_error(e, reply, reply_at);
    count_run(e, c, e->last_end_us - start_us, failed);
}

/* In a transaction EXEC will be refused; EXEC itself ends it, and tells why in its own words: what comes after the prefix, if that is ERR. */
static void refused(struct command_engine *e, struct command_session *session, const struct command_entry *entry, struct resp_writer *reply,
                    size_t reply_at)
{
    if (!entry || entry->row->run != command_transaction_exec) {
        session->transaction.refused |= session->transaction.open;
        return;
    }
    transaction_end(e, session);
    struct buffer *out = reply->out;
    if (!is_error(out, reply_at)) return; /* it did not fit */
    char text[512];
    size_t skipped = reply_at + (memcmp(out->data + reply_at, "-ERR ", 5) == 0 ? 5 : 1);
    snprintf(text, sizeof text, "%.*s", (int)(out->len - skipped - 2), (const char *)out->data + skipped);
    out->len = reply_at;
    resp_error(reply, ERROR_EXECABORT, "Transaction discarded because of: %s", text);
}

static void start(struct command_engine *e, struct command_session *session, const struct command_request *request, struct resp_writer *reply)
{
    uint64_t start = start_us(e, net_client_id(session->client));
    struct command_call call = {.argc = request->argc,
                                .argv = request->argv,
                                .reply = reply,
                                .keyspace = e->keyspace,
                                .now_ms = ((int64_t)start + e->wall_offset_us) / 1000,
                                .arena = &e->arena,
                                .entry = request->entry,
                                .engine = e,
                                .client = session->client,
                                .session = session};
    command_execute(e, &call, start);
}

void command_dispatch(struct command_engine *e, struct net_client *client, const struct resp_request *request)
{
    struct command_session *session = net_client_session(client);
    struct resp_writer reply = {.out = net_client_reply(client), .protocol = session->protocol};
    size_t reply_at = reply.out->len;
    struct command_request r = {command_table_resolve(&e->table, request->argc, request->argv), request->argc, request->argv};
    if (!r.entry && is_http(r.argv[0])) {
        net_client_close(client);
        return;
    }
    if (!r.entry) {
        reply_unknown(e, r.argc, r.argv, &reply);
    } else if (may_run(e, session, &r, &reply)) {
        session->last = r.entry;
        if (!session->transaction.open || r.entry->row->never_queued) {
            start(e, session, &r, &reply);
        } else {
            transaction_queue(session, &r);
            resp_simple(&reply, "QUEUED");
        }
        return;
    }
    refused(e, session, r.entry, &reply, reply_at);
    if (reply.out->len > reply_at) count_error(e, reply.out, reply_at);
    if (r.entry) e->statistics.each[r.entry->number].rejected++;
}
