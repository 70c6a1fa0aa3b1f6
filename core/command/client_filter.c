#include "command/client_filter.h"

#include "command/session.h"

bool client_filter_type(struct command_call *c, int i, struct client_filter *out)
{
    static const struct {
        const char *word;
        enum client_type type;
    } types[] = {
        {"normal", CLIENT_TYPE_NORMAL}, {"slave", CLIENT_TYPE_REPLICA}, {"replica", CLIENT_TYPE_REPLICA},
        {"pubsub", CLIENT_TYPE_PUBSUB}, {"master", CLIENT_TYPE_MASTER},
    };
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        if (!command_is(c, i, types[t].word)) continue;
        out->type = types[t].type;
        return true;
    }
    resp_error(c->reply, ERROR_SYNTAX, "Unknown client type '%s'", command_text(c, i));
    return false;
}

/* One option and its value, argument i and i + 1. */
static bool parse_option(struct command_call *c, int i, struct client_filter *out)
{
    int64_t id;
    if (command_is(c, i, "ID")) {
        if (!command_integer_within(c, i + 1, 1, INT64_MAX, &id, "client-id should be greater than 0")) return false;
        out->id = (uint64_t)id;
    } else if (command_is(c, i, "TYPE")) {
        return client_filter_type(c, i + 1, out);
    } else if (command_is(c, i, "ADDR")) {
        out->address = command_text(c, i + 1);
    } else if (command_is(c, i, "LADDR")) {
        out->local_address = command_text(c, i + 1);
    } else if (command_is(c, i, "USER")) {
        if (!bytes_equal(c->argv[i + 1], bytes_text("default"))) { /* the only user there is */
            resp_error(c->reply, ERROR_NOT_FOUND, "No such user '%s'", command_text(c, i + 1));
            return false;
        }
    } else if (command_is(c, i, "SKIPME") && command_is(c, i + 1, "YES")) {
        out->skip = c->client;
    } else if (command_is(c, i, "SKIPME") && command_is(c, i + 1, "NO")) {
        out->skip = NULL;
    } else {
        command_reply_syntax_error(c);
        return false;
    }
    return true;
}

bool client_filter_parse(struct command_call *c, struct client_filter *out)
{
    out->skip = c->client;
    for (int i = 2; i < c->argc; i += 2) {
        if (i + 1 == c->argc) {
            command_reply_syntax_error(c);
            return false;
        }
        if (!parse_option(c, i, out)) return false;
    }
    return true;
}

static enum client_type type_of(const struct net_client *client)
{
    const struct command_session *s = net_client_session(client);
    return pubsub_is_subscriber(&s->subscriber) ? CLIENT_TYPE_PUBSUB : CLIENT_TYPE_NORMAL;
}

bool client_filter_fits(const struct client_filter *f, const struct net_client *client)
{
    if (f->type != CLIENT_TYPE_ANY && f->type != type_of(client)) return false;
    if (f->id && f->id != net_client_id(client)) return false;
    if (f->address && strcmp(f->address, net_client_address(client)) != 0) return false;
    if (f->local_address && strcmp(f->local_address, net_client_local_address(client)) != 0) return false;
    return client != f->skip;
}
