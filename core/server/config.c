#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/number.h"
#include "command/command.h"
#include "net/resolve.h"
#include "server/config_value.h"
#include "server/toml.h"

/* Whoever connects gets a MAC to guess the secret against: a short one would be found. */
#define SECRET_MIN 16

const struct setting_info setting_table[SETTINGS] = {
#define SETTING(id, section, key, type, flag, config, can_set, initial, doc)                                                                  \
    [SETTING_##id] = {section, key, TYPE_##type, flag, config, can_set, initial, doc},
#include "server/config.def"
#undef SETTING
};

void config_init(struct config *c)
{
    *c = (struct config){0};
    for (int i = 0; i < SETTINGS; i++) {
        snprintf(c->value[i], CONFIG_VALUE_MAX, "%s", setting_table[i].initial);
        c->source[i] = "default";
    }
}

/* Settings that take not all numbers of their type. */
static const struct {
    enum setting id;
    int64_t min, max;
} ranges[] = {
    {SETTING_DATABASES, 1, 1024},
    {SETTING_MAXCLIENTS, 1, INT32_MAX},
    {SETTING_MAXMEMORY_SAMPLES, 1, KEYSPACE_SAMPLES_MAX},
    {SETTING_EVICTION_TENACITY, 0, 100},
};

static int check_range(enum setting id, const char *number, struct error *e)
{
    const struct setting_info *info = &setting_table[id];
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        int64_t n = atoll(number), min = ranges[i].min, max = ranges[i].max;
        if (ranges[i].id == id && (n < min || n > max))
            return error_set(e, ERROR_CONFIG, "[%s] %s takes %" PRId64 " to %" PRId64 ", not '%s'", info->section, info->key, min, max, number);
    }
    return 0;
}

int config_set(struct config *c, enum setting id, const char *text, const char *source, struct error *e)
{
    const struct setting_info *info = &setting_table[id];
    char canonical[CONFIG_VALUE_MAX];
    strcpy(canonical, c->value[id]);
    if (!config_value_canonical(info->type, text, canonical))
        return error_set(e, ERROR_CONFIG, "[%s] %s takes %s, not '%.100s'", info->section, info->key, config_value_takes(info->type), text);
    int code = check_range(id, canonical, e);
    if (code) return code;
    if ((id == SETTING_HOST || id == SETTING_DATA_DIR) && !*canonical)
        return error_set(e, ERROR_CONFIG, "[%s] %s must not be empty", info->section, info->key);
    memcpy(c->value[id], canonical, sizeof canonical);
    c->source[id] = source;
    return 0;
}

/* ---- the file ---- */

static int announce_value(struct config *c, int index, const char *key, const char *text, const char *path, int line, struct error *e)
{
    if (index >= CLUSTER_ENDPOINTS_MAX)
        return error_set(e, ERROR_CONFIG, "%s:%d: at most %d [[cluster.announce]] rules", path, line, CLUSTER_ENDPOINTS_MAX);
    struct cluster_endpoint *rule = &c->announce[index];
    if ((uint32_t)index >= c->announce_count) c->announce_count = (uint32_t)index + 1;
    char port[CONFIG_VALUE_MAX];
    if (strcmp(key, "match") == 0) {
        if ((strcmp(text, "any") != 0 && strcmp(text, "gateway") != 0 && !net_cidr_valid(text)) || strlen(text) >= sizeof rule->match)
            return error_set(e, ERROR_CONFIG, "%s:%d: [[cluster.announce]] match takes \"any\", \"gateway\" or a CIDR, not '%.60s'", path,
                             line, text);
        snprintf(rule->match, sizeof rule->match, "%s", text);
    } else if (strcmp(key, "host") == 0) {
        if (!*text || strlen(text) >= sizeof rule->host || strpbrk(text, " \t,@"))
            return error_set(e, ERROR_CONFIG, "%s:%d: [[cluster.announce]] host takes a name or an address", path, line);
        snprintf(rule->host, sizeof rule->host, "%s", text);
    } else if (strcmp(key, "port") == 0) {
        if (!config_value_canonical(TYPE_PORT, text, port) || atoi(port) == 0)
            return error_set(e, ERROR_CONFIG, "%s:%d: [[cluster.announce]] port takes a port, not '%.60s'", path, line, text);
        rule->port = (uint16_t)atoi(port);
    } else {
        return error_set(e, ERROR_CONFIG, "%s:%d: unknown key '%.60s' in [[cluster.announce]]: it has match, host and port", path, line, key);
    }
    return 0;
}

static int unknown_key(const char *section, const char *key, const char *path, int line, struct error *e)
{
    struct nearest n;
    bool section_known = false;
    for (int i = 0; i < SETTINGS; i++) section_known |= strcmp(setting_table[i].section, section) == 0;
    if (!section_known) {
        nearest_begin(&n, bytes_text(section));
        for (int i = 0; i < SETTINGS; i++) nearest_offer(&n, setting_table[i].section);
        if (!*section) return error_set(e, ERROR_CONFIG, "%s:%d: '%.60s' stands before any [section]", path, line, key);
        if (n.best) return error_set(e, ERROR_CONFIG, "%s:%d: unknown section [%.60s]; did you mean [%s]?", path, line, section, n.best);
        return error_set(e, ERROR_CONFIG, "%s:%d: unknown section [%.60s]", path, line, section);
    }
    nearest_begin(&n, bytes_text(key));
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(setting_table[i].section, section) == 0) nearest_offer(&n, setting_table[i].key);
    if (n.best) return error_set(e, ERROR_CONFIG, "%s:%d: unknown key '%.60s' in [%s]; did you mean '%s'?", path, line, key, section, n.best);
    return error_set(e, ERROR_CONFIG, "%s:%d: unknown key '%.60s' in [%s]", path, line, key, section);
}

static bool kind_fits(enum setting_type type, enum toml_kind kind)
{
    switch (type) {
    case TYPE_PORT:
    case TYPE_COUNT:
    case TYPE_LARGE_COUNT:
    case TYPE_INTEGER: return kind == TOML_INTEGER;
    case TYPE_BOOLEAN: return kind == TOML_BOOLEAN;
    case TYPE_SIZE:
    case TYPE_ALIAS: return kind == TOML_INTEGER || kind == TOML_STRING;
    case TYPE_LIST: return kind == TOML_LIST || kind == TOML_STRING;
    default: return kind == TOML_STRING;
    }
}

struct file_reading {
    struct config *config;
    const char *path;
};

static int file_value(void *user, const char *section, int index, const char *key, enum toml_kind kind, const char *text, int line,
                      struct error *e)
{
    struct file_reading *r = user;
    bool announce = strcmp(section, "cluster.announce") == 0;
    if (announce != (index >= 0))
        return error_set(e, ERROR_CONFIG, "%s:%d: %s", r->path, line,
                         announce ? "each rule is written [[cluster.announce]], with two brackets" : "only [[cluster.announce]] has two brackets");
    if (announce) return announce_value(r->config, index, key, text, r->path, line, e);
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(setting_table[i].section, section) != 0 || strcmp(setting_table[i].key, key) != 0) continue;
        if (!kind_fits(setting_table[i].type, kind))
            return error_set(e, ERROR_CONFIG, "%s:%d: [%s] %s takes %s; '%.60s' is of the wrong type", r->path, line, section, key,
                             setting_table[i].type == TYPE_BOOLEAN ? "true or false, without quotes" : config_value_takes(setting_table[i].type), text);
        int code = config_set(r->config, (enum setting)i, text, "file", e);
        if (code) error_prefix(e, "%s:%d: ", r->path, line);
        return code;
    }
    return unknown_key(section, key, r->path, line, e);
}

int config_read_file(struct config *c, const char *path, struct error *e)
{
    struct file_reading r = {c, path};
    int code = toml_read(path, file_value, &r, e);
    if (code) return code;
    for (uint32_t i = 0; i < c->announce_count; i++)
        if (!c->announce[i].match[0] || !c->announce[i].host[0] || !c->announce[i].port)
            return error_set(e, ERROR_CONFIG, "%s: [[cluster.announce]] rule %u needs match, host and port", path, i + 1);
    return 0;
}

/* ---- the environment ---- */

#define ENVIRONMENT_NAME_MAX 80

static void environment_name(enum setting id, char out[ENVIRONMENT_NAME_MAX])
{
    if (id == SETTING_ALIAS) {
        strcpy(out, "AIKV_NODE_ID");
        return;
    }
    int len = snprintf(out, ENVIRONMENT_NAME_MAX, "AIKV_%s_%s", setting_table[id].section, setting_table[id].key);
    for (int i = 0; i < len; i++) out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

/* Whether a name begins as those of our sections do: then it must be one. Others may be somebody else's. */
static bool in_our_sections(const char *name)
{
    for (int i = 0; i < SETTINGS; i++) {
        size_t len = strlen(setting_table[i].section);
        if (strncmp(name, "AIKV_", 5) == 0 && strncasecmp(name + 5, setting_table[i].section, len) == 0 && name[5 + len] == '_') return true;
    }
    return false;
}

static int check_names(struct error *e)
{
    for (char **entry = environ; *entry; entry++) {
        size_t len = strcspn(*entry, "=");
        if (!in_our_sections(*entry) || strncmp(*entry, "AIKV_CLUSTER_SECRET=", 20) == 0) continue;
        char names[SETTINGS][ENVIRONMENT_NAME_MAX];
        struct nearest n;
        bool known = false;
        nearest_begin(&n, bytes_of(*entry, len));
        for (int i = 0; i < SETTINGS; i++) {
            environment_name((enum setting)i, names[i]);
            nearest_offer(&n, names[i]);
            known |= strlen(names[i]) == len && strncmp(names[i], *entry, len) == 0;
        }
        if (known) continue;
        if (n.best) return error_set(e, ERROR_CONFIG, "environment: unknown name %.*s; did you mean %s?", (int)len, *entry, n.best);
        return error_set(e, ERROR_CONFIG, "environment: unknown name %.*s", (int)len, *entry);
    }
    return 0;
}

int config_read_environment(struct config *c, struct error *e)
{
    int code = check_names(e);
    for (int i = 0; i < SETTINGS && !code; i++) {
        char name[ENVIRONMENT_NAME_MAX];
        environment_name((enum setting)i, name);
        const char *text = getenv(name);
        if (text && (code = config_set(c, (enum setting)i, text, "environment", e))) error_prefix(e, "environment, %s: ", name);
    }
    return code;
}

/* ---- what must hold together ---- */

static int read_secret(struct config *c, struct error *e)
{
    const char *secret = getenv("AIKV_CLUSTER_SECRET");
    const char *path = config_text(c, SETTING_SECRET_FILE);
    if (!*path) {
        if (!secret) return 0;
        if (strlen(secret) < SECRET_MIN || strlen(secret) >= sizeof c->secret)
            return error_set(e, ERROR_CONFIG, "AIKV_CLUSTER_SECRET must hold %d to %zu bytes", SECRET_MIN, sizeof c->secret - 1);
        strcpy(c->secret, secret);
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_system(e, ERROR_CONFIG, errno, "cannot read [cluster] secret_file '%.200s'", path);
    ssize_t n = read(fd, c->secret, sizeof c->secret - 1);
    int problem = errno;
    close(fd);
    if (n < 0) return error_system(e, ERROR_CONFIG, problem, "cannot read [cluster] secret_file '%.200s'", path);
    while (n > 0 && isspace((unsigned char)c->secret[n - 1])) n--;
    c->secret[n] = 0;
    if (strlen(c->secret) < SECRET_MIN)
        return error_set(e, ERROR_CONFIG, "[cluster] secret_file '%.200s' must hold a secret of %d to %zu bytes", path, SECRET_MIN,
                         sizeof c->secret - 1);
    return 0;
}

static int read_join(struct config *c, struct error *e)
{
    char text[CONFIG_VALUE_MAX];
    strcpy(text, config_text(c, SETTING_JOIN));
    c->join_count = 0;
    char *rest = text, *item;
    while ((item = strsep(&rest, ","))) {
        while (isspace((unsigned char)*item)) item++;
        if (!*item) continue;
        char host[254];
        uint16_t port;
        if (c->join_count == CONFIG_JOIN_MAX) return error_set(e, ERROR_CONFIG, "[cluster] join takes at most %d addresses", CONFIG_JOIN_MAX);
        if (net_split_address(item, host, sizeof host, &port, e)) {
            error_prefix(e, "[cluster] join: ");
            return e->code = ERROR_CONFIG;
        }
        snprintf(c->join[c->join_count++], sizeof c->join[0], "%s", item);
    }
    return 0;
}

bool config_wildcard_host(const struct config *c)
{
    const char *host = config_text(c, SETTING_HOST);
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || strcmp(host, "*") == 0;
}

static int read_raft_address(struct config *c, struct error *e)
{
    const char *address = config_text(c, SETTING_RAFT_ADDRESS);
    if (*address) {
        if (net_split_address(address, c->bus_host, sizeof c->bus_host, &c->bus_port, e)) {
            error_prefix(e, "[cluster] raft_address: ");
            return e->code = ERROR_CONFIG;
        }
        if (c->bus_port == 0) return error_set(e, ERROR_CONFIG, "[cluster] raft_address: other nodes cannot reach port 0");
        return 0;
    }
    int64_t port = config_number(c, SETTING_PORT);
    if (config_wildcard_host(c))
        return error_set(e, ERROR_CONFIG, "[cluster] raft_address is needed when host is %s: other nodes cannot reach that",
                         config_text(c, SETTING_HOST));
    if (port + 10000 > 65535)
        return error_set(e, ERROR_CONFIG, "[cluster] raft_address is needed: port %d + 10000 is no port", (int)port);
    snprintf(c->bus_host, sizeof c->bus_host, "%.253s", config_text(c, SETTING_HOST));
    c->bus_port = port ? (uint16_t)(port + 10000) : 0;
    return 0;
}

int config_finish(struct config *c, struct error *e)
{
    int code;
    if (!config_flag(c, SETTING_CLUSTER_ENABLED)) {
        if (config_flag(c, SETTING_BOOTSTRAP) || *config_text(c, SETTING_JOIN))
            return error_set(e, ERROR_CONFIG, "[cluster] is_bootstrap and join need enabled = true");
        return 0;
    }
    if ((code = read_secret(c, e)) || (code = read_join(c, e)) || (code = read_raft_address(c, e))) return code;
    bool loopback = !config_wildcard_host(c) && net_host_is_loopback(c->bus_host);
    if (!c->secret[0] && !loopback)
        return error_set(e, ERROR_CONFIG,
                         "the bus address %s:%u is not loopback, so the cluster needs a secret: set AIKV_CLUSTER_SECRET or [cluster] secret_file "
                         "(deploy/start.sh makes one)",
                         c->bus_host, c->bus_port);
    return 0;
}

/* ---- reading values ---- */

const char *config_text(const struct config *c, enum setting id)
{
    return c->value[id];
}

int64_t config_number(const struct config *c, enum setting id)
{
    int64_t n = 0;
    if (c->value[id][0]) number_parse_integer(bytes_text(c->value[id]), &n);
    return n;
}

bool config_flag(const struct config *c, enum setting id)
{
    return strcmp(c->value[id], "yes") == 0;
}

void config_reference(struct buffer *out)
{
    buffer_append_text(out, "# Configuration\n\nMade by `aikv --reference configuration` from `core/server/config.def`. A flag wins over the environment, that over the "
                            "file, that over the default.\n\n| TOML | default | flag | environment | CONFIG | what |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting_info *s = &setting_table[i];
        char name[ENVIRONMENT_NAME_MAX];
        environment_name((enum setting)i, name);
        buffer_printf(out, "| `[%s] %s` | %s%s%s | ", s->section, s->key, *s->initial ? "`" : "", *s->initial ? s->initial : "none",
                      *s->initial ? "`" : "");
        if (s->flag) buffer_printf(out, "`--%s`", s->flag);
        buffer_printf(out, " | `%s` | ", name);
        if (s->config_name) buffer_printf(out, "`%s`%s", s->config_name, s->can_set ? "" : " (read only)");
        buffer_printf(out, " | %s |\n", s->doc);
    }
    buffer_append_text(out, "\n`[[cluster.announce]]` tables have `match` (`\"any\"`, `\"gateway\"`: the default gateway, which is where published container "
                            "ports seem to come from, or a CIDR), `host` and `port`: the first rule that fits a client's address says what that client is "
                            "told about this node.\n");
}
