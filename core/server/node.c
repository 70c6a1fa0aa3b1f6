#include "server/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "net/resolve.h"
#include "server/faults.h"

#define TICK_MS          100
#define STOP_LIMIT_MS    10000
#define FILES_RESERVED   128 /* descriptors that are not clients: store, bus, raft */

/* ---- what other threads tell the loop ---- */

static void store_moved(void *user)
{
    struct node *n = user;
    uv_async_send(&n->durable);
}

/* Says once when writes begin to be refused, and when they are taken again. */
static void tell_of_trouble(struct node *n)
{
    struct error e;
    bool refused = !store_writable(n->store, &e);
    if (refused == n->writes_refused) return;
    n->writes_refused = refused;
    if (!refused) {
        log_info("writes are taken again", "");
        return;
    }
    log_error("writes are refused; reads go on", "error=%s", log_quote(e.text));
    if (store_failed(n->store, NULL)) net_server_void_gates(n->server); /* what was not released never will be */
}

/* Clients are read again once the store has caught up. */
static void go_on_reading(struct node *n)
{
    if (!n->reading_paused || n->stopping_since_ms || store_pressure(n->store)) return;
    n->reading_paused = false;
    net_server_pause_reading(n->server, false);
}

static void on_durable(uv_async_t *handle)
{
    struct node *n = handle->data;
    if (!n->server) return;
    command_engine_flush(n->engine);
    tell_of_trouble(n);
    go_on_reading(n);
}

static void on_turn(uv_check_t *handle)
{
    struct node *n = handle->data;
    if (n->reading_paused || n->stopping_since_ms || !store_pressure(n->store)) return;
    n->reading_paused = true;
    net_server_pause_reading(n->server, true);
}

static void on_routing(void *user, struct cluster_routing *r)
{
    struct node *n = user;
    if (n->routing) cluster_routing_release(n->routing);
    n->routing = cluster_routing_retain(r);
    command_engine_set_routing(n->engine, r);
}

static void on_control_reply(void *user, uint64_t token, struct bytes reply)
{
    struct node *n = user;
    command_engine_control_reply(n->engine, token, reply);
}

static void on_published(void *user, struct bytes channel, struct bytes text)
{
    struct node *n = user;
    command_engine_published(n->engine, channel, text);
}

static void on_control_failed(void *user, int exit_code, const struct error *e)
{
    struct node *n = user;
    log_error("the control thread cannot go on: ending", "error=%s", log_quote(e->text));
    node_stop(n, exit_code);
}

static int save_identity(void *user, const struct control_identity *identity, struct error *e)
{
    struct node *n = user; /* on the control thread, which alone changes these once it runs */
    strcpy(n->identity.cluster_id, identity->cluster_id);
    n->identity.raft_id = identity->raft_id;
    n->identity.took_part = identity->took_part;
    n->identity.left_raft = identity->left;
    strcpy(n->identity.node_id, identity->node_id);
    return identity_save(&n->identity, e);
}

/* ---- upkeep and the end ---- */

static void close_handles(struct node *n)
{
    uv_close((uv_handle_t *)&n->tick, NULL);
    uv_close((uv_handle_t *)&n->sweep, NULL);
    uv_close((uv_handle_t *)&n->turn, NULL);
    /* The store may call until it is closed; and until then a second signal must not end the process at once. */
    uv_unref((uv_handle_t *)&n->durable);
    uv_unref((uv_handle_t *)&n->sigterm);
    uv_unref((uv_handle_t *)&n->sigint);
}

/* All that was accepted has its replies released, or never will. */
static void finish_stop(struct node *n)
{
    if (n->control) control_stop(n->control);
    n->control = NULL;
    mailbox_close(n->mailbox);
    net_server_close(n->server);
    n->server = NULL;
    close_handles(n);
}

static bool everything_released(const struct node *n)
{
    struct store_statistics s;
    store_statistics(n->store, &s);
    return store_position_compare(store_released(n->store), s.last) >= 0;
}

static void on_tick(uv_timer_t *timer)
{
    struct node *n = timer->data;
    if (n->stopping_since_ms) {
        bool overdue = clock_monotonic_ms() - n->stopping_since_ms > STOP_LIMIT_MS;
        store_flush(n->store); /* what became durable is let go of */
        if (overdue) log_warn("not all that was accepted became durable in time", "waited_ms=%d", STOP_LIMIT_MS);
        if (overdue || store_failed(n->store, NULL) || everything_released(n)) finish_stop(n);
        return;
    }
    command_engine_tick(n->engine);
    node_sample_memory(n);
    go_on_reading(n); /* its flush may have done what was missing */
    if (n->control) node_report_load(n);
}

static void on_sweep(uv_timer_t *timer)
{
    struct node *n = timer->data;
    uv_timer_start(timer, on_sweep, command_engine_sweep(n->engine), 0);
}

void node_stop(struct node *n, int exit_code)
{
    if (n->stopping_since_ms) return;
    n->stopping_since_ms = clock_monotonic_ms();
    n->exit_code = exit_code;
    net_server_pause_reading(n->server, true);
    uv_timer_stop(&n->sweep);
    store_flush(n->store);
    uv_timer_start(&n->tick, on_tick, 0, 10);
}

static void on_signal(uv_signal_t *handle, int signal)
{
    struct node *n = handle->data;
    log_info("ending: all that was accepted is made durable first", "signal=%s", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    node_stop(n, EXIT_OK);
}

/* ---- the start ---- */

/* As many files as the system allows; and no more clients than that leaves room for. */
static void raise_file_limit(struct config *c)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit)) getrlimit(RLIMIT_NOFILE, &limit);
    }
    int64_t room = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur - FILES_RESERVED;
    if (room < 1) room = 1;
    if (room >= config_number(c, SETTING_MAXCLIENTS)) return;
    log_warn("maxclients lowered: the system allows no more open files", "wanted=%s now=%lld", config_text(c, SETTING_MAXCLIENTS),
             (long long)room);
    snprintf(c->value[SETTING_MAXCLIENTS], CONFIG_VALUE_MAX, "%lld", (long long)room);
}

static void init_handles(struct node *n)
{
    uv_loop_init(&n->loop);
    uv_async_init(&n->loop, &n->durable, on_durable);
    uv_timer_init(&n->loop, &n->tick);
    uv_timer_init(&n->loop, &n->sweep);
    uv_check_init(&n->loop, &n->turn);
    uv_signal_init(&n->loop, &n->sigterm);
    uv_signal_init(&n->loop, &n->sigint);
    n->durable.data = n->tick.data = n->sweep.data = n->turn.data = n->sigterm.data = n->sigint.data = n;
    n->mailbox = mailbox_new(&n->loop, 4096 + CONTROL_MESSAGES_MAX, n);
}

static int open_data(struct node *n, struct error *e)
{
    uint64_t began_ms = clock_monotonic_ms();
    struct store_options options = {.dir = n->identity.dir, .on_durable = store_moved, .user = n, .expiry = keyspace_expiry, .sampled = keyspace_sampled,
                                    .durability = node_durability(n->config), .memory_max = node_memory_max(n->config),
                                    .expected = n->identity.has_data};
    struct store_report report;
    faults_opening(true);
    int code = store_open(&options, &n->store, &report, e);
    if (!code) code = keyspace_open(n->store, (unsigned)config_number(n->config, SETTING_DATABASES), &n->keyspace, e);
    faults_opening(false);
    if (code) return code;
    log_info("data opened",
             "dir=%s rows=%llu checkpoint=%llu sequence=%llu log_records=%llu log_bytes=%llu log_dropped_bytes=%llu changed_rows=%llu ms=%llu",
             log_quote(n->identity.dir), (unsigned long long)report.rows, (unsigned long long)report.checkpoint.sequence,
             (unsigned long long)report.position.sequence, (unsigned long long)report.records, (unsigned long long)report.bytes,
             (unsigned long long)report.dropped_bytes, (unsigned long long)report.changed_rows,
             (unsigned long long)(clock_monotonic_ms() - began_ms));
    if (n->identity.has_data) return 0;
    n->identity.has_data = true;
    return identity_save(&n->identity, e);
}

static int open_clients(struct node *n, struct error *e)
{
    struct command_options options = {.keyspace = n->keyspace,
                                      .databases = (unsigned)config_number(n->config, SETTING_DATABASES),
                                      .cluster_enabled = config_flag(n->config, SETTING_CLUSTER_ENABLED),
                                      .host = &n->host};
    node_settings_host(n, &n->host);
    n->engine = command_engine_new(&options);
    node_tune(n);
    command_engine_set_notify(n->engine, config_text(n->config, SETTING_NOTIFY));
    struct net_handler handler;
    struct net_limits limits;
    command_engine_handler(n->engine, &handler);
    node_net_limits(n->config, &limits);
    n->server = net_server_new(&n->loop, &handler, &limits);
    command_engine_set_server(n->engine, n->server, n->store);
    return net_server_listen(n->server, config_text(n->config, SETTING_HOST), (uint16_t)config_number(n->config, SETTING_PORT), &n->port, e);
}

static void describe_self(const struct node *n, struct cluster_node_info *info)
{
    const struct config *c = n->config;
    *info = (struct cluster_node_info){.alias = (uint32_t)config_number(c, SETTING_ALIAS),
                                       .bus_port = c->bus_port,
                                       .incarnation = n->identity.incarnation};
    strcpy(info->id, n->identity.node_id);
    snprintf(info->version, sizeof info->version, "%s", AIKV_VERSION);
    snprintf(info->bus_host, sizeof info->bus_host, "%s", c->bus_host);
    snprintf(info->zone, sizeof info->zone, "%.64s", config_text(c, SETTING_ZONE));
    snprintf(info->labels, sizeof info->labels, "%.256s", config_text(c, SETTING_LABELS));
    char host[256];
    if (gethostname(host, sizeof host)) snprintf(host, sizeof host, "unknown");
    snprintf(info->name, sizeof info->name, "%.64s", host);
    memcpy(info->endpoints, c->announce, sizeof c->announce);
    info->endpoint_count = c->announce_count;
    if (info->endpoint_count && strcmp(info->endpoints[info->endpoint_count - 1].match, "any") == 0) return;
    if (info->endpoint_count == CLUSTER_ENDPOINTS_MAX) info->endpoint_count--;
    struct cluster_endpoint *any = &info->endpoints[info->endpoint_count++];
    strcpy(any->match, "any");
    snprintf(any->host, sizeof any->host, "%.253s", config_wildcard_host(c) ? c->bus_host : config_text(c, SETTING_HOST));
    any->port = n->port;
}

static int open_control(struct node *n, struct error *e)
{
    const struct config *c = n->config;
    if (!config_flag(c, SETTING_CLUSTER_ENABLED)) return 0;
    struct control_options options = {
        .save_identity = save_identity,
        .data_dir = n->identity.dir,
        .bus_host = config_wildcard_host(c) ? config_text(c, SETTING_HOST) : c->bus_host,
        .bus_port = c->bus_port,
        .secret = bytes_text(c->secret),
        .bootstrap = config_flag(c, SETTING_BOOTSTRAP),
        .join = (const char(*)[280])c->join,
        .join_count = c->join_count,
        .data_mailbox = n->mailbox,
        .handler = {.user = n, .routing = on_routing, .reply = on_control_reply, .published = on_published, .failed = on_control_failed},
    };
    describe_self(n, &options.self);
    strcpy(options.identity.cluster_id, n->identity.cluster_id);
    options.identity.raft_id = n->identity.raft_id;
    options.identity.took_part = n->identity.took_part;
    options.identity.left = n->identity.left_raft;
    return control_start(&options, &n->control, &n->bus_port, e);
}

static int write_ready_file(const struct node *n, struct error *e)
{
    char temporary[1100], text[64];
    if (!n->ready_file) return 0;
    snprintf(temporary, sizeof temporary, "%.1000s.new", n->ready_file);
    int len = snprintf(text, sizeof text, "port=%u\nbus_port=%u\npid=%d\n", n->port, n->bus_port, (int)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, text, (size_t)len) == len;
    int problem = errno;
    if (fd >= 0) close(fd);
    if (!written || rename(temporary, n->ready_file))
        return error_system(e, ERROR_CONFIG, written ? errno : problem, "cannot write --ready-file '%.300s'", n->ready_file);
    return 0;
}

static void warn_of_settings(const struct node *n)
{
    const struct config *c = n->config;
    bool chosen = strcmp(c->source[SETTING_HOST], "default") != 0;
    if (!*config_text(c, SETTING_REQUIREPASS) && chosen && !net_host_is_loopback(config_text(c, SETTING_HOST)))
        log_warn("clients from any address are served without a password: set [server] requirepass, or see to it that only friends can connect",
                 "host=%s", config_text(c, SETTING_HOST));
}

/* Opens part by part; what was opened is closed by close_node. `exit_code`: for an error. */
static int open_node(struct node *n, int *exit_code, struct error *e)
{
    int code = identity_open(&n->identity, config_text(n->config, SETTING_DATA_DIR), e);
    if (!code) code = open_data(n, e);
    if (!code && (code = open_clients(n, e))) {
        *exit_code = code == ERROR_LOCKED ? EXIT_ADDRESS : exit_code_of(e);
        return code;
    }
    if (!code && (code = open_control(n, e))) {
        *exit_code = code == ERROR_LOCKED ? EXIT_ADDRESS : exit_code_of(e);
        return code;
    }
    if (!code) code = write_ready_file(n, e);
    if (code) *exit_code = exit_code_of(e);
    return code;
}

static void close_node(struct node *n)
{
    if (n->server) finish_stop(n);
    else if (!n->stopping_since_ms) { /* the start failed before there was a server */
        mailbox_close(n->mailbox);
        close_handles(n);
    }
    uv_run(&n->loop, UV_RUN_DEFAULT);
    if (n->engine) command_engine_free(n->engine);
    if (n->routing) cluster_routing_release(n->routing);
    if (n->keyspace) keyspace_close(n->keyspace);
    if (n->store) store_close(n->store);
    uv_close((uv_handle_t *)&n->durable, NULL);
    uv_close((uv_handle_t *)&n->sigterm, NULL);
    uv_close((uv_handle_t *)&n->sigint, NULL);
    uv_run(&n->loop, UV_RUN_DEFAULT);
    uv_loop_close(&n->loop);
    identity_close(&n->identity);
}

int node_run(struct node *n, struct config *config, const char *config_file, const char *ready_file)
{
    struct error e;
    *n = (struct node){.config = config, .config_file = config_file, .ready_file = ready_file, .started_ms = clock_monotonic_ms(),
                       .memory_limit = node_memory_limit()};
    n->identity.lock_fd = -1;
    random_hex(n->run_id, CLUSTER_ID_LEN);
    raise_file_limit(config);
    init_handles(n);
    if (open_node(n, &n->exit_code, &e)) {
        log_error("cannot start", "error=%s", log_quote(e.text));
        close_node(n);
        return n->exit_code;
    }
    warn_of_settings(n);
    node_sample_memory(n);
    uv_timer_start(&n->tick, on_tick, TICK_MS, TICK_MS);
    uv_timer_start(&n->sweep, on_sweep, TICK_MS, 0);
    uv_check_start(&n->turn, on_turn);
    uv_signal_start(&n->sigterm, on_signal, SIGTERM);
    uv_signal_start(&n->sigint, on_signal, SIGINT);
    log_info("ready", "version=%s node=%s host=%s port=%u cluster=%s", AIKV_VERSION, n->identity.node_id, config_text(config, SETTING_HOST),
             n->port, n->control ? "yes" : "no");
    uv_run(&n->loop, UV_RUN_DEFAULT);
    if (n->exit_code == EXIT_OK && store_failed(n->store, &e)) n->exit_code = exit_code_of(&e); /* what was accepted may be lost */
    close_node(n);
    log_info("ended", "exit_code=%d", n->exit_code);
    return n->exit_code;
}
