/* Members that are cut off, restart, lag behind, or lose their disk: nothing is lost, nothing happens twice. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/random.h"
#include "group.h"
#include "meta/member.h"
#include "tests.h"

/* ---- a set of proposals, answered at some time ---- */

#define FLIGHT_MAX 4096
struct flight {
    uint64_t first; /* marks from here on */
    unsigned count, answered;
    int code[FLIGHT_MAX]; /* -1: open, or not taken at all */
    struct ticket {
        struct flight *flight;
        unsigned at;
    } tickets[FLIGHT_MAX];
};

static void flight_answer(void *user, const struct cluster_result *result)
{
    struct ticket *t = user;
    assert_int_equal(t->flight->code[t->at], -1);
    t->flight->code[t->at] = result->error.code;
    t->flight->answered++;
}

/* Proposes the next mark; returns whether it was queued. */
static bool flight_add(struct flight *f, struct meta *m)
{
    struct cluster_command c = group_mark_command(f->first + f->count);
    struct error e;
    assert_true(f->count < FLIGHT_MAX);
    f->tickets[f->count] = (struct ticket){f, f->count};
    f->code[f->count] = -1;
    if (meta_propose(m, &c, flight_answer, &f->tickets[f->count], &e)) return false;
    f->count++;
    return true;
}

static bool flight_over(struct group *g, uint64_t pointer)
{
    (void)g;
    struct flight *f = (struct flight *)(uintptr_t)pointer;
    return f->answered == f->count;
}

/* What was answered 'done' is there; what was answered 'not taken' is not; and nothing is there twice. */
static void flight_check(const struct flight *f, const struct seat *s)
{
    for (unsigned i = 0; i < f->count; i++) {
        struct cluster_command c = group_mark_command(f->first + i);
        unsigned times = group_applied(s, &c);
        assert_true(times <= 1);
        if (f->code[i] == 0) assert_int_equal(times, 1);
        if (f->code[i] == ERROR_NOT_LEADER) assert_int_equal(times, 0);
    }
}

/* ---- being cut off and starting again ---- */

static bool leads_elsewhere(struct group *g, uint64_t id)
{
    struct seat *leader = group_leader(g);
    return leader && leader->id != id;
}

static bool not_leading(struct group *g, uint64_t id)
{
    return !g->seats[id].leads;
}

static void test_proposals_of_a_leader_that_is_cut_off_end_and_happen_at_most_once(void **state)
{
    struct group *g = *state;
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    struct seat *old = group_leader(g);
    for (unsigned i = 0; i < 5; i++) assert_true(flight_add(&f, old->member));
    group_until(g, flight_over, (uintptr_t)&f);
    for (unsigned i = 0; i < 10; i++) assert_true(flight_add(&f, old->member));
    group_run(g, 1); /* some are on their way */
    old->cut = true;
    for (unsigned i = 0; i < 10; i++) assert_true(flight_add(&f, old->member));
    group_until(g, not_leading, old->id);
    group_until(g, flight_over, (uintptr_t)&f);
    for (unsigned i = 0; i < f.count; i++) assert_true(f.code[i] == 0 || f.code[i] == ERROR_STALE || f.code[i] == ERROR_NOT_LEADER);
    assert_int_equal(f.code[24], ERROR_STALE); /* nobody else had it */
    assert_false(flight_add(&f, old->member));
    group_until(g, leads_elsewhere, old->id);
    group_mark_many(g, 100, 10);
    old->cut = false;
    group_until(g, group_agrees, 0);
    for (uint64_t id = 1; id <= 3; id++) flight_check(&f, &g->seats[id]);
    struct cluster_command lost = group_mark_command(10 + 24);
    for (uint64_t id = 1; id <= 3; id++) assert_int_equal(group_applied(&g->seats[id], &lost), 0);
}

static void test_any_one_of_three_may_start_again(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    uint64_t next = 10;
    for (unsigned i = 0; i < 4; i++, next += 20) {
        group_until(g, group_has_leader, 0);
        uint64_t id = i % 2 ? group_leader(g)->id % 3 + 1 : group_leader(g)->id; /* the leader, then another */
        group_mark_many(g, next, 10);
        group_close(g, id);
        group_mark_many(g, next + 10, 10);
        group_open(g, id, id == 1);
        group_until(g, group_agrees, 0);
    }
    assert_int_equal(cluster_node_by_raft_id(meta_state(group_leader(g)->member), 1)->info.incarnation, next - 1);
}

static void test_all_may_start_again_at_once(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_mark_many(g, 10, 30);
    uint64_t version = meta_state(group_leader(g)->member)->version;
    for (uint64_t id = 1; id <= 3; id++) group_close(g, id);
    for (uint64_t id = 1; id <= 3; id++) group_open(g, id, id == 1);
    group_until(g, group_has_leader, 0);
    group_until(g, group_agrees, 0);
    assert_int_equal(meta_state(group_leader(g)->member)->version, version);
}

static void test_closing_answers_what_is_open(void **state)
{
    struct group *g = *state;
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    struct seat *leader = group_leader(g);
    for (unsigned i = 0; i < 30; i++) assert_true(flight_add(&f, leader->member));
    group_run(g, 1);
    for (unsigned i = 0; i < 30; i++) assert_true(flight_add(&f, leader->member));
    leader->closing = true;
    group_close(g, leader->id);
    assert_int_equal(f.answered, 60);
    assert_int_equal(f.code[59], ERROR_NOT_LEADER); /* it was never handed to libraft */
    group_until(g, group_has_leader, 0);
    flight_check(&f, group_leader(g));
}

/* ---- snapshots ---- */

static void snapshot_often(struct group *g)
{
    for (uint64_t id = 1; id <= SEATS; id++) {
        if (!g->seats[id].member) continue;
        raft_set_snapshot_threshold(&g->seats[id].member->raft, 16);
        raft_set_snapshot_trailing(&g->seats[id].member->raft, 4);
        raft_set_install_snapshot_timeout(&g->seats[id].member->raft, 200);
    }
}

/* Makes changes from mark `*next` on, until the leader's log no longer has entry `index`. */
static void forget(struct group *g, uint64_t *next, uint64_t index)
{
    do {
        group_mark_many(g, *next, 20);
        *next += 20;
    } while (group_leader(g)->member->raft.trail.offset < index);
}

static void test_a_member_far_behind_gets_a_snapshot(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    snapshot_often(g);
    uint64_t behind = group_leader(g)->id % 3 + 1, next = 10;
    uint64_t last = raft_last_index(&g->seats[behind].member->raft);
    group_close(g, behind);
    forget(g, &next, last + 10);
    group_open(g, behind, false);
    snapshot_often(g);
    group_until(g, group_agrees, 0);
    assert_true(g->seats[behind].replaced > 0);
    group_close(g, behind); /* and has it on disk */
    group_open(g, behind, false);
    group_mark_many(g, next, 40);
    group_until(g, group_agrees, 0);
}

static void test_a_newcomer_begins_with_a_snapshot_and_becomes_a_voter(void **state)
{
    struct group *g = *state;
    uint64_t next = 2;
    group_open(g, 1, true);
    snapshot_often(g);
    forget(g, &next, 10);
    group_close(g, 1);
    group_open(g, 1, true); /* its own snapshot is read */
    snapshot_often(g);
    forget(g, &next, 20);
    struct cluster_command commands[] = {group_admit_command(2), group_role_command(2, CLUSTER_ROLE_LEARNER),
                                         group_role_command(2, CLUSTER_ROLE_VOTER)};
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 2, false);
    group_until(g, group_voters_are, 2);
    group_until(g, group_agrees, 0);
    assert_true(g->seats[2].replaced > 0);
}

/* libraft's read of its own snapshot fails once. */
static int (*real_snapshot_get)(struct raft_io *io, struct raft_io_snapshot_get *req, raft_io_snapshot_get_cb cb);
static raft_io_snapshot_get_cb failing_cb;
static unsigned failures_left;

static void fail_snapshot_get(struct raft_io_snapshot_get *req, struct raft_snapshot *snapshot, int status)
{
    if (status == 0 && failures_left > 0) {
        failures_left--;
        raft_configuration_close(&snapshot->configuration);
        raft_free(snapshot->bufs[0].base);
        raft_free(snapshot->bufs);
        memset(snapshot, 0xaa, sizeof *snapshot);
        status = RAFT_IOERR;
    }
    failing_cb(req, snapshot, status);
}

static int snapshot_get_stub(struct raft_io *io, struct raft_io_snapshot_get *req, raft_io_snapshot_get_cb cb)
{
    failing_cb = cb;
    return real_snapshot_get(io, req, fail_snapshot_get);
}

static void test_a_snapshot_that_cannot_be_read_is_sent_later(void **state)
{
    struct group *g = *state;
    uint64_t next = 2;
    group_open(g, 1, true);
    snapshot_often(g);
    forget(g, &next, 10);
    real_snapshot_get = g->seats[1].member->net.disk.snapshot_get;
    g->seats[1].member->net.disk.snapshot_get = snapshot_get_stub;
    failures_left = 2;
    struct cluster_command commands[] = {group_admit_command(2), group_role_command(2, CLUSTER_ROLE_LEARNER)};
    for (size_t i = 0; i < 2; i++) assert_int_equal(group_apply(g, &commands[i]).error.code, 0);
    group_open(g, 2, false);
    group_until(g, group_agrees, 0);
    assert_int_equal(failures_left, 0);
}

/* ---- a bad network ---- */

static void check_bad_network(struct group *g, uint64_t rounds)
{
    static struct flight f;
    f = (struct flight){.first = 10};
    group_grow(g, 3);
    snapshot_often(g);
    g->loss_percent = 5;
    g->delay_max_ms = 15;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t cut = random_below(&g->random, 4); /* 0: nobody */
        g->seats[cut].cut = cut > 0;
        uint64_t until = clock_monotonic_ms() + 300 + random_below(&g->random, 300);
        while (clock_monotonic_ms() < until) {
            for (uint64_t id = 1; id <= 3; id++) {
                if (random_below(&g->random, 5) == 0 && f.count < FLIGHT_MAX) flight_add(&f, g->seats[id].member);
            }
            group_run(g, 1);
        }
        g->seats[cut].cut = false;
        snapshot_often(g);
    }
    g->loss_percent = g->delay_max_ms = 0;
    group_until(g, flight_over, (uintptr_t)&f);
    group_until(g, group_agrees, 0);
    print_message("%u proposals, version %d\n", f.count, (int)meta_state(group_leader(g)->member)->version);
    for (uint64_t id = 1; id <= 3; id++) {
        if (g->seats[id].replaced == 0) flight_check(&f, &g->seats[id]); /* it has applied everything itself */
    }
}

static void test_loss_delay_and_partitions_change_nothing_but_time(void **state)
{
    check_bad_network(*state, 6);
}

/* ---- membership ---- */

static bool has_problem(struct group *g, uint64_t id)
{
    return strstr(meta_change_problem(g->seats[id].member), "does not answer") != NULL;
}

static void test_a_dead_newcomer_is_named_and_holds_nobody_up(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_until(g, group_leads, 1);
    raft_set_max_catch_up_round_duration(&g->seats[1].member->raft, 200);
    struct cluster_command dead[] = {group_admit_command(4), group_role_command(4, CLUSTER_ROLE_LEARNER),
                                     group_role_command(4, CLUSTER_ROLE_VOTER)};
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &dead[i]).error.code, 0);
    group_until(g, has_problem, 1);
    struct cluster_command alive[] = {group_admit_command(5), group_role_command(5, CLUSTER_ROLE_LEARNER),
                                      group_role_command(5, CLUSTER_ROLE_VOTER)};
    group_open(g, 5, false);
    for (size_t i = 0; i < 3; i++) assert_int_equal(group_apply(g, &alive[i]).error.code, 0);
    struct meta_member members[SEATS];
    do {
        group_run(g, 1);
        assert_int_equal(meta_members(g->seats[1].member, members, SEATS) <= 5, true);
    } while (meta_members(g->seats[1].member, members, SEATS) < 5 || members[4].role != CLUSTER_ROLE_VOTER);
    group_open(g, 4, false);
    group_until(g, group_voters_are, 5);
    group_until(g, group_agrees, 0);
}

/* The state machine does not take votes away yet; the roles are set from here, on all members alike. */
static void want_role(struct group *g, uint64_t id, enum cluster_role role)
{
    for (uint64_t at = 1; at <= SEATS; at++) {
        if (g->seats[at].member) cluster_node_by_raft_id(g->seats[at].member->state, id)->role = role;
    }
}

static bool members_are(struct group *g, uint64_t count)
{
    struct seat *leader = group_leader(g);
    return leader && meta_members(leader->member, NULL, 0) == count;
}

static void test_a_voter_that_is_not_wanted_goes_even_if_it_leads(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    group_until(g, group_agrees, 0);
    want_role(g, 1, CLUSTER_ROLE_LEARNER);
    group_until(g, group_voters_are, 2);
    assert_true(leads_elsewhere(g, 1));
    want_role(g, 1, CLUSTER_ROLE_NONE);
    group_until(g, members_are, 2);
    group_mark_many(g, 10, 5);
    uint64_t leader = group_leader(g)->id;
    want_role(g, leader, CLUSTER_ROLE_NONE);
    group_until(g, leads_elsewhere, leader);
    group_until(g, members_are, 1);
    group_mark_many(g, 20, 5);
    uint64_t last = group_leader(g)->id;
    want_role(g, last, CLUSTER_ROLE_NONE); /* the last voter stays, whatever the state says */
    group_mark_many(g, 30, 5);
    assert_true(group_leads(g, last));
}

/* ---- disks ---- */

static bool has_failed(struct group *g, uint64_t id)
{
    return g->seats[id].failure.code != 0;
}

static int no_vote(struct raft_io *io, raft_id id)
{
    (void)io, (void)id;
    return RAFT_IOERR;
}

static raft_io_append_cb append_cb;
static void append_failed(struct raft_io_append *req, int status)
{
    (void)status;
    append_cb(req, RAFT_IOERR);
}

static int (*real_append)(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[], unsigned n,
                          raft_io_append_cb cb);
static int append_stub(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[], unsigned n, raft_io_append_cb cb)
{
    append_cb = cb;
    return real_append(io, req, entries, n, append_failed);
}

static void test_a_vote_that_cannot_be_stored_ends_the_member(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    struct seat *leader = group_leader(g), *other = &g->seats[leader->id % 3 + 1];
    other->may_fail = true;
    other->member->net.disk.set_vote = no_vote;
    leader->cut = true;
    group_until(g, has_failed, other->id);
    assert_int_equal(other->failure.code, ERROR_IO);
    leader->cut = false;
    group_until(g, group_has_leader, 0);
    assert_true(group_leader(g) != other);
}

static void test_a_write_that_fails_ends_the_member(void **state)
{
    struct group *g = *state;
    group_grow(g, 3);
    struct seat *leader = group_leader(g);
    static struct flight f;
    f = (struct flight){.first = 10};
    leader->may_fail = true;
    real_append = leader->member->net.disk.append;
    leader->member->net.disk.append = append_stub;
    assert_true(flight_add(&f, leader->member));
    group_until(g, has_failed, leader->id);
    assert_int_equal(leader->failure.code, ERROR_IO);
    assert_false(meta_leads(leader->member));
    size_t sent = g->sent;
    assert_false(flight_add(&f, leader->member));
    group_until(g, leads_elsewhere, leader->id);
    group_close(g, leader->id);
    assert_int_equal(f.answered, 1);
    assert_true(g->sent >= sent);
}

/* Overwrites bytes of the first file whose name begins with `prefix`. */
static void damage(const struct seat *s, const char *prefix, long at)
{
    DIR *dir = opendir(s->dir);
    for (struct dirent *d; (d = readdir(dir));) {
        char path[400];
        if (strncmp(d->d_name, prefix, strlen(prefix)) != 0 || strstr(d->d_name, ".meta")) continue;
        snprintf(path, sizeof path, "%s/%s", s->dir, d->d_name);
        FILE *file = fopen(path, "r+");
        fseek(file, at, SEEK_SET);
        fputs("damage!!", file);
        fclose(file);
    }
    closedir(dir);
}

static void refused_to_open(struct group *g, uint64_t id)
{
    struct seat *s = &g->seats[id];
    struct meta_options options = {.dir = s->dir, .raft_id = id, .election_ms = 200, .heartbeat_ms = 20};
    struct meta_handler handler = {0};
    struct error e = {0};
    assert_int_equal(meta_open(&g->loop, &options, &handler, NULL, &s->member, &e), ERROR_FORMAT);
    assert_null(s->member);
    assert_non_null(strstr(e.text, "wipe the data directory and rejoin under a new raft id"));
    group_run(g, 50);
}

static void test_a_damaged_log_is_refused(void **state)
{
    struct group *g = *state;
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
    group_mark_many(g, 2, 10);
    group_close(g, 1);
    damage(&g->seats[1], "0000000000000002", 40);
    refused_to_open(g, 1);
}

static void test_a_damaged_snapshot_is_refused(void **state)
{
    struct group *g = *state;
    uint64_t next = 2;
    group_open(g, 1, true);
    snapshot_often(g);
    forget(g, &next, 10);
    group_close(g, 1);
    damage(&g->seats[1], "snapshot-", 60);
    refused_to_open(g, 1);
}

static void test_what_is_no_directory_is_refused(void **state)
{
    struct group *g = *state;
    struct seat *s = &g->seats[1];
    struct meta_options options = {.dir = "/nowhere/at/all", .raft_id = 1, .election_ms = 200, .heartbeat_ms = 20};
    struct meta_handler handler = {0};
    struct error e = {0};
    assert_int_equal(meta_open(&g->loop, &options, &handler, NULL, &s->member, &e), ERROR_IO);
    fclose(fopen(s->dir, "w"));
    options.dir = s->dir;
    assert_int_equal(meta_open(&g->loop, &options, &handler, NULL, &s->member, &e), ERROR_IO);
}

int meta_failure_tests(void)
{
#define FAILURE_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        FAILURE_TEST(test_proposals_of_a_leader_that_is_cut_off_end_and_happen_at_most_once),
        FAILURE_TEST(test_any_one_of_three_may_start_again),
        FAILURE_TEST(test_all_may_start_again_at_once),
        FAILURE_TEST(test_closing_answers_what_is_open),
        FAILURE_TEST(test_a_member_far_behind_gets_a_snapshot),
        FAILURE_TEST(test_a_newcomer_begins_with_a_snapshot_and_becomes_a_voter),
        FAILURE_TEST(test_a_snapshot_that_cannot_be_read_is_sent_later),
        FAILURE_TEST(test_loss_delay_and_partitions_change_nothing_but_time),
        FAILURE_TEST(test_a_dead_newcomer_is_named_and_holds_nobody_up),
        FAILURE_TEST(test_a_voter_that_is_not_wanted_goes_even_if_it_leads),
        FAILURE_TEST(test_a_vote_that_cannot_be_stored_ends_the_member),
        FAILURE_TEST(test_a_write_that_fails_ends_the_member),
        FAILURE_TEST(test_a_damaged_log_is_refused),
        FAILURE_TEST(test_a_damaged_snapshot_is_refused),
        FAILURE_TEST(test_what_is_no_directory_is_refused),
    };
    return cmocka_run_group_tests_name("meta: failures", tests, NULL, NULL);
}
