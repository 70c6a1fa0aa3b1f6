#include "liar.h"

#include "meta/wire.h"

uint8_t liar_bytes[64] = {4};

struct picture picture_of(const struct seat *s)
{
    struct meta_statistics t;
    meta_statistics(s->member, &t);
    return (struct picture){
        t.term, t.last_index, t.commit_index, t.applied_index, meta_state(s->member)->version, meta_leader(s->member)};
}

struct attack {
    struct seat *victim;
    uint64_t from;
    int code;
    struct error error;
};

static void strike(void *user, struct bytes message)
{
    struct attack *a = user;
    int code = meta_receive(a->victim->member, a->from, message, &a->error);
    if (code && !a->code) a->code = code;
}

int lie(struct seat *victim, uint64_t from, const struct raft_message *m)
{
    struct attack a = {.victim = victim, .from = from};
    struct buffer scratch;
    buffer_init(&scratch, META_WIRE_MESSAGE_MAX);
    meta_wire_write(m, &scratch, strike, &a);
    buffer_release(&scratch);
    return a.code;
}

void must_refuse(struct group *g, struct seat *victim, uint64_t from, const struct raft_message *m, int code)
{
    struct picture before = picture_of(victim);
    assert_int_equal(lie(victim, from, m), code);
    group_run(g, 10);
    struct picture after = picture_of(victim);
    assert_memory_equal(&before, &after, sizeof before);
}

void settle(struct group *g)
{
    g->election_ms = CALM_MS;
    group_grow(g, 3);
    group_until(g, group_leads, 1);
    group_mark_many(g, 10, 20);
    group_until(g, group_is_quiet, 0);
}

struct raft_message vote_message(struct seat *s, uint64_t above)
{
    return (struct raft_message){.type = RAFT_REQUEST_VOTE,
                                 .request_vote = {.version = 2,
                                                  .term = meta_term(s->member) + above,
                                                  .last_log_index = 1000000,
                                                  .last_log_term = meta_term(s->member) + above,
                                                  .disrupt_leader = true}};
}

struct raft_message entries_message(struct seat *s, uint64_t previous, struct raft_entry *entries, unsigned n)
{
    const struct raft *r = &s->member->raft;
    return (struct raft_message){.type = RAFT_APPEND_ENTRIES,
                                 .append_entries = {.version = 1,
                                                    .term = r->current_term,
                                                    .prev_log_index = previous,
                                                    .prev_log_term = meta_term_of(r, previous),
                                                    .leader_commit = UINT64_MAX,
                                                    .entries = entries,
                                                    .n_entries = n}};
}
