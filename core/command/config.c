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
    struct resp_writer found = {.out = &c->engine->scratch, .protocol = c->reply->protocol};
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
    resp_raw(c->reply, buffer_bytes(found.out));
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

/* All or nothing: when one is refused, those set before it get their old values back. */
static void command_config_set(struct command_call *c)
{
    if (c->argc % 2) {
        command_reply_syntax_error(c);
        return;
    }
    if (!check_names(c)) return;
    const struct command_host *h = c->engine->host;
    struct command_setting *old = arena_alloc(c->arena, (size_t)(c->argc / 2) * sizeof *old);
    size_t done = 0;
    for (int i = 2; i < c->argc; i += 2, done++) {
        struct error e;
        setting_named(c, c->argv[i], &old[done]);
        if (!h->set_setting(h->user, old[done].name, c->argv[i + 1], &e)) continue;
        while (done--) h->set_setting(h->user, old[done].name, bytes_text(old[done].value), NULL);
        reply_failed(c, i, e.text);
        return;
    }
    command_reply_ok(c);
}

static void command_config_resetstat(struct command_call *c)
{
    command_counts_reset(&c->engine->statistics);
    command_reply_ok(c);
}

#define FLAGS (ADMIN | NOSCRIPT | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"GET", -3, FLAGS, NO_KEYS, 0, command_config_get,
     "The settings whose names match.",
     .syntax = "parameter [parameter ...]", .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided"},
    {"SET", -4, FLAGS, NO_KEYS, 0, command_config_set,
     "Changes settings, all or none.",
     .syntax = "parameter value [parameter value ...]", .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"RESETSTAT", 2, FLAGS, NO_KEYS, 0, command_config_resetstat,
     "Sets the counters of commands in INFO to zero.",
     .since = "2.0.0", .complexity = "O(1)"},
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
