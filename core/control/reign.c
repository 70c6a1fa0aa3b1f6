/* What a leader keeps true: members that fall silent are recorded as down, and up when they answer again; a member's
 * new addresses, version and incarnation are recorded. And what it sees of the cluster, for policies. */
#include <stdio.h>

#include "base/log.h"
#include "control/control_thread.h"

/* ---- up and down ---- */

static void reach_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)number;
    struct member *m = control_member_find(c, node);
    if (m) m->proposing_reach = false;
    if (result->error.code && c->leads)
        log_warn("recording whether a node is up was refused", "node=%s error=%s", node, log_quote(result->error.text));
}

static bool propose_reach(struct control *c, const char *node, bool up)
{
    struct cluster_command command = {.type = CLUSTER_SET_REACHABLE, .up = up};
    snprintf(command.node, sizeof command.node, "%s", node);
    return control_propose(c, &command, reach_proposed, 0, node, NULL) == 0;
}

/* From when on its answers would have been heard: `leads_since_ms` is also when this process last stood still. */
static uint64_t listened_since_ms(const struct control *c, const struct member *m)
{
    return c->leads_since_ms > m->since_ms ? c->leads_since_ms : m->since_ms;
}

static uint64_t silent_ms(const struct control *c, const struct member *m)
{
    const uint64_t listened_ms = listened_since_ms(c, m);
    return control_now_ms(c) - (m->heard_ms > listened_ms ? m->heard_ms : listened_ms);
}

/* Nobody is taken for silent who has not had the time to answer this leader. */
static void check_reach(struct control *c, struct member *m, const struct cluster_node *n)
{
    if (m->proposing_reach) return;
    bool answers = m->heard_ms >= listened_since_ms(c, m) && silent_ms(c, m) < CONTROL_SILENCE_MS;
    if (!n->up && answers)
        m->proposing_reach = propose_reach(c, m->id, true);
    else if (n->up && silent_ms(c, m) >= CONTROL_SILENCE_MS)
        m->proposing_reach = propose_reach(c, m->id, false);
}

/* ---- what nodes say of themselves ---- */

static void info_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node)
{
    (void)number;
    struct member *m = control_member_find(c, node);
    if (m) m->proposing_info = false;
    if (strcmp(node, c->self.id) == 0) c->proposing_self = false;
    if (result->error.code && c->leads)
        log_warn("what a node says of itself was not recorded", "node=%s error=%s", node,
                 log_quote(result->error.text));
}

/* Proposes what the record lacks, if `*check` asks for it; that stays set if it could not be proposed. An alias that an
 * operator gave stays. Returns whether a proposal is under way. */
static bool check_info(struct control *c, bool *check, const struct cluster_node_info *said,
                       const struct cluster_node *n)
{
    if (!*check) return false;
    struct cluster_command command = {.type = CLUSTER_UPDATE_NODE, .info = *said};
    if (n->info.alias) command.info.alias = n->info.alias;
    *check = false;
    if (said->incarnation < n->info.incarnation || cluster_node_info_equal(&command.info, &n->info)) return false;
    *check = control_propose(c, &command, info_proposed, 0, said->id, NULL) != 0;
    return !*check;
}

static void check_self(struct control *c)
{
    const struct cluster_node *me = cluster_node_find(meta_state(c->meta), c->self.id);
    if (!me) return;
    if (!c->proposing_self) c->proposing_self = check_info(c, &c->check_self, &c->self, me);
    if (!me->up && !c->proposing_self) propose_reach(c, c->self.id, true);
}

void control_reign_tick(struct control *c)
{
    check_self(c);
    for (uint32_t i = 0; i < c->member_count; i++) {
        struct member *m = c->members[i];
        const struct cluster_node *n = cluster_node_find(meta_state(c->meta), m->id);
        if (!n) continue;
        check_reach(c, m, n);
        if (m->announced && !m->proposing_info) m->proposing_info = check_info(c, &m->check_info, m->announced, n);
    }
}

/* ---- for policies ---- */

enum cluster_role control_reign_role(const struct control *c, const struct cluster_node *n)
{
    struct meta_member members[64];
    size_t count = c->meta && n->raft_id ? meta_members(c->meta, members, 64) : 0;
    for (size_t i = 0; i < count && i < 64; i++)
        if (members[i].raft_id == n->raft_id) return members[i].role;
    return CLUSTER_ROLE_NONE;
}

bool control_reign_has_metadata(const struct control *c, const char *node)
{
    if (strcmp(node, c->self.id) == 0) return true;
    const struct member *m = control_member_find(c, node);
    return m && m->answered && m->version > 0;
}

static void live_node(const struct control *c, const struct cluster_node *n, struct cluster_live_node *out)
{
    memcpy(out->id, n->info.id, sizeof out->id);
    out->role = control_reign_role(c, n);
    const struct member *m = control_member_find(c, n->info.id);
    if (m) {
        out->silent_ms = silent_ms(c, m);
        out->metadata_version = m->version;
        out->load = m->load;
    } else {
        out->metadata_version = control_state(c)->version;
        out->load = c->load.node;
    }
}

void control_reign_live(struct control *c, struct cluster_live *out)
{
    const struct cluster_state *s = meta_state(c->meta);
    *out = (struct cluster_live){.node_count = s->node_count};
    memcpy(out->leader, c->self.id, sizeof out->leader);
    out->nodes = control_allocate(s->node_count * sizeof *out->nodes);
    for (uint32_t i = 0; i < s->node_count; i++) live_node(c, &s->nodes[i], &out->nodes[i]);
    candidates_expire(&c->candidates, s, control_now_ms(c));
    out->candidates = candidates_infos(&c->candidates);
    out->candidate_count = c->candidates.count;
    load_table_fit(c->load.table, s);
    out->load = control_allocate(sizeof *out->load);
    *out->load = c->load.table->load;
}
