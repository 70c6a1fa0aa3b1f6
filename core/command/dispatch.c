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

/* Whether the request may run; if not, the reason was replied. */
static bool may_run(struct command_engine *e, struct net_client *client, const struct command_session *session,
                    const struct command_entry *entry, const struct resp_request *request, struct resp_writer *reply)
{
    const struct command_row *row = entry->row;
    if (!command_arity_fits(row, request->argc)) {
        resp_error(reply, ERROR_SYNTAX, "wrong number of arguments for '%s' command", entry->name);
        return false;
    }
    if (!session->authenticated && !(row->flags & NO_AUTH) && command_password_needed(e)) {
        resp_error(reply, ERROR_NOAUTH, "Authentication required.");
        return false;
    }
    if (!e->cluster_enabled && (entry->container ? entry->container->row : row)->needs_cluster) {
        resp_error(reply, ERROR_GENERIC, "This instance has cluster support disabled");
        return false;
    }
    if (e->cluster_enabled &&
        !command_slot_check(e, client, row, request->argc, request->argv, reply)) {
        return false;
    }
    if (!e->writable && row->flags & WRITE) {
        resp_error(reply, ERROR_MISCONF, "Commands that change data are refused: %s", e->not_writable.text);
        return false;
    }
    if (session->protocol == 2 && !row->for_subscribers && pubsub_is_subscriber(&session->subscriber)) {
        resp_error(reply, ERROR_GENERIC,
                   "Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context", entry->name);
        return false;
    }
    return true;
}

/* The reply waits for what the command wrote, and for what it read that is not released yet. */
static void gate(struct command_engine *e, struct net_client *client, struct store_position position)
{
    if (position.sequence && store_position_compare(position, store_released(e->store)) > 0) {
        net_client_gate(client, position.sequence);
        e->held_commands++;
    }
}

static void run(struct command_engine *e, struct command_call *c)
{
    const struct command_row *row = c->entry->row;
    if (!(row->flags & (READ | WRITE))) {
        row->run(c);
        return;
    }
    keyspace_begin(e->keyspace, c->session->database, c->now_ms);
    row->run(c);
    gate(e, c->client, keyspace_end(e->keyspace));
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

void command_dispatch(struct command_engine *e, struct net_client *client, const struct resp_request *request)
{
    struct command_session *session = net_client_session(client);
    struct resp_writer reply = {.out = net_client_reply(client), .protocol = session->protocol};
    size_t reply_at = reply.out->len;
    uint64_t id = net_client_id(client), start = start_us(e, id);
    const struct command_entry *entry = command_table_resolve(&e->table, request->argc, request->argv);

    if (!entry && is_http(request->argv[0])) {
        net_client_close(client);
        return;
    }
    bool ran = false;
    if (!entry) {
        reply_unknown(e, request->argc, request->argv, &reply);
    } else if (may_run(e, client, session, entry, request, &reply)) {
        struct command_call call = {.argc = request->argc,
                                    .argv = request->argv,
                                    .reply = &reply,
                                    .keyspace = e->keyspace,
                                    .now_ms = ((int64_t)start + e->wall_offset_us) / 1000,
                                    .arena = &e->arena,
                                    .entry = entry,
                                    .engine = e,
                                    .client = client,
                                    .session = session};
        session->last = entry;
        e->statistics.commands++;
        run(e, &call);
        ran = true;
    }
    uint64_t end = clock_monotonic_us();
    e->last_client = id;
    e->last_end_us = end;
    bool failed = reply.out->len > reply_at && reply.out->data[reply_at] == '-';
    if (failed) {
        command_counts_error(&e->statistics, bytes_of(reply.out->data + reply_at, reply.out->len - reply_at));
    }
    if (!entry) return;
    struct command_counters *counters = &e->statistics.each[entry->number];
    counters->calls += ran;
    counters->usec += ran ? end - start : 0;
    counters->failed += ran && failed;
    counters->rejected += !ran;
}
