/* CLUSTER METARAFT MEMBERS, STATUS, HELP. */
#include <stdlib.h>

#include "control/control_thread.h"

struct shown_member {
    int64_t number; /* alias, or raft id without one */
    enum cluster_role role;
};

static int by_number(const void *a, const void *b)
{
    const struct shown_member *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void write_members(struct control *c, struct resp_writer *w)
{
    struct meta_member members[64];
    struct shown_member shown[64];
    size_t count = c->meta ? meta_members(c->meta, members, 64) : 0;
    if (count > 64) count = 64;
    for (size_t i = 0; i < count; i++) {
        const struct cluster_node *n = cluster_node_by_raft_id(control_state(c), members[i].raft_id);
        shown[i].number = n && n->info.alias ? (int64_t)n->info.alias : (int64_t)members[i].raft_id;
        shown[i].role = members[i].role;
    }
    qsort(shown, count, sizeof *shown, by_number);
    resp_array(w, count);
    for (size_t i = 0; i < count; i++) {
        resp_array(w, 2);
        resp_integer(w, shown[i].number);
        resp_bulk_text(w, cluster_role_name(shown[i].role));
    }
}

void control_admin_members(struct control *c, struct call *call)
{
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    write_members(c, &w);
    control_call_reply(c, call, &b);
}

/* A node by its alias, or its id. */
static void write_node(struct control *c, const char *id, struct resp_writer *w)
{
    const struct cluster_node *n = id[0] ? cluster_node_find(control_state(c), id) : NULL;
    if (n && n->info.alias)
        resp_bulk_printf(w, "%u", n->info.alias);
    else
        resp_bulk_text(w, id);
}

/* Who leads; and who led last, and how long ago that was heard: without a leader all that this node knows is so old. */
static void write_leader(struct control *c, struct resp_writer *w)
{
    const bool led = c->leads || (!c->leader[0] && c->reign_term);
    const char *last = led ? c->self.id : c->leader;
    resp_bulk_text(w, "leader");
    write_node(c, control_leader(c), w);
    resp_bulk_text(w, "leader_id");
    resp_bulk_text(w, control_leader(c));
    resp_bulk_text(w, "last_leader");
    write_node(c, last, w);
    resp_bulk_text(w, "leader_silent_ms");
    resp_integer(w, c->leads || !last[0] ? 0 : (int64_t)(control_now_ms(c) - c->leader_heard_ms));
}

static int by_alias(const void *a, const void *b)
{
    const struct cluster_node *x = *(const struct cluster_node *const *)a, *y = *(const struct cluster_node *const *)b;
    if (x->info.alias != y->info.alias) return x->info.alias > y->info.alias ? 1 : -1;
    return strcmp(x->info.id, y->info.id);
}

/* As the metadata want it: a node without a part in MetaRaft knows its members only so. */
static void write_voters(struct control *c, struct resp_writer *w)
{
    const struct cluster_state *s = control_state(c);
    const struct cluster_node **voters = control_allocate((s->node_count + 1u) * sizeof *voters);
    size_t count = 0;
    for (uint32_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].role == CLUSTER_ROLE_VOTER) voters[count++] = &s->nodes[i];
    qsort(voters, count, sizeof *voters, by_alias);
    resp_bulk_text(w, "voters");
    resp_array(w, count);
    for (size_t i = 0; i < count; i++) write_node(c, voters[i]->info.id, w);
    free(voters);
}

static const char *own_state(struct control *c)
{
    const struct cluster_node *me = cluster_node_find(control_state(c), c->self.id);
    if (!me) return control_is_removed(c) ? "removed" : "candidate";
    if (c->leads) return "leader";
    return me->role == CLUSTER_ROLE_VOTER ? "follower" : me->role == CLUSTER_ROLE_LEARNER ? "learner" : "member";
}

/* Answered by the node that is asked, from what it knows: it is for when something is wrong. */
void control_admin_status(struct control *c, struct call *call)
{
    struct meta_statistics s = {0};
    if (c->meta) meta_statistics(c->meta, &s);
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_map(&w, 15);
    write_leader(c, &w);
    resp_bulk_text(&w, "term");
    resp_integer(&w, (int64_t)(c->meta ? s.term : c->highest_term));
    resp_bulk_text(&w, "state");
    resp_bulk_text(&w, own_state(c));
    resp_bulk_text(&w, "raft_id");
    resp_integer(&w, (int64_t)c->identity.raft_id);
    resp_bulk_text(&w, "commit_index");
    resp_integer(&w, (int64_t)s.commit_index);
    resp_bulk_text(&w, "applied_index");
    resp_integer(&w, (int64_t)s.applied_index);
    resp_bulk_text(&w, "last_index");
    resp_integer(&w, (int64_t)s.last_index);
    resp_bulk_text(&w, "members");
    write_members(c, &w);
    write_voters(c, &w);
    resp_bulk_text(&w, "metadata_version");
    resp_integer(&w, (int64_t)control_state(c)->version);
    resp_bulk_text(&w, "change_problem");
    resp_bulk_text(&w, c->leads ? meta_change_problem(c->meta) : "");
    resp_bulk_text(&w, "triggers_paused");
    resp_bool(&w, control_state(c)->triggers_paused);
    control_call_reply(c, call, &b);
}

void control_admin_help(struct control *c, struct call *call)
{
    static const char *const lines[] = {
        "CLUSTER METARAFT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "MEMBERS",
        "    Members of MetaRaft with their role, by alias (without one by raft id): [[1, \"voter\"], [2, "
        "\"learner\"]].",
        "STATUS",
        "    What this node knows of MetaRaft: leader, who led last and how long ago, term, its own part, members, "
        "voters, and "
        "what",
        "    holds a change up.",
        "ADDLEARNER <alias> <host:bus-port>",
        "    Admits the node at this address, if it is no member, and lets it follow MetaRaft's log.",
        "PROMOTE <alias> [<alias> ...]",
        "    Gives learners their vote, one after the other; those who vote already are fine.",
        "DEMOTE <node>",
        "    Takes the vote from a voter, which goes on as a learner. The leader hands over first.",
        "REMOVE <node>",
        "    Takes a learner, or a voter after its vote, out of MetaRaft. It stays a member of the cluster.",
        "TRANSFER <node>",
        "    Makes this voter the leader.",
        "HELP",
        "    Print this help.",
    };
    struct buffer b;
    struct resp_writer w = control_call_writer(call, &b);
    resp_array(&w, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) resp_simple(&w, lines[i]);
    control_call_reply(c, call, &b);
}
