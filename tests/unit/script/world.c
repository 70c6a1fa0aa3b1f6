#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const char *test_world_id(uint32_t alias)
{
    static char ids[4][CLUSTER_ID_LEN + 1];
    static int next;
    char *id = ids[next++ % 4];
    snprintf(id, CLUSTER_ID_LEN + 1, "%08x%032x", alias * 0x10001u, alias);
    return id;
}

static struct cluster_node_info describe(uint32_t alias)
{
    struct cluster_node_info info = {
        .alias = alias, .version = "0.1.0", .bus_port = 50051, .incarnation = 1, .endpoint_count = 1};
    memcpy(info.id, test_world_id(alias), sizeof info.id);
    snprintf(info.name, sizeof info.name, "node%u", alias);
    snprintf(info.bus_host, sizeof info.bus_host, "node%u", alias);
    info.zone[0] = (char)('a' + (alias - 1) % 3);
    info.endpoints[0] = (struct cluster_endpoint){.match = "any", .host = "127.0.0.1", .port = 6379};
    return info;
}

uint64_t test_world_apply(struct test_world *w, struct cluster_command *c)
{
    struct buffer b;
    struct cluster_result result;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_command_encode(c, &b);
    cluster_apply(w->state, buffer_bytes(&b), &result);
    if (result.error.code) fail_msg("%s: %s", cluster_command_name(c->type), result.error.text);
    buffer_release(&b);
    cluster_command_release(c);
    test_world_look(w);
    return result.value;
}

void test_world_look(struct test_world *w)
{
    w->live.nodes = realloc(w->live.nodes, (w->state->node_count + 1u) * sizeof *w->live.nodes);
    assert_non_null(w->live.nodes);
    w->live.node_count = w->state->node_count;
    for (uint32_t i = 0; i < w->state->node_count; i++) {
        const struct cluster_node *n = &w->state->nodes[i];
        w->live.nodes[i] = (struct cluster_live_node){.role = n->role, .load.keys = 10, .silent_ms = n->up ? 0 : 5000};
        memcpy(w->live.nodes[i].id, n->info.id, sizeof n->info.id);
    }
    w->world.run = cluster_run_active(w->state);
}

struct test_world *test_world_new(uint32_t members, uint32_t candidates)
{
    struct test_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->state = cluster_state_new();
    w->world = (struct script_world){.state = w->state, .live = &w->live};
    for (uint32_t alias = 1; alias <= members; alias++) {
        struct cluster_command c = {.type = alias == 1 ? CLUSTER_FOUND : CLUSTER_ADMIT, .info = describe(alias)};
        if (alias == 1) memcpy(c.cluster_id, "0123456789012345678901234567890123456789", sizeof c.cluster_id);
        test_world_apply(w, &c);
    }
    memcpy(w->live.leader, test_world_id(1), sizeof w->live.leader);
    w->live.candidates = calloc(candidates + 1u, sizeof *w->live.candidates);
    assert_non_null(w->live.candidates);
    for (uint32_t i = 0; i < candidates; i++) w->live.candidates[w->live.candidate_count++] = describe(members + i + 1);
    return w;
}

void test_world_free(struct test_world *w)
{
    cluster_state_free(w->state);
    cluster_live_release(&w->live);
    free(w);
}

struct script_source test_source(const char *text)
{
    return (struct script_source){.name = "test", .version = "0011223344556677", .text = bytes_text(text)};
}
