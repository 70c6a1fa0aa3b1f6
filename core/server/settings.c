/* CONFIG GET and SET on the table of settings. */
#include <math.h>
#include <stdio.h>

#include "base/cgroup.h"
#include "base/log.h"
#include "server/allocator.h"
#include "server/config_value.h"
#include "server/node.h"

void node_net_limits(const struct config *c, struct net_limits *out)
{
    net_limits_default(out);
    out->clients_max = (size_t)config_number(c, SETTING_MAXCLIENTS);
    out->idle_ms = (uint64_t)config_number(c, SETTING_TIMEOUT) * 1000;
    struct config_output_limits limits = {0};
    config_value_output_limits(config_text(c, SETTING_OUTPUT_LIMITS), &limits);
    out->normal = limits.normal;
    out->subscriber = limits.subscriber;
}

enum store_durability node_durability(const struct config *c)
{
    const char *text = config_text(c, SETTING_DURABILITY);
    return strcmp(text, "always") == 0 ? STORE_ALWAYS : strcmp(text, "everysec") == 0 ? STORE_EVERYSEC : STORE_NO;
}

size_t node_memory_max(const struct config *c)
{
    int64_t wanted = config_number(c, SETTING_MAXMEMORY);
    if (wanted) return (size_t)wanted;
    return (size_t)(node_memory_limit() / 4 * 3);
}

/* libuv 1.44 looks at the root of the groups only. */
uint64_t node_memory_limit(void)
{
    uint64_t limit = cgroup_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup"), total = uv_get_total_memory();
    return limit && limit < total ? limit : total;
}

static enum command_debug debug_allowed(const struct config *c)
{
    const char *text = config_text(c, SETTING_DEBUG_COMMAND);
    return strcmp(text, "yes") == 0 ? COMMAND_DEBUG_YES : strcmp(text, "local") == 0 ? COMMAND_DEBUG_LOCAL : COMMAND_DEBUG_NO;
}

static enum keyspace_order eviction_order(const char *policy)
{
    const char *by = strchr(policy, '-');
    if (!by) return KEYSPACE_LEAST_LATELY; /* nothing is evicted; OBJECT IDLETIME tells of it */
    if (strcmp(by, "-lru") == 0) return KEYSPACE_LEAST_LATELY;
    return strcmp(by, "-lfu") == 0 ? KEYSPACE_LEAST_OFTEN : strcmp(by, "-ttl") == 0 ? KEYSPACE_DUE_FIRST : KEYSPACE_ANY;
}

/* In microseconds. */
static uint64_t eviction_time(int64_t tenacity)
{
    if (tenacity == 100) return UINT64_MAX;
    return tenacity <= 10 ? 50 * (uint64_t)tenacity : (uint64_t)(500 * pow(1.15, (double)(tenacity - 10)));
}

static void tune_eviction(const struct config *c, struct command_tuning *out)
{
    const char *policy = config_text(c, SETTING_MAXMEMORY_POLICY);
    out->data_max = strcmp(policy, "noeviction") == 0 ? 0 : (uint64_t)config_number(c, SETTING_MAXMEMORY);
    out->eviction_us = eviction_time(config_number(c, SETTING_EVICTION_TENACITY));
    out->eviction = (struct keyspace_eviction){.order = eviction_order(policy),
                                               .expiring_only = strncmp(policy, "volatile-", 9) == 0,
                                               .samples = (unsigned)config_number(c, SETTING_MAXMEMORY_SAMPLES),
                                               .lfu_log_factor = (uint32_t)config_number(c, SETTING_LFU_LOG_FACTOR),
                                               .lfu_decay_min = (uint32_t)config_number(c, SETTING_LFU_DECAY_TIME)};
}

void node_tune(struct node *n)
{
    const struct config *c = n->config;
    struct command_tuning tuning = {.slowlog_us = config_number(c, SETTING_SLOWLOG_TIME),
                                    .slowlog_max = (size_t)config_number(c, SETTING_SLOWLOG_LEN),
                                    .latency_ms = (uint64_t)config_number(c, SETTING_LATENCY_THRESHOLD),
                                    .latency_tracking = config_flag(c, SETTING_LATENCY_TRACKING),
                                    .debug = debug_allowed(c),
                                    .stream_entries = (uint64_t)config_number(c, SETTING_STREAM_ENTRIES)};
    tuning.percentile_count = config_value_percentiles(config_text(c, SETTING_LATENCY_PERCENTILES), tuning.percentiles);
    tune_eviction(c, &tuning);
    command_engine_tune(n->engine, &tuning);
    keyspace_set_small(n->keyspace, &(struct keyspace_small){
        .hash_entries = (size_t)config_number(c, SETTING_HASH_ENTRIES),
        .hash_value = (size_t)config_number(c, SETTING_HASH_VALUE),
        .set_integers = (size_t)config_number(c, SETTING_SET_INTEGERS),
        .zset_entries = (size_t)config_number(c, SETTING_ZSET_ENTRIES),
        .zset_value = (size_t)config_number(c, SETTING_ZSET_VALUE),
    });
}

/* What Redis has settings for and here always is so: clients and tools look it up. NULL: see fixed_value(). */
static const struct {
    const char *name, *value;
    bool mutable_; /* in Redis: else it cannot be set to what it is either */
} fixed[] = {
    {"save", "", true},
    {"appendonly", "yes", true},
    {"maxmemory-clients", "0", true},
    {"proto-max-bulk-len", "536870912", true},
    {"client-query-buffer-limit", "1073741824", true},
    {"hll-sparse-max-bytes", "3000", true},
    {"lazyfree-lazy-eviction", "yes", true},
    {"lazyfree-lazy-expire", "yes", true},
    {"lazyfree-lazy-server-del", "yes", true},
    {"lazyfree-lazy-user-del", "yes", true},
    {"lazyfree-lazy-user-flush", "yes", true},
    {"activedefrag", "no", true},
    {"hz", "10", true},
    {"io-threads", "1", false},
    {"tcp-keepalive", "300", true},
    {"tcp-backlog", "511", false},
    {"tls-port", "0", true},
    {"unixsocket", "", false},
    {"daemonize", "no", false},
    {"protected-mode", NULL, true},
    {"enable-module-command", "no", false},
    {"cluster-require-full-coverage", "yes", true},
    {"cluster-allow-reads-when-down", "no", true},
};
#define FIXED (sizeof fixed / sizeof *fixed)

/* Other names of settings, from before Redis 7. */
static const struct {
    const char *name;
    enum setting id;
} aliases[] = {
    {"hash-max-ziplist-entries", SETTING_HASH_ENTRIES},
    {"hash-max-ziplist-value", SETTING_HASH_VALUE},
    {"zset-max-ziplist-entries", SETTING_ZSET_ENTRIES},
    {"zset-max-ziplist-value", SETTING_ZSET_VALUE},
};
#define ALIASES (sizeof aliases / sizeof *aliases)

/* As in Redis: without a password only loopback is served, unless the address to listen on was chosen. */
static bool protected_mode(void *user)
{
    struct node *n = user;
    return !*config_text(n->config, SETTING_REQUIREPASS) && strcmp(n->config->source[SETTING_HOST], "default") == 0;
}

static const char *fixed_value(struct node *n, size_t i)
{
    if (fixed[i].value) return fixed[i].value;
    return protected_mode(n) ? "yes" : "no";
}

static const char *shown(const struct node *n, int id)
{
    const char *text = n->config->value[id];
    if (id == SETTING_LOG_LEVEL) { /* Redis's names for these */
        if (strcmp(text, "info") == 0) return "notice";
        if (strcmp(text, "warn") == 0 || strcmp(text, "error") == 0) return "warning";
    }
    return text;
}

static void describe(const struct node *n, int id, const char *name, struct command_setting *out)
{
    *out = (struct command_setting){.name = name, .mutable_ = setting_table[id].can_set};
    if (id == SETTING_PORT)
        snprintf(out->value, sizeof out->value, "%u", n->port);
    else
        snprintf(out->value, sizeof out->value, "%s", shown(n, id));
}

/* Settings, then their other names, then what is fixed. */
static bool setting_at(void *user, size_t index, struct command_setting *out)
{
    struct node *n = user;
    for (int id = 0; id < SETTINGS; id++) {
        if (!setting_table[id].config_name || index-- > 0) continue;
        describe(n, id, setting_table[id].config_name, out);
        return true;
    }
    if (index < ALIASES) {
        describe(n, (int)aliases[index].id, aliases[index].name, out);
        return true;
    }
    index -= ALIASES;
    if (index >= FIXED) return false;
    *out = (struct command_setting){.name = fixed[index].name, .mutable_ = fixed[index].mutable_};
    snprintf(out->value, sizeof out->value, "%s", fixed_value(n, index));
    return true;
}

/* The setting that CONFIG SET may change under this name; SETTINGS: none. */
static int settable(const char *name)
{
    for (size_t i = 0; i < ALIASES; i++)
        if (strcasecmp(aliases[i].name, name) == 0) return (int)aliases[i].id;
    int id = 0;
    while (id < SETTINGS && (!setting_table[id].config_name || strcasecmp(setting_table[id].config_name, name) != 0)) id++;
    return id < SETTINGS && setting_table[id].can_set ? id : SETTINGS;
}

/* What is fixed may be set to what it is. */
static int set_fixed(struct node *n, const struct command_change *change, struct error *e)
{
    for (size_t i = 0; i < FIXED; i++) {
        if (strcasecmp(fixed[i].name, change->name) != 0) continue;
        const char *value = fixed_value(n, i);
        if (bytes_is(change->value, value)) return 0;
        return error_set(e, ERROR_CONFIG, "it is '%s' here, and cannot be changed", value);
    }
    return error_set(e, ERROR_CONFIG, "can't set immutable config");
}

static int set_one(struct node *n, struct config *c, const struct command_change *change, struct error *e)
{
    char text[CONFIG_VALUE_MAX];
    struct bytes value = change->value;
    int id = settable(change->name);
    if (id == SETTINGS) return set_fixed(n, change, e);
    if (value.len >= sizeof text || (value.len && memchr(value.data, 0, value.len)))
        return error_set(e, ERROR_CONFIG, "'%s' takes up to %d bytes of text", change->name, CONFIG_VALUE_MAX - 1);
    if (value.len) memcpy(text, value.data, value.len);
    text[value.len] = 0;
    return config_set(c, (enum setting)id, text, CONFIG_SOURCE_SET, e);
}

/* What the settings are for takes notice of them. */
static void apply(struct node *n)
{
    const struct config *c = n->config;
    struct net_limits limits;
    enum log_level level;
    node_net_limits(c, &limits);
    net_server_set_limits(n->server, &limits);
    node_tune(n);
    command_engine_set_notify(n->engine, config_text(c, SETTING_NOTIFY));
    store_set_durability(n->store, node_durability(c));
    store_set_memory_max(n->store, node_memory_max(c));
    if (log_parse_level(config_text(c, SETTING_LOG_LEVEL), &level)) log_set_level(level);
}

static int set_settings(void *user, const struct command_change *changes, size_t count, size_t *failed, struct error *e)
{
    struct node *n = user;
    static struct config changed; /* 30 KiB */
    changed = *n->config;
    for (size_t i = 0; i < count; i++) {
        int code = set_one(n, &changed, &changes[i], e);
        *failed = i;
        if (code) return code;
    }
    *n->config = changed;
    apply(n);
    return 0;
}

static int rewrite_settings(void *user, struct error *e)
{
    struct node *n = user;
    if (!n->config_file) return error_set(e, ERROR_CONFIG, "The server is running without a config file");
    int code = config_rewrite(n->config, n->config_file, e);
    if (code) error_prefix(e, "Rewriting config file: ");
    return code;
}

static const char *password(void *user)
{
    return config_text(((struct node *)user)->config, SETTING_REQUIREPASS);
}

static bool to_control(void *user, uint64_t token, int argc, const struct bytes *argv, int protocol)
{
    return control_call(((struct node *)user)->control, token, argc, argv, protocol);
}

static bool publish(void *user, struct bytes channel, struct bytes text)
{
    struct node *n = user;
    return n->control && control_publish(n->control, channel, text); /* without one the node is ending */
}

static void wake(void *user)
{
    uv_async_send(&((struct node *)user)->durable);
}

static void shut_down(void *user)
{
    node_stop(user, EXIT_OK);
}

void node_settings_host(struct node *n, struct command_host *host)
{
    *host = (struct command_host){
        .user = n,
        .setting = setting_at,
        .set_settings = set_settings,
        .rewrite_settings = rewrite_settings,
        .info = node_info,
        .memory = node_memory,
        .purge_memory = allocator_purge,
        .describe_allocator = allocator_describe,
        .password = password,
        .protected_mode = protected_mode,
        .control = config_flag(n->config, SETTING_CLUSTER_ENABLED) ? to_control : NULL,
        .publish = config_flag(n->config, SETTING_CLUSTER_ENABLED) ? publish : NULL,
        .publish_max = CONTROL_PUBLISH_MAX,
        .shutdown = shut_down,
        .wake = wake,
    };
}
