/* CLIENT: the connections, seen from one of them. */
#include "base/number.h"
#include "command/client.h"
#include "command/client_filter.h"
#include "command/engine.h"

static void command_client_id(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)net_client_id(c->client));
}

static void command_client_getname(struct command_call *c)
{
    if (c->session->name) {
        resp_bulk_text(c->reply, c->session->name);
    } else {
        resp_null(c->reply);
    }
}

static void set_name(struct command_call *c, char **name, struct bytes value, const char *what)
{
    struct error e;
    if (command_session_set_name(name, value, what, &e)) {
        resp_error_of(c->reply, &e);
    } else {
        command_reply_ok(c);
    }
}

static void command_client_setname(struct command_call *c)
{
    set_name(c, &c->session->name, c->argv[2], "Client names");
}

/* From Redis 7.2; newer clients send it unasked. */
static void command_client_setinfo(struct command_call *c)
{
    if (command_is(c, 2, "LIB-NAME")) {
        set_name(c, &c->session->library, c->argv[3], "lib-name");
    } else if (command_is(c, 2, "LIB-VER")) {
        set_name(c, &c->session->library_version, c->argv[3], "lib-ver");
    } else {
        resp_error(c->reply, ERROR_SYNTAX, "Unrecognized option '%s'", command_text(c, 2));
    }
}

static void command_client_info(struct command_call *c)
{
    command_session_describe(c->session, c->client, &c->engine->scratch);
    resp_verbatim(c->reply, buffer_bytes(&c->engine->scratch));
}

/* ---- LIST ---- */

struct listing {
    const struct client_filter *filter;
    struct buffer *out;
};

static void list_one(void *user, struct net_client *client)
{
    struct listing *l = user;
    if (client_filter_fits(l->filter, client)) command_session_describe(net_client_session(client), client, l->out);
}

static bool list_by_id(struct command_call *c)
{
    for (int i = 3; i < c->argc; i++) {
        int64_t id;
        if (!command_integer(c, i, &id, "Invalid client ID")) return false;
        struct net_client *client = id > 0 ? net_server_find(c->engine->server, (uint64_t)id) : NULL;
        if (client) command_session_describe(net_client_session(client), client, &c->engine->scratch);
    }
    return true;
}

static void command_client_list(struct command_call *c)
{
    struct client_filter filter = {.type = CLIENT_TYPE_ANY};
    struct listing listing = {&filter, &c->engine->scratch};
    if (c->argc > 3 && command_is(c, 2, "ID")) {
        if (!list_by_id(c)) return;
    } else if (c->argc == 2 || (c->argc == 4 && command_is(c, 2, "TYPE"))) {
        if (c->argc == 4 && !client_filter_type(c, 3, &filter)) return;
        net_server_each(c->engine->server, list_one, &listing);
    } else {
        command_reply_syntax_error(c);
        return;
    }
    if (listing.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "so many connections do not fit a reply: ask for some of them by ID");
    } else {
        resp_verbatim(c->reply, buffer_bytes(listing.out));
    }
}

/* ---- KILL ---- */

struct killing {
    struct command_call *call;
    struct client_filter filter;
    int64_t killed;
};

static void kill_one(void *user, struct net_client *client)
{
    struct killing *k = user;
    if (!client_filter_fits(&k->filter, client)) return;
    k->killed++;
    if (client == k->call->client) {
        net_client_close_after_reply(client);
    } else {
        net_client_close(client);
    }
}

static void command_client_kill(struct command_call *c)
{
    struct killing k = {.call = c, .filter = {.type = CLIENT_TYPE_ANY}};
    bool old_form = c->argc == 3; /* CLIENT KILL address */
    if (old_form) {
        k.filter.address = command_text(c, 2);
    } else if (!client_filter_parse(c, &k.filter)) {
        return;
    }
    net_server_each(c->engine->server, kill_one, &k);
    if (!old_form) {
        resp_integer(c->reply, k.killed);
    } else if (k.killed) {
        command_reply_ok(c);
    } else {
        resp_error(c->reply, ERROR_NOT_FOUND, "No such client");
    }
}

#define ANY (NOSCRIPT | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"ID", 2, ANY, NO_KEYS, ACL_CONNECTION, command_client_id,
     "The number of this connection.",
     .since = "5.0.0", .complexity = "O(1)"},
    {"GETNAME", 2, ANY, NO_KEYS, ACL_CONNECTION, command_client_getname,
     "The name of this connection.",
     .since = "2.6.9", .complexity = "O(1)"},
    {"SETNAME", 3, ANY, NO_KEYS, ACL_CONNECTION, command_client_setname,
     "Names this connection.",
     .syntax = "connection-name", .since = "2.6.9", .complexity = "O(1)"},
    {"SETINFO", 4, ANY, NO_KEYS, ACL_CONNECTION, command_client_setinfo,
     "Tells which client library this connection uses.",
     .syntax = "(attribute: LIB-NAME libname | LIB-VER libver)", .since = "7.2.0", .complexity = "O(1)"},
    {"INFO", 2, ANY, NO_KEYS, ACL_CONNECTION, command_client_info,
     "What the node knows of this connection.",
     .since = "6.2.0", .complexity = "O(1)", .tips = "nondeterministic_output"},
    {"LIST", -2, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_list,
     "What the node knows of all connections, or of some.",
     .syntax = "[TYPE (normal_master_replica_pubsub: NORMAL | MASTER | REPLICA | PUBSUB)] [ID (id: client-id...)]", .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections", .tips = "nondeterministic_output"},
    {"KILL", -3, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_kill,
     "Closes connections.",
     .syntax = "(filter: ip:port | (new-format: [ID client-id] | [TYPE (normal_master_slave_pubsub: NORMAL | MASTER | SLAVE | REPLICA | "
               "PUBSUB)] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no])...)",
     .since = "2.4.0", .complexity = "O(N) where N is the number of client connections"},
    {"PAUSE", -3, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_pause,
     "Runs no commands that write, or none at all, of any client for some milliseconds. With ALL nobody can end it earlier.",
     .syntax = "timeout:integer [mode: WRITE | ALL]", .since = "2.9.50", .complexity = "O(1)"},
    {"UNPAUSE", 2, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_unpause,
     "Ends CLIENT PAUSE.",
     .since = "6.2.0", .complexity = "O(N) Where N is the number of paused clients"},
    {"REPLY", 3, ANY, NO_KEYS, ACL_CONNECTION, command_client_reply,
     "Whether commands of this connection are answered: always, never, or all but the next.",
     .syntax = "(on_off_skip: ON | OFF | SKIP)", .since = "3.2.0", .complexity = "O(1)"},
    {"UNBLOCK", -3, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_unblock,
     "Has a blocking command end as if it had waited long enough, or with an error.",
     .syntax = "client-id [timeout_error: TIMEOUT | ERROR]", .since = "5.0.0",
     .complexity = "O(log N) where N is the number of client connections"},
    {"NO-EVICT", 3, ADMIN | ANY, NO_KEYS, ACL_CONNECTION, command_client_no_evict,
     "Whether this connection is kept even if its requests are the largest when all exceed their memory.",
     .syntax = "(enabled: ON | OFF)", .since = "7.0.0", .complexity = "O(1)"},
    {"NO-TOUCH", 3, ANY, NO_KEYS, ACL_CONNECTION, command_client_no_touch,
     "Whether commands of this connection count as a use of their keys.",
     .syntax = "(enabled: ON | OFF)", .since = "7.2.0", .complexity = "O(1)"},
    {"TRACKING", -3, ANY, NO_KEYS, ACL_CONNECTION, command_client_tracking,
     "Client-side caching: can only be OFF.",
     .syntax = "(status: ON | OFF)", .since = "6.0.0", .complexity = "O(1)"},
    {"TRACKINGINFO", 2, ANY, NO_KEYS, ACL_CONNECTION, command_client_trackinginfo,
     "What this connection uses of client-side caching.",
     .since = "6.2.0", .complexity = "O(1)"},
    {"CACHING", 3, ANY, NO_KEYS, ACL_CONNECTION, command_client_caching,
     "Whether the keys of the next command are tracked: an error, as in Redis while tracking is off.",
     .syntax = "(mode: YES | NO)", .since = "6.0.0", .complexity = "O(1)"},
    {"GETREDIR", 2, ANY, NO_KEYS, ACL_CONNECTION, command_client_getredir,
     "Where invalidations of this connection's keys go: -1, there are none.",
     .since = "6.0.0", .complexity = "O(1)"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, ACL_CONNECTION, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_client_rows[] = {
    {"CLIENT", -2, 0, NO_KEYS, 0, NULL,
     "Connections: names, list, closing.",
     .since = "2.4.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
