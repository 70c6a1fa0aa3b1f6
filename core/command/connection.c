/* The connection itself: greeting, authentication, database. */
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "command/call.h"
#include "command/engine.h"

static void command_connection_ping(struct command_call *c)
{
    if (c->argc > 2) {
        command_reply_arity_error(c);
    } else if (c->session->protocol == 2 && pubsub_is_subscriber(&c->session->subscriber)) {
        resp_array(c->reply, 2); /* so that it can be told from messages */
        resp_bulk_text(c->reply, "pong");
        resp_bulk(c->reply, c->argc == 2 ? c->argv[1] : bytes_of(NULL, 0));
    } else if (c->argc == 2) {
        resp_bulk(c->reply, c->argv[1]);
    } else {
        resp_simple(c->reply, "PONG");
    }
}

static void command_connection_echo(struct command_call *c)
{
    resp_bulk(c->reply, c->argv[1]);
}

static void command_connection_quit(struct command_call *c)
{
    command_reply_ok(c);
    net_client_close_after_reply(c->client);
}

static void command_connection_reset(struct command_call *c)
{
    command_monitors_remove(&c->engine->monitors, c->client);
    command_session_reset(c->engine, c->session);
    c->session->authenticated = !command_password_needed(c->engine);
    net_client_set_authenticated(c->client, c->session->authenticated);
    resp_simple(c->reply, "RESET");
}

static void command_connection_select(struct command_call *c)
{
    int64_t number;
    if (!command_integer_within(c, 1, INT32_MIN, INT32_MAX, &number, NULL)) return;
    if (number < 0 || number >= c->engine->databases) {
        resp_error(c->reply, ERROR_GENERIC, "DB index is out of range");
        return;
    }
    c->session->database = (unsigned)number;
    command_reply_ok(c);
}

/* ---- authentication ---- */

bool command_password_needed(const struct command_engine *e)
{
    return e->host->password(e->host->user)[0];
}

/* Digests are compared, in constant time, so that the time taken tells neither a matching beginning nor the length. */
static bool equal_secrets(struct bytes a, struct bytes b)
{
    unsigned char x[SHA256_DIGEST_LENGTH], y[SHA256_DIGEST_LENGTH];
    SHA256(a.data, a.len, x);
    SHA256(b.data, b.len, y);
    return CRYPTO_memcmp(x, y, sizeof x) == 0;
}

bool command_password_fits(const struct command_engine *e, struct bytes user, struct bytes password)
{
    if (!bytes_equal(user, bytes_text("default"))) return false;
    const char *wanted = e->host->password(e->host->user);
    return !wanted[0] || equal_secrets(password, bytes_text(wanted));
}

/* Authenticates the session; false: the error was replied. */
static bool authenticate(struct command_call *c, struct bytes user, struct bytes password)
{
    if (!command_password_fits(c->engine, user, password)) {
        resp_error(c->reply, ERROR_WRONGPASS, "invalid username-password pair or user is disabled.");
        return false;
    }
    c->session->authenticated = true;
    net_client_set_authenticated(c->client, true);
    return true;
}

static void command_connection_auth(struct command_call *c)
{
    if (c->argc > 3) {
        command_reply_syntax_error(c);
        return;
    }
    if (c->argc == 2 && !command_password_needed(c->engine)) {
        resp_error(c->reply, ERROR_GENERIC,
                   "AUTH <password> called without any password configured for the default user. Are you sure your "
                   "configuration is correct?");
        return;
    }
    struct bytes user = c->argc == 3 ? c->argv[1] : bytes_text("default");
    if (authenticate(c, user, c->argv[c->argc - 1])) command_reply_ok(c);
}

static bool auth_is_secret(int argc, const struct bytes *argv, int i)
{
    (void)argc;
    (void)argv;
    return i > 0;
}

/* ---- HELLO ---- */

/* The protocol asked for, 0 for none; false: the error was replied. */
static bool hello_version(struct command_call *c, int64_t *out)
{
    *out = 0;
    if (c->argc == 1) return true;
    if (!command_integer(c, 1, out, "Protocol version is not an integer or out of range")) return false;
    if (*out == 2 || *out == 3) return true;
    resp_error(c->reply, ERROR_NOPROTO, "unsupported protocol version");
    return false;
}

/* Options take effect one after the other, also those before one that is wrong, as in Redis. False: the error was
 * replied. */
static bool hello_options(struct command_call *c)
{
    struct error e;
    for (int i = 2; i < c->argc; i++) {
        int more = c->argc - 1 - i;
        if (command_is(c, i, "AUTH") && more >= 2) {
            if (!authenticate(c, c->argv[i + 1], c->argv[i + 2])) return false;
            i += 2;
        } else if (command_is(c, i, "SETNAME") && more >= 1) {
            if (command_session_set_name(&c->session->name, c->argv[++i], "Client names", &e)) {
                resp_error_of(c->reply, &e);
                return false;
            }
        } else {
            resp_error(c->reply, ERROR_SYNTAX, "Syntax error in HELLO option '%s'", command_text(c, i));
            return false;
        }
    }
    return true;
}

static void reply_hello(struct command_call *c)
{
    struct resp_writer *w = c->reply;
    resp_map(w, 7);
    resp_bulk_text(w, "server");
    resp_bulk_text(w, "redis");
    resp_bulk_text(w, "version");
    resp_bulk_text(w, COMMAND_REDIS_VERSION);
    resp_bulk_text(w, "proto");
    resp_integer(w, c->session->protocol);
    resp_bulk_text(w, "id");
    resp_integer(w, (int64_t)net_client_id(c->client));
    resp_bulk_text(w, "mode");
    resp_bulk_text(w, c->engine->cluster_enabled ? "cluster" : "standalone");
    resp_bulk_text(w, "role");
    resp_bulk_text(w, command_is_replica(c->engine) ? "replica" : "master");
    resp_bulk_text(w, "modules");
    resp_array(w, 0);
}

static void command_connection_hello(struct command_call *c)
{
    int64_t version;
    if (!hello_version(c, &version) || !hello_options(c)) return;
    if (!c->session->authenticated && command_password_needed(c->engine)) {
        resp_error(c->reply, ERROR_NOAUTH,
                   "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> "
                   "option can be used to authenticate the client and select the RESP protocol version at the same "
                   "time");
        return;
    }
    if (version) c->reply->protocol = c->session->protocol = (int)version;
    reply_hello(c);
}

/* The two arguments behind AUTH, whether or not the options before them are right. */
static bool hello_is_secret(int argc, const struct bytes *argv, int i)
{
    (void)argc;
    return (i >= 3 && bytes_is(argv[i - 1], "AUTH")) || (i >= 4 && bytes_is(argv[i - 2], "AUTH"));
}

#define GREETING (NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY)

const struct command_row command_connection_rows[] = {
    {"PING", -1, FAST, NO_KEYS, ACL_CONNECTION, command_connection_ping,
     "Answers PONG, or the message given.",
     .syntax = "[message]", .since = "1.0.0", .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:all_succeeded", .for_subscribers = true},
    {"ECHO", 2, LOADING | STALE | FAST, NO_KEYS, ACL_CONNECTION, command_connection_echo,
     "Returns the message given.",
     .syntax = "message", .since = "1.0.0", .complexity = "O(1)"},
    {"QUIT", -1, GREETING, NO_KEYS, ACL_CONNECTION, command_connection_quit,
     "Closes the connection once all replies have left.",
     .since = "1.0.0", .complexity = "O(1)", .for_subscribers = true, .never_queued = true},
    {"RESET", 1, GREETING, NO_KEYS, ACL_CONNECTION, command_connection_reset,
     "Brings the connection back to how it was when it was new.",
     .since = "6.2.0", .complexity = "O(1)", .for_subscribers = true, .never_queued = true},
    {"HELLO", -1, GREETING, NO_KEYS, ACL_CONNECTION, command_connection_hello,
     "Chooses the protocol, authenticates, names the connection, and tells of the server.",
     .syntax = "[arguments: protover [AUTH (username_password: username password)] [SETNAME clientname]]", .since = "6.0.0", .complexity = "O(1)",
     .is_secret = hello_is_secret},
    {"AUTH", -2, GREETING, NO_KEYS, ACL_CONNECTION, command_connection_auth,
     "Authenticates the connection.",
     .syntax = "[username] password", .since = "1.0.0", .complexity = "O(1)", .is_secret = auth_is_secret},
    {"SELECT", 2, LOADING | STALE | FAST, NO_KEYS, ACL_CONNECTION, command_connection_select,
     "Changes the database of the connection.",
     .syntax = "index", .since = "1.0.0", .complexity = "O(1)"},
    {0},
};
