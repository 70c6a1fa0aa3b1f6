#include <stdio.h>

#include "cluster/command.h"
#include "fixture.h"

static const char *node_id(unsigned number)
{
    static char ids[8][CLUSTER_ID_LEN + 1];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, CLUSTER_ID_LEN + 1, "%08x%032d", number, 0);
    return id;
}

/* Every node has an address for the machine itself, one for a network of containers, and one for everybody else. */
static struct cluster_node_info node_info(unsigned number)
{
    struct cluster_node_info i = {
        .alias = number, .bus_port = (uint16_t)(50050 + number), .incarnation = 1, .endpoint_count = 3};
    snprintf(i.id, sizeof i.id, "%s", node_id(number));
    snprintf(i.name, sizeof i.name, "host%u", number);
    snprintf(i.version, sizeof i.version, "0.1.0");
    snprintf(i.bus_host, sizeof i.bus_host, "10.0.0.%u", number);
    i.endpoints[0] = (struct cluster_endpoint){
        .match = "127.0.0.1/32", .host = "127.0.0.1", .port = (uint16_t)(6378 + number)};
    i.endpoints[1] = (struct cluster_endpoint){.match = "127.0.0.0/8", .port = 6379};
    snprintf(i.endpoints[1].host, sizeof i.endpoints[1].host, "aikv%u", number);
    i.endpoints[2] = (struct cluster_endpoint){.match = "any", .port = 7000};
    snprintf(i.endpoints[2].host, sizeof i.endpoints[2].host, "node%u.example.org", number);
    return i;
}

static void change(struct cluster_state *s, struct cluster_command c)
{
    struct buffer encoded;
    struct cluster_result r;
    buffer_init(&encoded, CLUSTER_ENCODED_MAX);
    cluster_command_encode(&c, &encoded);
    cluster_apply(s, buffer_bytes(&encoded), &r);
    if (!r.changed) fail_msg("%s: %s", cluster_command_name(c.type), r.error.text);
    buffer_release(&encoded);
    cluster_command_release(&c);
}

static struct cluster_command about_node(enum cluster_command_type type, unsigned node)
{
    struct cluster_command c = {.type = type};
    snprintf(c.node, sizeof c.node, "%s", node_id(node));
    return c;
}

static void found_and_admit(struct cluster_state *s)
{
    struct cluster_command found = {.type = CLUSTER_FOUND, .info = node_info(1)};
    snprintf(found.cluster_id, sizeof found.cluster_id, "c0ffee%034d", 0);
    change(s, found);
    for (unsigned n = 2; n <= 6; n++) change(s, (struct cluster_command){.type = CLUSTER_ADMIT, .info = node_info(n)});
}

struct cluster_routing *routing_of(unsigned self, unsigned shards, unsigned down)
{
    static const unsigned from[] = {0, 5461, 10923}, to[] = {5460, 10922, 16383};
    struct cluster_state *s = cluster_state_new();
    found_and_admit(s);
    for (unsigned n = 1; n <= 3; n++) change(s, about_node(CLUSTER_CREATE_SHARD, n));
    for (unsigned n = 1; n <= shards; n++) {
        struct cluster_command assign = {.type = CLUSTER_ASSIGN_SLOTS, .shard = n};
        cluster_ranges_add(&assign.slots, from[n - 1], to[n - 1], NULL);
        change(s, assign);
    }
    for (unsigned n = 4; n <= 6; n++) {
        struct cluster_command replicate = about_node(CLUSTER_REPLICATE, n);
        replicate.shard = n - 3;
        change(s, replicate);
    }
    if (down) change(s, about_node(CLUSTER_SET_REACHABLE, down));
    struct cluster_node_info me = node_info(self);
    struct cluster_routing *r = cluster_routing_new(s, &me, node_id(1), 1);
    cluster_state_free(s);
    return r;
}

struct cluster_routing *routing_of_six(unsigned self)
{
    return routing_of(self, 3, 0);
}

struct cluster_routing *routing_of_candidate(void)
{
    struct cluster_state *s = cluster_state_new();
    struct cluster_node_info me = node_info(9);
    struct cluster_routing *r = cluster_routing_new(s, &me, "", 0);
    cluster_state_free(s);
    return r;
}
