/* CONFIG: settings belong to the server; here they are found, shown and set. */
#include "command/call.h"
#include "command/engine.h"
#include "command/glob.h"

static bool setting_at(const struct command_call *c, size_t index, struct command_setting *out)
{
    const struct command_host *h = c->engine->host;
    return h->setting(h->user, index, out);
}

static bool setting_named(const struct command_call *c, struct bytes name, struct command_setting *out)
{
    for (size_t i = 0; setting_at(c, i, out); i++) {
        if (bytes_is(name, out->name)) return true;
    }
    return false;
}

/* ---- GET ---- */

/* The argument that asks for this setting, or NULL. */
static const struct bytes *asked_for(const struct command_call *c, const char *name)
{
    for (int i = 2; i < c->argc; i++) {
        bool fits = glob_is_pattern(c->argv[i]) ? glob_match(c->argv[i], bytes_text(name), true)
                                                : bytes_is(c->argv[i], name);
        if (fits) return &c->argv[i];
    }
    return NULL;
}

static void command_config_get(struct command_call *c)
{
    struct command_setting setting;
    struct resp_writer found = command_writer_aside(c);
    size_t n = 0;
    for (size_t i = 0; setting_at(c, i, &setting); i++) {
        const struct bytes *asked = asked_for(c, setting.name);
        if (!asked) continue;
        /* A name that was spelt out comes back as it was spelt. */
        resp_bulk(&found, glob_is_pattern(*asked) ? bytes_text(setting.name) : *asked);
        resp_bulk_text(&found, setting.value);
        n++;
    }
    resp_map(c->reply, n);
    command_reply_aside(c);
}

/* ---- SET ---- */

static void reply_failed(struct command_call *c, int i, const char *why)
{
    resp_error(c->reply, ERROR_CONFIG, "CONFIG SET failed (possibly related to argument '%s') - %s", command_text(c, i),
               why);
}

static bool is_repeated(const struct command_call *c, int i, const char *name)
{
    for (int j = 2; j < i; j += 2) {
        if (bytes_is(c->argv[j], name)) return true;
    }
    return false;
}

/* All names are looked at before anything is set. */
static bool check_names(struct command_call *c)
{
    struct command_setting setting;
    for (int i = 2; i < c->argc; i += 2) {
        if (!setting_named(c, c->argv[i], &setting)) {
            resp_error(c->reply, ERROR_CONFIG, "Unknown option or number of arguments for CONFIG SET - '%s'",
                       command_text(c, i));
            return false;
        }
        if (!setting.mutable_) {
            reply_failed(c, i, "can't set immutable config");
            return false;
        }
        if (is_repeated(c, i, setting.name)) {
            reply_failed(c, i, "duplicate parameter");
            return false;
        }
    }
    return true;
}

static void command_config_set(struct command_call *c)
{
    if (c->argc % 2) {
        command_reply_syntax_error(c);
        return;
    }
    if (!check_names(c)) return;
    const struct command_host *h = c->engine->host;
    size_t count = (size_t)(c->argc - 2) / 2, failed;
    struct command_change *changes = arena_alloc(c->arena, count * sizeof *changes);
    for (size_t i = 0; i < count; i++) {
        int at = 2 + 2 * (int)i;
        changes[i] = (struct command_change){.name = command_text(c, at), .value = c->argv[at + 1]};
    }
    struct error e;
    if (h->set_settings(h->user, changes, count, &failed, &e)) {
        reply_failed(c, 2 + 2 * (int)failed, e.text);
    } else {
        command_reply_ok(c);
    }
}

static bool set_is_secret(int argc, const struct bytes *argv, int i)
{
    (void)argc;
    return i >= 3 && i % 2 == 1 && bytes_is(argv[i - 1], "requirepass");
}

static void command_config_rewrite(struct command_call *c)
{
    const struct command_host *h = c->engine->host;
    struct error e;
    if (h->rewrite_settings(h->user, &e)) {
        resp_error_of(c->reply, &e);
    } else {
        command_reply_ok(c);
    }
}

static void command_config_resetstat(struct command_call *c)
{
    struct net_statistics net;
    net_server_statistics(c->engine->server, &net);
    command_counts_reset(&c->engine->statistics, &net, keyspace_expired_total(c->keyspace), keyspace_evicted_total(c->keyspace));
    command_evictions_reset(c->engine);
    command_reply_ok(c);
}

#define FLAGS (ADMIN | NOSCRIPT | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"GET", -3, FLAGS, NO_KEYS, 0, command_config_get,
     "The settings whose names match.",
     .syntax = "(parameter: parameter)...", .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided"},
    {"SET", -4, FLAGS, NO_KEYS, 0, command_config_set,
     "Changes settings, all or none.",
     .syntax = "(parameter_value: parameter value)...", .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .tips = "request_policy:all_nodes response_policy:all_succeeded", .is_secret = set_is_secret},
    {"RESETSTAT", 2, FLAGS, NO_KEYS, 0, command_config_resetstat,
     "Sets the counters of commands in INFO to zero.",
     .since = "2.0.0", .complexity = "O(1)"},
    {"REWRITE", 2, FLAGS, NO_KEYS, 0, command_config_rewrite,
     "Writes what CONFIG SET has changed into the configuration file; the rest of it stays as it is.",
     .since = "2.8.0", .complexity = "O(1)"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "5.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_config_rows[] = {
    {"CONFIG", -2, 0, NO_KEYS, 0, NULL,
     "Settings of the running node.",
     .since = "2.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
