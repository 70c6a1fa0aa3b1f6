#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

#define PATIENCE_MS 30000

/* ---- what control tells the data thread ---- */

static void on_routing(void *user, struct cluster_routing *r)
{
    struct test_node *n = user;
    if (n->routing) cluster_routing_release(n->routing);
    n->routing = r;
}

static void on_reply(void *user, uint64_t token, struct bytes reply)
{
    struct test_node *n = user;
    if (token != n->awaited) return;
    assert_null(n->reply);
    n->reply = malloc(reply.len + 1);
    memcpy(n->reply, reply.data, reply.len);
    n->reply[reply.len] = 0;
    n->reply_len = reply.len;
}

static void on_published(void *user, struct bytes channel, struct bytes text)
{
    struct test_node *n = user;
    n->published++;
    snprintf(n->heard, sizeof n->heard, "%.*s: %.*s", (int)channel.len, (const char *)channel.data, (int)(text.len < 20 ? text.len : 20),
             (const char *)text.data);
}

static void on_failed(void *user, int exit_code, const struct error *e)
{
    struct test_node *n = user;
    n->failed = true;
    fail_msg("control failed with exit code %d: %s", exit_code, e->text);
}

static int save_identity(void *user, const struct control_identity *identity, struct error *e)
{
    (void)e;
    struct test_node *n = user;
    n->identity = *identity;
    return 0;
}

static void on_clock(uv_timer_t *timer)
{
    ((struct test_nodes *)timer->data)->ticks++;
}

/* Between two questions: asking without a pause would take the processor from the nodes. */
static void let_pass(struct test_nodes *t)
{
    for (uint64_t ticks = t->ticks; t->ticks < ticks + 2;) uv_run(&t->loop, UV_RUN_ONCE);
}

/* ---- life ---- */

struct test_nodes *nodes_new(void)
{
    struct test_nodes *t = calloc(1, sizeof *t);
    uv_loop_init(&t->loop);
    uv_timer_init(&t->loop, &t->clock);
    t->clock.data = t;
    uv_timer_start(&t->clock, on_clock, 10, 10);
    t->mailbox = mailbox_new(&t->loop, 4096 + NODES_MAX * CONTROL_MESSAGES_MAX, t);
    files_make(t->root, "control");
    for (int i = 0; i < NODES_MAX; i++) {
        struct test_node *n = &t->node[i];
        struct cluster_node_info *info = &n->info;
        snprintf(n->dir, sizeof n->dir, "%s/%d", t->root, i);
        mkdir(n->dir, 0700);
        random_hex(info->id, CLUSTER_ID_LEN);
        info->alias = (uint32_t)i + 1;
        snprintf(info->name, sizeof info->name, "node%d", i + 1);
        snprintf(info->version, sizeof info->version, "0.1.0");
        snprintf(info->bus_host, sizeof info->bus_host, "127.0.0.1");
        snprintf(info->zone, sizeof info->zone, "z%d", i % 3);
        info->endpoint_count = 1;
        snprintf(info->endpoints[0].match, sizeof info->endpoints[0].match, "any");
        snprintf(info->endpoints[0].host, sizeof info->endpoints[0].host, "127.0.0.1");
        info->endpoints[0].port = (uint16_t)(7001 + i);
    }
    return t;
}

void nodes_join(struct test_nodes *t, int i)
{
    snprintf(t->join[t->join_count++], sizeof t->join[0], "127.0.0.1:%u", t->node[i].port);
}

void nodes_start(struct test_nodes *t, int i, bool bootstrap)
{
    struct test_node *n = &t->node[i];
    n->info.incarnation++;
    if (n->identity.node_id[0]) memcpy(n->info.id, n->identity.node_id, sizeof n->info.id);
    n->info.bus_port = n->port ? n->port : 1;
    struct control_options o = {.self = n->info,
                                .identity = n->identity,
                                .save_identity = save_identity,
                                .data_dir = n->dir,
                                .bus_host = "127.0.0.1",
                                .bus_port = n->port,
                                .secret = bytes_text("the secret of the tests"),
                                .bootstrap = bootstrap,
                                .join = (const char(*)[280])t->join,
                                .join_count = t->join_count,
                                .data_mailbox = t->mailbox,
                                .handler = {.user = n, .routing = on_routing, .reply = on_reply, .published = on_published, .failed = on_failed}};
    struct error e = {0};
    int code = control_start(&o, &n->control, &n->port, &e);
    if (code) fail_msg("node %d does not start: %s", i, e.text);
}

static void drop_reply(struct test_node *n)
{
    free(n->reply);
    n->reply = NULL;
    n->awaited = 0;
}

void nodes_stop(struct test_nodes *t, int i)
{
    struct test_node *n = &t->node[i];
    control_stop(n->control);
    n->control = NULL;
    uv_run(&t->loop, UV_RUN_NOWAIT);
    if (n->routing) cluster_routing_release(n->routing);
    n->routing = NULL;
}

void nodes_free(struct test_nodes *t)
{
    for (int i = NODES_MAX; i-- > 0;) {
        if (t->node[i].control) nodes_stop(t, i);
        drop_reply(&t->node[i]);
    }
    mailbox_close(t->mailbox);
    uv_close((uv_handle_t *)&t->clock, NULL);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < NODES_MAX; i++)
        if (t->node[i].routing) cluster_routing_release(t->node[i].routing);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    files_remove(t->root);
    free(t);
}

void nodes_wait(struct test_nodes *t, int i, nodes_condition condition, const char *what)
{
    uint64_t began = clock_monotonic_ms();
    while (!condition(t, i)) {
        if (clock_monotonic_ms() - began > PATIENCE_MS) fail_msg("node %d: waited in vain until it %s", i, what);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
}

bool nodes_knows_leader(struct test_nodes *t, int i)
{
    return t->node[i].routing && t->node[i].routing->leader_known;
}

bool nodes_is_member(struct test_nodes *t, int i)
{
    return t->node[i].routing && t->node[i].routing->self;
}

void nodes_start_cluster(struct test_nodes *t, int count)
{
    nodes_start(t, 0, true);
    nodes_wait(t, 0, nodes_knows_leader, "founds a cluster");
    nodes_join(t, 0);
    for (int i = 1; i < count; i++) nodes_start(t, i, false);
    char candidates[96];
    snprintf(candidates, sizeof candidates, ":%d\r\n", count);
    uint64_t began = clock_monotonic_ms();
    while (strcmp(nodes_call_with(t, 0, "CLUSTER SCRIPT EVAL", "return #view.nodes"), candidates) != 0) {
        if (clock_monotonic_ms() - began > PATIENCE_MS)
            fail_msg("not all candidates announced themselves: %s", t->node[0].reply);
        let_pass(t);
    }
}

/* ---- calls ---- */

/* One word with what it stands for, appended to `out`. */
static char *expand(struct test_nodes *t, const char *word)
{
    char out[400];
    if (word[0] == '@' && word[1])
        snprintf(out, sizeof out, "%s", t->node[word[1] - '0'].info.id);
    else if (word[0] == '#' && word[1] && word[2] == 'p')
        snprintf(out, sizeof out, "%u", t->node[word[1] - '0'].port);
    else if (word[0] == '#' && word[1])
        snprintf(out, sizeof out, "127.0.0.1:%u", t->node[word[1] - '0'].port);
    else
        snprintf(out, sizeof out, "%s", word);
    return strdup(out);
}

void nodes_call_begin(struct test_nodes *t, int i, const char *words, const char *last)
{
    struct test_node *n = &t->node[i];
    char *copy = strdup(words), *rest = copy, *word, *texts[64];
    struct bytes argv[64];
    int argc = 0;
    while ((word = strsep(&rest, " ")) && argc < 60) texts[argc++] = expand(t, word);
    free(copy);
    if (last) texts[argc++] = strdup(last);
    if (last && strncmp(words, "CLUSTER SCRIPT EVAL", 19) == 0) texts[argc++] = strdup("0");
    for (int k = 0; k < argc; k++) argv[k] = bytes_text(texts[k]);
    drop_reply(n);
    n->awaited = ++t->tokens;
    assert_true(control_call(n->control, n->awaited, argc, argv, 2));
    for (int k = 0; k < argc; k++) free(texts[k]);
}

static bool has_reply(struct test_nodes *t, int i)
{
    return t->node[i].reply != NULL;
}

const char *nodes_call_end(struct test_nodes *t, int i)
{
    nodes_wait(t, i, has_reply, "replies");
    return t->node[i].reply;
}

const char *nodes_call_with(struct test_nodes *t, int i, const char *words, const char *last)
{
    nodes_call_begin(t, i, words, last);
    return nodes_call_end(t, i);
}

const char *nodes_call(struct test_nodes *t, int i, const char *words)
{
    return nodes_call_with(t, i, words, NULL);
}

void nodes_expect(struct test_nodes *t, int i, const char *words, const char *reply)
{
    const char *got = nodes_call(t, i, words);
    if (strcmp(got, reply) != 0) fail_msg("%s on node %d: %s instead of %s", words, i, got, reply);
}

void nodes_expect_part(struct test_nodes *t, int i, const char *words, const char *part)
{
    const char *got = nodes_call(t, i, words);
    if (!strstr(got, part)) fail_msg("%s on node %d: no '%s' in: %s", words, i, part, got);
}

void nodes_expect_soon(struct test_nodes *t, int i, const char *words, const char *part)
{
    uint64_t began = clock_monotonic_ms();
    while (!strstr(nodes_call(t, i, words), part)) {
        if (clock_monotonic_ms() - began > PATIENCE_MS)
            fail_msg("%s on node %d: no '%s' in: %s", words, i, part, t->node[i].reply);
        let_pass(t);
    }
}

/* ---- looking ---- */

uint32_t nodes_shards(struct test_nodes *t, int i)
{
    return t->node[i].routing->state->shard_count;
}

uint32_t nodes_slots(struct test_nodes *t, int i)
{
    return t->node[i].routing->slots_assigned;
}

uint32_t nodes_replicas(struct test_nodes *t, int i)
{
    const struct cluster_state *s = t->node[i].routing->state;
    uint32_t count = 0;
    for (uint32_t k = 0; k < s->node_count; k++)
        count += s->nodes[k].shard && !cluster_node_is_primary(s, &s->nodes[k]);
    return count;
}

uint32_t nodes_voters(struct test_nodes *t, int i)
{
    return cluster_voters(t->node[i].routing->state);
}
