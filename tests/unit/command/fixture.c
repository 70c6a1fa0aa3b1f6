#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/engine.h"
#include "keyspace/string.h"
#include "store/store_state.h"

#define PATIENCE_MS  10000
#define SEGMENT_SIZE (1u << 20) /* the log makes several ahead, at each start */

/* ---- the host ---- */

static bool host_setting(void *user, size_t index, struct command_setting *out)
{
    struct node *n = user;
    static const char *const names[] = {"maxclients", "timeout", "databases"};
    if (index >= 3) return false;
    *out = (struct command_setting){.name = names[index], .mutable_ = index < 2};
    snprintf(out->value, sizeof out->value, "%s", index < 2 ? n->settings[index] : "16");
    return true;
}

static int host_set_settings(void *user, const struct command_change *changes, size_t count, size_t *failed, struct error *e)
{
    struct node *n = user;
    for (*failed = 0; *failed < count; ++*failed) {
        struct bytes value = changes[*failed].value;
        if (value.len == 0 || value.data[0] < '0' || value.data[0] > '9') {
            return error_set(e, ERROR_CONFIG, "argument couldn't be parsed into an integer");
        }
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(n->settings[strcasecmp(changes[i].name, "timeout") == 0], sizeof n->settings[0], "%.*s", (int)changes[i].value.len,
                 (const char *)changes[i].value.data);
    }
    return 0;
}

static int host_rewrite_settings(void *user, struct error *e)
{
    (void)user;
    return error_set(e, ERROR_CONFIG, "The server is running without a config file");
}

static void host_info(void *user, const char *section, struct buffer *out)
{
    (void)user;
    if (strcmp(section, "server") == 0) buffer_append_text(out, "redis_version:" COMMAND_REDIS_VERSION "\r\n");
}

static void host_memory(void *user, struct command_memory *out)
{
    *out = ((struct node *)user)->memory;
}

static bool host_purge_memory(void)
{
    return true;
}

static bool host_describe_allocator(struct buffer *out)
{
    return buffer_append_text(out, "allocator\n");
}

static const char *host_password(void *user)
{
    return ((struct node *)user)->password;
}

static bool host_protected_mode(void *user)
{
    return ((struct node *)user)->protected_mode;
}

static bool host_control(void *user, uint64_t token, int argc, const struct bytes *argv, int protocol)
{
    struct node *n = user;
    if (n->control.refuses) return false;
    n->control.calls++;
    n->control.token = token;
    n->control.argc = argc;
    n->control.protocol = protocol;
    size_t used = 0;
    for (int i = 0; i < argc; i++) {
        used += (size_t)snprintf(n->control.line + used, sizeof n->control.line - used, "%s%.*s", i ? " " : "",
                                 (int)argv[i].len, (const char *)argv[i].data);
        if (used >= sizeof n->control.line) break;
    }
    return true;
}

static bool host_publish(void *user, struct bytes channel, struct bytes text)
{
    struct node *n = user;
    if (n->forwarded.refuses) return false;
    n->forwarded.count++;
    snprintf(n->forwarded.last, sizeof n->forwarded.last, "%.*s: %.*s", (int)channel.len, (const char *)channel.data, (int)text.len,
             (const char *)text.data);
    return true;
}

static void host_shutdown(void *user)
{
    ((struct node *)user)->shut_down = true;
}

/* ---- the disk ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const char *held;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void node_hold_reads(const char *suffix)
{
    pthread_mutex_lock(&disk.lock);
    disk.held = suffix;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

static bool is_held(struct bytes key)
{
    if (!disk.held) return false;
    size_t len = strlen(disk.held);
    return len <= key.len && memcmp(key.data + key.len - len, disk.held, len) == 0;
}

/* Rows that were read since node_watch_reads(). */
#define WATCHED_MAX 4096
static struct watched {
    struct watched_row {
        uint8_t name[64];
        size_t len;
        bool by_threads, alone, alone_first;
    } rows[WATCHED_MAX];
    size_t count;
} watched;

static void watch(struct bytes key, bool alone)
{
    struct bytes name = bytes_of(key.data, key.len < sizeof watched.rows[0].name ? key.len : sizeof watched.rows[0].name);
    size_t i = 0;
    while (i < watched.count && !bytes_equal(bytes_of(watched.rows[i].name, watched.rows[i].len), name)) i++;
    if (i == WATCHED_MAX) return;
    struct watched_row *row = &watched.rows[i];
    if (i == watched.count) {
        *row = (struct watched_row){.len = name.len};
        memcpy(row->name, name.data, name.len);
        watched.count++;
    }
    row->by_threads |= !alone;
    row->alone |= alone;
    row->alone_first |= alone && !row->by_threads;
}

static void reading(struct bytes key)
{
    pthread_mutex_lock(&disk.lock);
    watch(key, false);
    while (is_held(key)) pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
}

static void reading_alone(struct bytes key)
{
    pthread_mutex_lock(&disk.lock);
    watch(key, true);
    pthread_mutex_unlock(&disk.lock);
}

void node_watch_reads(void)
{
    pthread_mutex_lock(&disk.lock);
    watched.count = 0;
    pthread_mutex_unlock(&disk.lock);
}

/* How many of the rows that were watched are such. */
static size_t count_watched(bool (*is_such)(const struct watched_row *row))
{
    size_t n = 0;
    pthread_mutex_lock(&disk.lock);
    for (size_t i = 0; i < watched.count; i++) n += is_such(&watched.rows[i]);
    pthread_mutex_unlock(&disk.lock);
    return n;
}

static bool is_read_alone(const struct watched_row *row)
{
    return row->alone_first;
}

static bool is_read_in_vain(const struct watched_row *row)
{
    return !row->alone;
}

size_t node_reads_alone(void)
{
    return count_watched(is_read_alone);
}

size_t node_reads_in_vain(void)
{
    return count_watched(is_read_in_vain);
}

static uint64_t faults(void)
{
    static _Thread_local uint64_t count;
    return ++count;
}

unsigned node_waiting_reads(struct node *n)
{
    struct store_statistics s;
    store_statistics(n->store, &s);
    return (unsigned)s.cold_waiting;
}

static void wake_nobody(void *user)
{
    (void)user;
}

/* Makes a store with keys in the node's directory. */
static void fill(struct node *n)
{
    char store_dir[300], text[16];
    snprintf(store_dir, sizeof store_dir, "%s/store", n->dir);
    struct store_options options = {.dir = store_dir, .on_durable = wake_nobody};
    struct store_calls calls = {.segment_size = SEGMENT_SIZE};
    struct store *store;
    struct keyspace *keyspace;
    struct error e;
    if (store_open_with(&options, &calls, &store, NULL, &e)) fail_msg("%s", e.text);
    if (keyspace_open(store, 16, &keyspace, &e)) fail_msg("%s", e.text);
    keyspace_begin(keyspace, 0, 0);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "k:%u", i);
        keyspace_string_put(keyspace, bytes_text(text), bytes_text(text + 2), KEYSPACE_NO_EXPIRY);
    }
    keyspace_end(keyspace);
    keyspace_close(keyspace);
    store_close(store);
}

/* ---- the node ---- */

static void on_durable(void *user)
{
    uv_async_send(&((struct node *)user)->durable);
}

static void release(struct node *n)
{
    net_server_release(n->server, store_released(n->store).sequence);
}

void node_await_clients(struct node *n, unsigned wanted)
{
    struct net_statistics s;
    for (int i = 0; i < 1000; i++) {
        net_server_statistics(n->server, &s);
        if (s.clients == wanted) return;
        node_turn(n);
    }
    fail_msg("%llu clients, not %u", (unsigned long long)s.clients, wanted);
}

void node_release(struct node *n)
{
    n->gates_held = false;
    release(n);
}

static void woken(uv_async_t *handle)
{
    struct node *n = handle->data;
    if (!n->server) return;
    if (n->gates_held)
        store_flush(n->store); /* there may be room in the log only now */
    else
        command_engine_flush(n->engine);
}

static struct node *started;
static void (*engine_turn_end)(void *user);

/* The flush may make durable what is to be held. */
static void turn_end(void *user)
{
    if (!started->gates_held) {
        engine_turn_end(user);
        return;
    }
    pubsub_gate(started->engine);
    forward_gate(started->engine);
    store_flush(started->store);
}

static void start(struct node *n, bool cluster)
{
    static struct command_host host = {.setting = host_setting,
                                       .set_settings = host_set_settings,
                                       .rewrite_settings = host_rewrite_settings,
                                       .info = host_info,
                                       .memory = host_memory,
                                       .purge_memory = host_purge_memory,
                                       .describe_allocator = host_describe_allocator,
                                       .password = host_password,
                                       .protected_mode = host_protected_mode,
                                       .control = host_control,
                                       .publish_max = 100,
                                       .shutdown = host_shutdown};
    host.user = n;
    host.publish = cluster ? host_publish : NULL;
    struct error e;
    char store_dir[300];
    snprintf(store_dir, sizeof store_dir, "%s/store", n->dir);
    struct store_options stored = {
        .dir = store_dir, .dirty_max = 16 << 20, .on_durable = on_durable, .user = n, .expiry = keyspace_expiry, .sampled = keyspace_sampled, .memory_max = n->cold ? 1 : 0};
    static const struct cold_calls cold = {.reading = reading, .reading_alone = reading_alone, .faults = faults};
    struct store_calls calls = {.segment_size = SEGMENT_SIZE, .cold = n->cold ? &cold : NULL};
    struct store_report report;
    uv_loop_init(&n->loop);
    n->durable.data = n;
    uv_async_init(&n->loop, &n->durable, woken);
    if (store_open_with(&stored, &calls, &n->store, &report, &e)) fail_msg("%s", e.text);
    if (keyspace_open(n->store, 16, &n->keyspace, &e)) fail_msg("%s", e.text);
    struct command_options options = {
        .keyspace = n->keyspace, .databases = 16, .cluster_enabled = cluster, .host = &host};
    n->engine = command_engine_new(&options);
    struct net_handler handler;
    struct net_limits limits;
    command_engine_handler(n->engine, &handler);
    started = n;
    engine_turn_end = handler.turn_end;
    handler.turn_end = turn_end;
    net_limits_default(&limits);
    n->server = net_server_new(&n->loop, &handler, &limits);
    command_engine_set_server(n->engine, n->server, n->store);
    if (net_server_listen(n->server, "0.0.0.0", 0, &n->port, &e)) fail_msg("%s", e.text);
}

static int setup(void **state, bool cluster, bool cold)
{
    struct node *n = calloc(1, sizeof *n);
    if (!n) return -1;
    files_make(n->dir, "command");
    snprintf(n->settings[0], sizeof n->settings[0], "10000");
    snprintf(n->settings[1], sizeof n->settings[1], "0");
    *state = n;
    n->cold = cold;
    if (cold) fill(n);
    start(n, cluster);
    return 0;
}

int node_setup(void **state)
{
    return setup(state, false, false);
}

int node_setup_cluster(void **state)
{
    return setup(state, true, false);
}

int node_setup_cold(void **state)
{
    return setup(state, false, true);
}

/* Whether the loop was left with nothing in it. */
static bool stop(struct node *n)
{
    struct net_server *server = n->server;
    node_hold_reads(NULL);
    n->server = NULL;
    net_server_close(server);
    uv_close((uv_handle_t *)&n->durable, NULL);
    while (uv_run(&n->loop, UV_RUN_DEFAULT)) {}
    keyspace_close(n->keyspace);
    store_close(n->store);
    command_engine_free(n->engine);
    return uv_loop_close(&n->loop) == 0;
}

int node_teardown(void **state)
{
    struct node *n = *state;
    bool ended = stop(n);
    files_remove(n->dir);
    free(n);
    return ended ? 0 : -1;
}

void node_restart_cold(struct node *n)
{
    assert_true(stop(n));
    n->cold = true;
    start(n, false);
}

void node_turn(struct node *n)
{
    for (int i = 0; i < 20; i++) {
        uv_run(&n->loop, UV_RUN_NOWAIT);
        usleep(500);
    }
}

/* ---- clients ---- */

int client_connect(struct node *n, const char *host)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(n->port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void client_close(int client)
{
    close(client);
}

void client_send(int client, const char *bytes)
{
    size_t len = strlen(bytes);
    assert_int_equal(send(client, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* The length of the whole reply at the beginning of `text`; 0: not whole yet. */
static size_t reply_length(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);
    if (!end) return 0;
    size_t at = (size_t)(end - text) + 1;
    long count = atol(text + 1);
    if (strchr("$=", text[0])) {
        size_t whole = count < 0 ? at : at + (size_t)count + 2;
        return whole <= len ? whole : 0;
    }
    if (!strchr("*~%>", text[0])) return at;
    for (long i = text[0] == '%' ? 2 * count : count; i > 0; i--) {
        size_t one = at < len ? reply_length(text + at, len - at) : 0;
        if (!one) return 0;
        at += one;
    }
    return at;
}

const char *client_receive(struct node *n, int client)
{
    static char replies[4][65536];
    static unsigned next;
    char *reply = replies[next++ % 4];
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (clock_monotonic_ms() < until) {
        ssize_t got = recv(client, reply, sizeof replies[0] - 1, MSG_PEEK | MSG_DONTWAIT);
        if (got == 0) return "";
        size_t len = got > 0 ? reply_length(reply, (size_t)got) : 0;
        if (len) {
            assert_int_equal(recv(client, reply, len, 0), (ssize_t)len);
            reply[len - 2] = 0; /* without the line break at its end */
            return reply;
        }
        uv_run(&n->loop, UV_RUN_NOWAIT);
        usleep(100);
    }
    fail_msg("no reply came");
    return "";
}

bool client_is_silent(struct node *n, int client)
{
    char byte;
    node_turn(n);
    return recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

const char *ask(struct node *n, int client, const char *request)
{
    char line[1024];
    snprintf(line, sizeof line, "%s\r\n", request);
    client_send(client, line);
    return client_receive(n, client);
}
