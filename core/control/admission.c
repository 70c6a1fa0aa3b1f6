/* CLUSTER METARAFT ADDLEARNER, PROMOTE, and CLUSTER MEET: bringing nodes in. */
#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "control/control_thread.h"
#include "net/resolve.h"

#define DIAL_MS    5000
#define ROLE_MS    9000
#define PROMOTE_MS 10000

/* ---- finding the node at an address ---- */

enum reach { REACH_FOUND, REACH_WAITS, REACH_ENDED };

static bool is_at(const struct cluster_node_info *info, const char *host, uint16_t port)
{
    return info->bus_port == port && strcmp(info->bus_host, host) == 0;
}

/* Who said that this is his bus address. A candidate says so now: a member that is recorded there was wiped. */
static const char *known_at(struct control *c, const char *host, uint16_t port)
{
    const struct cluster_state *s = control_state(c);
    for (uint32_t i = 0; i < c->candidates.count; i++)
        if (is_at(&c->candidates.list[i].info, host, port)) return c->candidates.list[i].info.id;
    for (uint32_t i = 0; i < s->node_count; i++)
        if (is_at(&s->nodes[i].info, host, port)) return s->nodes[i].info.id;
    return NULL;
}

/* Finds out who is at a bus address, by connecting to it if nobody announced it; `call->node` gets the id. */
static enum reach reach(struct control *c, struct call *call, const char *host, uint16_t port)
{
    const char *id = known_at(c, host, port);
    if (!id && !call->dialled) call->dialled = bus_peer_new(c->bus, host, port, "");
    struct bus_link *l = call->dialled ? bus_peer_link(call->dialled) : NULL;
    if (!id && l) id = bus_link_peer(l)->node_id;
    if (id && control_info_of(c, id)) {
        snprintf(call->node, sizeof call->node, "%s", id);
        return REACH_FOUND;
    }
    if (control_now_ms(c) - call->stage_since_ms < DIAL_MS) return REACH_WAITS;
    const char *problem = l               ? "it does not announce itself as a candidate"
                          : call->dialled ? bus_peer_problem(call->dialled)
                                          : "no memory";
    control_call_error(c, call, ERROR_UNREACHABLE, "no node of a cluster with this secret answers at %s:%u%s%s", host,
                       port, problem[0] ? ": " : "", problem);
    return REACH_ENDED;
}

static bool admit(struct control *c, struct call *call, uint32_t alias)
{
    const struct cluster_node_info *info = control_info_of(c, call->node);
    if (!info) {
        control_call_error(c, call, ERROR_NOT_FOUND, "node %s no longer announces itself", call->node);
        return false;
    }
    struct cluster_command command = {.type = CLUSTER_ADMIT, .info = *info};
    if (alias) command.info.alias = alias;
    return control_call_propose(c, call, &command, control_call_proposed);
}

static void set_role(struct control *c, struct call *call, const char *node, enum cluster_role role)
{
    struct cluster_command command = {.type = CLUSTER_SET_ROLE, .role = role};
    snprintf(command.node, sizeof command.node, "%s", node);
    control_call_propose(c, call, &command, control_call_proposed);
}

/* ---- ADDLEARNER alias host:port ---- */

/* Gives the alias to a member that has none. Returns whether it has it. */
static bool take_alias(struct control *c, struct call *call, const struct cluster_node *n, uint32_t alias)
{
    if (n->info.alias == alias) return true;
    if (n->info.alias) {
        control_call_error(c, call, ERROR_EXISTS, "the node at this address is a member with the alias %u",
                           n->info.alias);
        return false;
    }
    struct cluster_command command = {.type = CLUSTER_UPDATE_NODE, .info = n->info};
    command.info.alias = alias;
    control_call_propose(c, call, &command, control_call_proposed);
    return false;
}

static void wait_for_learner(struct control *c, struct call *call, const struct cluster_node *n)
{
    bool follows = control_reign_role(c, n) != CLUSTER_ROLE_NONE, informed = control_reign_has_metadata(c, call->node);
    if (follows && informed) {
        control_call_ok(c, call);
    } else if (control_now_ms(c) - call->stage_since_ms >= ROLE_MS) {
        const struct member *m = control_member_find(c, call->node);
        const char *problem = follows && m && m->peer ? bus_peer_problem(m->peer) : meta_change_problem(c->meta);
        control_call_error(c, call, ERROR_TIMEOUT, "node %s was admitted, but %s%s%s; MetaRaft goes on trying",
                           call->node,
                           follows ? "has not acknowledged the metadata" : "is not in MetaRaft's configuration yet",
                           problem[0] ? ": " : "", problem);
    }
}

void control_admin_add_learner(struct control *c, struct call *call)
{
    char text[280], host[254];
    uint16_t port;
    int64_t alias;
    struct error e;
    snprintf(text, sizeof text, "%.*s", (int)(call->argv[4].len < sizeof text ? call->argv[4].len : sizeof text - 1),
             (const char *)call->argv[4].data);
    if (!number_parse_integer(call->argv[3], &alias) || alias < 1 || alias > UINT32_MAX) {
        control_call_error(c, call, ERROR_SYNTAX, "an alias is a number from 1 to %u", UINT32_MAX);
        return;
    }
    if (net_split_address(text, host, sizeof host, &port, &e) != 0) {
        control_call_error_of(c, call, &e);
        return;
    }
    if (!call->node[0] && reach(c, call, host, port) != REACH_FOUND) return;
    const struct cluster_node *n = cluster_node_find(meta_state(c->meta), call->node);
    if (!n)
        admit(c, call, (uint32_t)alias);
    else if (!take_alias(c, call, n, (uint32_t)alias))
        return;
    else if (n->role == CLUSTER_ROLE_NONE)
        set_role(c, call, call->node, CLUSTER_ROLE_LEARNER);
    else if (call->stage == 0)
        control_call_stage(c, call, 1);
    else
        wait_for_learner(c, call, n);
}

/* ---- PROMOTE alias… ---- */

void control_admin_promote(struct control *c, struct call *call)
{
    struct error e;
    while (call->stage < (unsigned)call->argc - 3) { /* the stage is the node */
        const struct cluster_node *n = cluster_node_named(meta_state(c->meta), call->argv[3 + call->stage], &e);
        if (!n) {
            control_call_error_of(c, call, &e);
            return;
        }
        if (n->role == CLUSTER_ROLE_NONE) {
            control_call_error(c, call, ERROR_INVARIANT, "node %.*s is no learner: METARAFT ADDLEARNER comes first",
                               (int)call->argv[3 + call->stage].len, (const char *)call->argv[3 + call->stage].data);
            return;
        }
        if (n->role != CLUSTER_ROLE_VOTER) {
            set_role(c, call, n->info.id, CLUSTER_ROLE_VOTER);
            return;
        }
        if (control_reign_role(c, n) != CLUSTER_ROLE_VOTER) {
            bool late = control_now_ms(c) - call->stage_since_ms >= PROMOTE_MS ||
                        call->deadline_ms - control_now_ms(c) < 1000;
            const char *problem = meta_change_problem(c->meta);
            if (late)
                control_call_error(c, call, ERROR_TIMEOUT, "node %s does not vote yet%s%s; MetaRaft goes on trying",
                                   n->info.id, problem[0] ? ": " : "", problem);
            return;
        }
        control_call_stage(c, call, call->stage + 1);
    }
    control_call_ok(c, call);
}

/* ---- MEET ip port [node id | bus port] ---- */

static bool parse_port(struct bytes text, int64_t *out)
{
    return number_parse_integer(text, out) && *out > 0 && *out <= 65535;
}

static const char *known_to_clients_at(struct control *c, const char *host, int64_t port)
{
    const struct cluster_state *s = control_state(c);
    for (uint32_t i = 0; i < s->node_count + c->candidates.count; i++) {
        const struct cluster_node_info *info = i < c->candidates.count ? &c->candidates.list[i].info
                                                                       : &s->nodes[i - c->candidates.count].info;
        for (uint32_t k = 0; k < info->endpoint_count; k++)
            if (info->endpoints[k].port == port && strcmp(info->endpoints[k].host, host) == 0) return info->id;
    }
    return NULL;
}

/* Who is meant: by id, by the bus port, or by the address for clients. */
static enum reach meet_whom(struct control *c, struct call *call)
{
    char host[254], id[CLUSTER_ID_LEN + 1] = "";
    int64_t port, bus_port = 0;
    bool has_more = call->argc == 5;
    snprintf(host, sizeof host, "%.*s", (int)(call->argv[2].len < sizeof host ? call->argv[2].len : sizeof host - 1),
             (const char *)call->argv[2].data);
    if (has_more && call->argv[4].len == CLUSTER_ID_LEN) memcpy(id, call->argv[4].data, CLUSTER_ID_LEN);
    bool names_id = message_is_id(id);
    if (!parse_port(call->argv[3], &port)) {
        control_call_error(c, call, ERROR_SYNTAX, "Invalid base port specified: %.*s", (int)call->argv[3].len,
                           (const char *)call->argv[3].data);
        return REACH_ENDED;
    }
    if (has_more && !names_id && !parse_port(call->argv[4], &bus_port)) {
        control_call_error(c, call, ERROR_SYNTAX, "Invalid bus port or node id specified: %.*s", (int)call->argv[4].len,
                           (const char *)call->argv[4].data);
        return REACH_ENDED;
    }
    if (names_id && !control_info_of(c, id)) {
        control_call_error(c, call, ERROR_NOT_FOUND, "Unknown node %s: it has not announced itself as a candidate", id);
        return REACH_ENDED;
    }
    const char *known = names_id ? id : bus_port ? NULL : known_to_clients_at(c, host, port);
    if (known) {
        snprintf(call->node, sizeof call->node, "%s", known);
        return REACH_FOUND;
    }
    if (!bus_port) bus_port = port + 10000;
    if (bus_port <= 65535) return reach(c, call, host, (uint16_t)bus_port);
    control_call_error(c, call, ERROR_SYNTAX, "Invalid bus port specified: port + 10000 is %" PRId64, bus_port);
    return REACH_ENDED;
}

void control_admin_meet(struct control *c, struct call *call)
{
    if (!call->node[0] && meet_whom(c, call) != REACH_FOUND) return;
    if (!cluster_node_find(meta_state(c->meta), call->node)) {
        admit(c, call, 0);
    } else if (control_reign_has_metadata(c, call->node)) {
        control_call_ok(c, call);
    } else if (call->stage == 0) {
        control_call_stage(c, call, 1);
    } else if (control_now_ms(c) - call->stage_since_ms >= ROLE_MS) {
        const struct member *m = control_member_find(c, call->node);
        control_call_error(c, call, ERROR_TIMEOUT, "node %s is a member, but does not acknowledge the metadata: %s",
                           call->node, m && m->peer ? bus_peer_problem(m->peer) : "");
    }
}
