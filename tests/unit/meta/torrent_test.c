/* Random lies, many of them. */
#include "base/random.h"
#include "liar.h"
#include "tests.h"

static struct raft_message random_message(struct group *g, struct seat *victim)
{
    uint64_t *random = &g->random;
    const struct raft *r = &victim->member->raft;
    uint64_t term = r->current_term + random_below(random, 3),
             at = random_below(random, raft_last_index((struct raft *)r) + 3);
    static struct raft_entry entries[4];
    for (unsigned i = 0; i < 4; i++) {
        entries[i] = (struct raft_entry){
            .term = term, .type = RAFT_COMMAND, .buf = {liar_bytes, 8 * (1 + random_below(random, 8))}};
    }
    struct raft_message m = {.type = (enum raft_message_type)(RAFT_APPEND_ENTRIES + random_below(random, 6))};
    switch (m.type) {
    case RAFT_APPEND_ENTRIES:
        m = entries_message(victim, at, entries, (unsigned)random_below(random, 5));
        m.append_entries.term = term ? term : 1;
        if (random_below(random, 2)) m.append_entries.leader_commit = at;
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        m.append_entries_result = (struct raft_append_entries_result){1,  term, random_below(random, 2) ? at : 0,
                                                                      at, 1,    0};
        break;
    case RAFT_REQUEST_VOTE:
        m = vote_message(victim, random_below(random, 3));
        m.request_vote.pre_vote = random_below(random, 2);
        m.request_vote.disrupt_leader = random_below(random, 2);
        m.request_vote.last_log_index = at;
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        m.request_vote_result = (struct raft_request_vote_result){
            2, term, random_below(random, 2), random_below(random, 2), 1, 0};
        break;
    case RAFT_INSTALL_SNAPSHOT: {
        static struct raft_server server = {1, NULL, RAFT_VOTER};
        m.install_snapshot = (struct raft_install_snapshot){.version = 1,
                                                            .term = term,
                                                            .last_index = at,
                                                            .last_term = term,
                                                            .conf = {&server, 1},
                                                            .conf_index = 1,
                                                            .data = {liar_bytes, 64}};
        break;
    }
    case RAFT_TIMEOUT_NOW: m.timeout_now = (struct raft_timeout_now){1, term, at, term}; break;
    }
    return m;
}

/* A snapshot that could be installed: the state is the victim's own. */
static struct raft_buffer snapshot_of(struct seat *victim)
{
    struct raft_buffer *bufs, data;
    unsigned n;
    assert_int_equal(victim->member->fsm.snapshot(&victim->member->fsm, &bufs, &n), 0);
    data = bufs[0];
    raft_free(bufs);
    return data;
}

/* A liar with a vote can stop a group (that is Raft), but not crash a member or hurt its memory. */
static void test_a_torrent_of_lies_crashes_nobody(void **state)
{
    struct group *g = *state;
    unsigned taken = 0;
    settle(g);
    for (unsigned i = 0; i < 3000; i++) {
        struct seat *victim = &g->seats[1 + random_below(&g->random, 2)];
        struct raft_message m = random_message(g, victim);
        struct raft_buffer snapshot = snapshot_of(victim);
        if (m.type == RAFT_INSTALL_SNAPSHOT && random_below(&g->random, 8) == 0) m.install_snapshot.data = snapshot;
        taken += lie(victim, random_below(&g->random, 2) ? 3 : 3 - victim->id, &m) == 0;
        raft_free(snapshot.base);
        if (i % 4 == 0) group_run(g, 1);
    }
    assert_true(taken > 0);
    g->refused = 0; /* they have believed some of it about each other */
    for (uint64_t id = 1; id <= 3; id++) g->seats[id].may_fail = true;
}

int meta_torrent_tests(void)
{
#define TORRENT_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        TORRENT_TEST(test_a_torrent_of_lies_crashes_nobody),
    };
    return cmocka_run_group_tests_name("meta: a torrent of lies", tests, NULL, NULL);
}
