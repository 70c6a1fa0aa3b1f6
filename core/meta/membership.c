/* Membership: libraft's configuration is brought to the roles that the state wants, one change after the other.
 *
 * Level-triggered: each step compares the two anew and makes the first change that is missing, so it does not matter
 * who made the ones before, nor whether the last one is known to have happened. The order keeps majorities reachable:
 * newcomers replicate first, then voters that are to go lose their vote, then others get it (so no fourth voter joins
 * three of which one is dead). libraft changes one server at a time; two such steps always have overlapping majorities
 * (Ongaro 2014, 4.1). */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "meta/member.h"
#include "meta/wire.h"

#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 1000

static const char *const change_text[] = {
    [META_CHANGE_ADD] = "add",
    [META_CHANGE_STANDBY] = "replicate to",
    [META_CHANGE_DEMOTE] = "take the vote from",
    [META_CHANGE_REMOVE] = "remove",
    [META_CHANGE_PROMOTE] = "give a vote to",
};

static const struct raft_server *server_of(const struct meta *m, uint64_t raft_id)
{
    for (unsigned i = 0; i < m->raft.configuration.n; i++) {
        if (m->raft.configuration.servers[i].id == raft_id) return &m->raft.configuration.servers[i];
    }
    return NULL;
}

static unsigned voter_count(const struct meta *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->raft.configuration.n; i++) n += m->raft.configuration.servers[i].role == RAFT_VOTER;
    return n;
}

/* What server `s` lacks to be what `wanted` says. */
static enum meta_change_kind change_of_server(const struct meta *m, const struct raft_server *s,
                                              enum cluster_role wanted)
{
    if (s->role == RAFT_VOTER && wanted != CLUSTER_ROLE_VOTER) {
        return voter_count(m) < 2 ? META_CHANGE_NONE
                                  : META_CHANGE_DEMOTE; /* never the last one: another is to be promoted first */
    }
    if (wanted == CLUSTER_ROLE_NONE) return META_CHANGE_REMOVE;
    if (s->role == RAFT_SPARE) return META_CHANGE_STANDBY;
    return s->role == RAFT_STANDBY && wanted == CLUSTER_ROLE_VOTER ? META_CHANGE_PROMOTE : META_CHANGE_NONE;
}

static enum cluster_role wanted_role(const struct meta *m, uint64_t raft_id)
{
    const struct cluster_node *node = cluster_node_by_raft_id(m->state, raft_id);
    return node ? node->role : CLUSTER_ROLE_NONE;
}

struct choice {
    enum meta_change_kind kind;
    uint64_t raft_id;
};

/* Keeps the more urgent of two; the one that failed last waits behind all others. */
static void consider(const struct meta *m, struct choice *best, enum meta_change_kind kind, uint64_t raft_id)
{
    if (kind == META_CHANGE_NONE) return;
    bool failed = raft_id == m->change.failed_id, best_failed = best->raft_id == m->change.failed_id;
    if (best->kind == META_CHANGE_NONE || (best_failed && !failed) || (best_failed == failed && kind < best->kind)) {
        *best = (struct choice){kind, raft_id};
    }
}

static struct choice choose(const struct meta *m)
{
    struct choice best = {0};
    for (uint32_t i = 0; i < m->state->node_count; i++) {
        const struct cluster_node *node = &m->state->nodes[i];
        if (node->raft_id && node->role != CLUSTER_ROLE_NONE && !server_of(m, node->raft_id)) {
            consider(m, &best, META_CHANGE_ADD, node->raft_id);
        }
    }
    for (unsigned i = 0; i < m->raft.configuration.n; i++) {
        const struct raft_server *s = &m->raft.configuration.servers[i];
        consider(m, &best, change_of_server(m, s, wanted_role(m, s->id)), s->id);
    }
    return best;
}

static void describe(struct meta *m, enum meta_change_kind kind, uint64_t raft_id, const char *reason)
{
    const struct cluster_node *node = cluster_node_by_raft_id(m->state, raft_id);
    snprintf(m->change.problem, sizeof(m->change.problem), "cannot %s raft member %" PRIu64 " (%s): %s",
             change_text[kind], raft_id, node && node->info.name[0] ? node->info.name : "unnamed", reason);
}

static void failed(struct meta *m, enum meta_change_kind kind, uint64_t raft_id, const char *reason)
{
    unsigned shift = m->change.failures < 5 ? m->change.failures : 5;
    uint64_t pause = (uint64_t)RETRY_MIN_MS << shift;
    m->change.retry_ms = uv_now(m->loop) + (pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS);
    m->change.failures++;
    m->change.failed_id = raft_id;
    describe(m, kind, raft_id, reason);
    log_warn("a change of MetaRaft's members failed", "problem=%s", log_quote(m->change.problem));
}

static const char *reason_of(int status)
{
    return status == RAFT_NOCONNECTION ? "it does not answer, or does not catch up" : raft_strerror(status);
}

/* May come for a request whose raft_assign had failed (libraft keeps the pointer): then nothing is open, and there is
 * nothing to say. */
static void change_ended(struct raft_change *request, int status)
{
    struct meta *m = request->data;
    if (!m->change.open) return;
    m->change.open = false;
    if (status == 0) {
        log_info("MetaRaft's members changed", "change=%s raft_id=%" PRIu64, log_quote(change_text[m->change.kind]),
                 m->change.raft_id);
        m->change.failures = 0;
        m->change.failed_id = 0;
        m->change.problem[0] = 0;
    } else if (status != RAFT_LEADERSHIPLOST) { /* then nobody knows; whoever leads looks at the configuration again */
        failed(m, m->change.kind, m->change.raft_id, reason_of(status));
    }
    meta_wake(m);
}

static int begin(struct meta *m, struct choice c)
{
    char address[META_WIRE_ADDRESS_SIZE];
    struct raft_change *request = &m->change.request;
    meta_wire_address(c.raft_id, address);
    switch (c.kind) {
    case META_CHANGE_ADD: return raft_add(&m->raft, request, c.raft_id, address, change_ended);
    case META_CHANGE_STANDBY:
    case META_CHANGE_DEMOTE: return raft_assign(&m->raft, request, c.raft_id, RAFT_STANDBY, change_ended);
    case META_CHANGE_PROMOTE: return raft_assign(&m->raft, request, c.raft_id, RAFT_VOTER, change_ended);
    case META_CHANGE_REMOVE: return raft_remove(&m->raft, request, c.raft_id, change_ended);
    default: return RAFT_INVALID;
    }
}

/* libraft takes one change at a time, and loses memory when asked for one that it cannot take. */
static bool libraft_ready(const struct meta *m)
{
    return m->raft.configuration_uncommitted_index == 0 && m->raft.leader_state.promotee_id == 0 &&
           m->raft.leader_state.transferee == 0;
}

static void carry_out(struct meta *m, struct choice c)
{
    if (c.raft_id == m->options.raft_id && (c.kind == META_CHANGE_DEMOTE || c.kind == META_CHANGE_REMOVE)) {
        struct error e = {0}; /* a leader does not remove itself: it hands over, and the next one does */
        if (meta_transfer(m, 0, &e)) failed(m, c.kind, c.raft_id, e.text);
        return;
    }
    if (c.kind == META_CHANGE_ADD && m->raft.configuration.n >= META_WIRE_SERVERS_MAX) {
        failed(m, c.kind, c.raft_id, "MetaRaft has too many members");
        return;
    }
    m->change.request.data = m;
    m->change.raft_id = c.raft_id;
    m->change.kind = c.kind;
    m->change.open = true; /* before: raft_assign may call back from within */
    int rv = begin(m, c);
    if (rv == 0) return;
    m->change.open = false;
    if (rv != RAFT_BADROLE && rv != RAFT_DUPLICATEID && rv != RAFT_NOTLEADER)
        failed(m, c.kind, c.raft_id, reason_of(rv));
}

void meta_membership_step(struct meta *m)
{
    if (!meta_leads(m) || !m->state->id[0] || m->change.open || !libraft_ready(m)) return;
    struct choice c = choose(m);
    if (c.kind == META_CHANGE_NONE) {
        m->change.problem[0] = 0;
        m->change.failures = 0;
        m->change.failed_id = 0;
    } else if (c.raft_id != m->change.failed_id || uv_now(m->loop) >= m->change.retry_ms) {
        carry_out(m, c);
    }
}

const char *meta_change_problem(const struct meta *m)
{
    return meta_leads(m) ? m->change.problem : ""; /* only the leader changes anything */
}

static bool votes_in(const struct raft_configuration *conf, uint64_t raft_id)
{
    for (unsigned i = 0; i < conf->n; i++)
        if (conf->servers[i].id == raft_id) return conf->servers[i].role == RAFT_VOTER;
    return false;
}

bool meta_may_vote(const struct meta *m, uint64_t raft_id)
{
    const struct raft *r = &m->raft;
    bool is_promoted = m->change.open && m->change.kind == META_CHANGE_PROMOTE && m->change.raft_id == raft_id;
    return is_promoted || votes_in(&r->configuration, raft_id) ||
           (r->configuration_uncommitted_index && votes_in(&r->configuration_committed, raft_id));
}

size_t meta_members(const struct meta *m, struct meta_member *out, size_t max)
{
    const struct raft *r = &m->raft;
    const struct raft_configuration *conf =
        r->configuration_uncommitted_index ? &r->configuration_committed : &r->configuration;
    for (unsigned i = 0; i < conf->n && i < max; i++) {
        out[i].raft_id = conf->servers[i].id;
        out[i].role = conf->servers[i].role == RAFT_VOTER ? CLUSTER_ROLE_VOTER : CLUSTER_ROLE_LEARNER;
    }
    return conf->n;
}
