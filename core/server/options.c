#include "server/options.h"

#include "base/nearest.h"
#include "server/subcommand.h"
#include "tool/tool.h"

static const struct {
    const char *name;
    enum options_action action;
    const char *doc;
} actions[] = {
    {"help", ACTION_HELP, "Shows this."},
    {"version", ACTION_VERSION, "Shows the version."},
    {"check-config", ACTION_CHECK_CONFIG, "Reads the configuration, says whether it is valid, and ends."},
    {"ping", ACTION_PING, "Asks the node of this configuration for a PONG; exit code 0 if it answers (for health checks)."},
};

struct flag_value {
    enum setting id;
    const char *text;
};

static int unknown_flag(const char *flag, struct error *e)
{
    struct nearest n;
    nearest_begin(&n, bytes_text(flag));
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) nearest_offer(&n, actions[i].name);
    for (int i = 0; i < SETTINGS; i++) nearest_offer(&n, setting_table[i].flag);
    nearest_offer(&n, "config");
    nearest_offer(&n, "ready-file");
    nearest_offer(&n, "reference");
    if (n.best) return error_set(e, ERROR_CONFIG, "unknown flag --%.60s; did you mean --%s?", flag, n.best);
    return error_set(e, ERROR_CONFIG, "unknown flag --%.60s: aikv --help lists them", flag);
}

static bool is_boolean_word(const char *text)
{
    return text && (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0 || strcmp(text, "true") == 0 || strcmp(text, "false") == 0);
}

/* The flag's value: after '=', or the next argument; a boolean flag may stand alone. */
static const char *take_value(const char *inline_value, bool boolean, int *i, int argc, char **argv)
{
    if (inline_value) return inline_value;
    const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (boolean && !is_boolean_word(next)) return "yes";
    if (next) (*i)++;
    return next;
}

static int read_flag(const char *flag, const char *inline_value, int *i, int argc, char **argv, struct options *out,
                     struct flag_value *values, size_t *count, struct error *e)
{
    for (size_t a = 0; a < sizeof actions / sizeof *actions; a++)
        if (strcmp(flag, actions[a].name) == 0) {
            out->action = actions[a].action;
            return 0;
        }
    const char **path = strcmp(flag, "config") == 0       ? &out->config_file
                        : strcmp(flag, "ready-file") == 0 ? &out->ready_file
                        : strcmp(flag, "reference") == 0  ? &out->page
                                                          : NULL;
    int id = 0;
    while (!path && id < SETTINGS && strcmp(flag, setting_table[id].flag) != 0) id++;
    if (!path && id == SETTINGS) return unknown_flag(flag, e);
    const char *text = take_value(inline_value, !path && setting_table[id].type == TYPE_BOOLEAN, i, argc, argv);
    if (!text) return error_set(e, ERROR_CONFIG, "--%s needs a value", flag);
    if (path)
        *path = text;
    else
        values[(*count)++] = (struct flag_value){(enum setting)id, text};
    return 0;
}

int options_read(int argc, char **argv, struct options *out, struct config *config, struct error *e)
{
    struct flag_value values[128];
    size_t count = 0;
    int code;
    *out = (struct options){.action = ACTION_SERVE};
    config_init(config);
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "-h") == 0) arg = "--help";
        if (strcmp(arg, "-v") == 0) arg = "--version";
        if (strncmp(arg, "--", 2) != 0 || !arg[2])
            return error_set(e, ERROR_CONFIG, "unexpected argument '%.100s': a configuration file is given with --config", argv[i]);
        if (count == sizeof values / sizeof *values) return error_set(e, ERROR_CONFIG, "too many flags");
        char flag[64];
        const char *equals = strchr(arg, '=');
        size_t len = equals ? (size_t)(equals - arg) - 2 : strlen(arg + 2);
        if (len >= sizeof flag) return unknown_flag(arg + 2, e);
        memcpy(flag, arg + 2, len);
        flag[len] = 0;
        if ((code = read_flag(flag, equals ? equals + 1 : NULL, &i, argc, argv, out, values, &count, e))) return code;
    }
    if (out->page) out->action = ACTION_REFERENCE;
    if (out->action == ACTION_HELP || out->action == ACTION_VERSION || out->action == ACTION_REFERENCE) return 0;
    if (out->config_file && (code = config_read_file(config, out->config_file, e))) return code;
    if ((code = config_read_environment(config, e))) return code;
    for (size_t i = 0; i < count; i++)
        if ((code = config_set(config, values[i].id, values[i].text, "flag", e))) {
            error_prefix(e, "--%s: ", setting_table[values[i].id].flag);
            return code;
        }
    /* A health check need not know the cluster's secret. */
    return out->action == ACTION_PING ? 0 : config_finish(config, e);
}

void options_help(struct buffer *out)
{
    buffer_append_text(out, "aikv " AIKV_VERSION ": a Redis-compatible, clustered, durable key-value node\n\n"
                            "usage: aikv [--config FILE] [--FLAG VALUE]...\n"
                            "       aikv SUBCOMMAND [--FLAG]... OPERAND\n\n"
                            "With no configuration at all: one durable node on 127.0.0.1:6379, data in ./data.\n"
                            "A flag wins over the environment, that over the file, that over the default.\n\n"
                            "  --config FILE              Reads settings from a TOML file.\n"
                            "  --ready-file FILE          Writes the ports in use to FILE once clients are served.\n"
                            "  --reference PAGE           Writes a page of docs/reference: commands, configuration, errors, steps or view.\n");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) buffer_printf(out, "  --%-24s %s\n", actions[i].name, actions[i].doc);
    buffer_append_text(out, "\nSubcommands (aikv SUBCOMMAND --help tells more):\n");
    subcommand_help(out);
    tool_help(out);
    buffer_append_text(out, "\nSettings (flag, place in the file, default):\n");
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting_info *s = &setting_table[i];
        buffer_printf(out, "  --%-24s [%s] %s%s%s\n      %s\n", s->flag, s->section, s->key, *s->initial ? ", " : "", s->initial, s->doc);
    }
    buffer_append_text(out, "\nThe environment has the same as AIKV_<SECTION>_<KEY>; AIKV_NODE_ID is the alias, AIKV_CLUSTER_SECRET the secret.\n\n"
                            "Exit codes: 0 ended as asked, 1 internal error, 2 usage or configuration, 3 address in use,\n"
                            "4 data directory locked, 5 format, damage or foreign cluster, 6 permission, 7 disk full or failing.\n"
                            "Those of aikv script and aikv cluster: aikv script --help.\n");
}
