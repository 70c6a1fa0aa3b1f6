/* What the members are told to agree on. */
#include <stdio.h>

#include "base/crc.h"
#include "group.h"

const char *group_node(uint64_t id)
{
    static char text[4][CLUSTER_ID_LEN + 1];
    static unsigned next;
    char *out = text[next++ % 4];
    memset(out, '0' + (int)id, CLUSTER_ID_LEN);
    out[CLUSTER_ID_LEN] = 0;
    return out;
}

static struct cluster_node_info info_of(uint64_t id)
{
    struct cluster_node_info i = {.alias = (uint32_t)id, .bus_port = 16379, .incarnation = 1, .endpoint_count = 1};
    memcpy(i.id, group_node(id), sizeof i.id);
    snprintf(i.name, sizeof i.name, "n%d", (int)id);
    snprintf(i.version, sizeof i.version, "0.1.0");
    snprintf(i.bus_host, sizeof i.bus_host, "127.0.0.1");
    snprintf(i.endpoints[0].match, sizeof i.endpoints[0].match, "any");
    snprintf(i.endpoints[0].host, sizeof i.endpoints[0].host, "127.0.0.1");
    i.endpoints[0].port = (uint16_t)(6379 + id);
    return i;
}

struct cluster_command group_found_command(void)
{
    struct cluster_command c = {.type = CLUSTER_FOUND, .info = info_of(1)};
    memset(c.cluster_id, 'c', CLUSTER_ID_LEN);
    return c;
}

struct cluster_command group_admit_command(uint64_t id)
{
    return (struct cluster_command){.type = CLUSTER_ADMIT, .info = info_of(id)};
}

struct cluster_command group_role_command(uint64_t id, enum cluster_role role)
{
    struct cluster_command c = {.type = CLUSTER_SET_ROLE, .role = role};
    memcpy(c.node, group_node(id), sizeof c.node);
    return c;
}

struct cluster_command group_mark_command(uint64_t n)
{
    struct cluster_command c = {.type = CLUSTER_UPDATE_NODE, .info = info_of(1)};
    c.info.incarnation = n;
    return c;
}

uint64_t group_digest(const struct cluster_command *c)
{
    struct buffer b;
    buffer_init(&b, 1u << 20);
    cluster_command_encode(c, &b);
    uint64_t digest = crc32c(0, b.data, b.len);
    buffer_release(&b);
    return digest;
}

unsigned group_applied(const struct seat *s, const struct cluster_command *c)
{
    uint64_t digest = group_digest(c);
    unsigned n = 0;
    for (size_t i = 0; i < s->applied_count; i++) n += s->applied[i] == digest;
    return n;
}

/* ---- proposing ---- */

struct answer {
    bool here;
    struct cluster_result result;
};

static void answered(void *user, const struct cluster_result *result)
{
    struct answer *a = user;
    assert_false(a->here);
    *a = (struct answer){true, *result};
}

static bool has_answer(struct group *g, uint64_t pointer)
{
    (void)g;
    return ((struct answer *)(uintptr_t)pointer)->here;
}

struct cluster_result group_apply(struct group *g, const struct cluster_command *c)
{
    for (;;) {
        struct answer a = {0};
        struct error e;
        group_until(g, group_has_leader, 0);
        if (meta_propose(group_leader(g)->member, c, answered, &a, &e)) {
            group_run(g, 1);
            continue;
        }
        assert_false(a.here); /* never from within */
        group_until(g, has_answer, (uintptr_t)&a);
        if (a.result.error.code != ERROR_STALE && a.result.error.code != ERROR_NOT_LEADER) return a.result;
    }
}

void group_mark_many(struct group *g, uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count;) {
        struct answer answers[64] = {0};
        uint64_t batch = first + count - n < 64 ? first + count - n : 64;
        group_until(g, group_has_leader, 0);
        for (uint64_t i = 0; i < batch; i++) {
            struct cluster_command c = group_mark_command(n + i);
            struct error e = {0};
            if (meta_propose(group_leader(g)->member, &c, answered, &answers[i], &e)) fail_msg("propose: %s", e.text);
        }
        for (uint64_t i = 0; i < batch; i++) {
            group_until(g, has_answer, (uintptr_t)&answers[i]);
            assert_int_equal(answers[i].result.error.code, 0);
            assert_true(answers[i].result.changed);
        }
        n += batch;
    }
}

void group_grow(struct group *g, unsigned voters)
{
    group_open(g, 1, true);
    for (uint64_t id = 2; id <= voters; id++) {
        struct cluster_command commands[] = {group_admit_command(id), group_role_command(id, CLUSTER_ROLE_LEARNER),
                                             group_role_command(id, CLUSTER_ROLE_VOTER)};
        group_open(g, id, false);
        for (size_t i = 0; i < 3; i++) {
            struct cluster_result r = group_apply(g, &commands[i]);
            if (r.error.code) fail_msg("member %d, command %d: %s", (int)id, (int)i, r.error.text);
        }
    }
    group_until(g, group_voters_are, voters);
}
