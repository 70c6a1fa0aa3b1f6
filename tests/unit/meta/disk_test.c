/* Disks that fail or lie: a member ends rather than break its word. */
#include <dirent.h>
#include <unistd.h>

#include "flight.h"
#include "meta/member.h"
#include "snapshot.h"
#include "tests.h"

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
static int append_stub(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[], unsigned n,
                       raft_io_append_cb cb)
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
    assert_int_equal(other->failure.code, ERROR_DISK);
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
    assert_int_equal(leader->failure.code, ERROR_DISK);
    assert_false(meta_leads(leader->member));
    size_t sent = g->sent;
    assert_false(flight_add(&f, leader->member));
    group_until(g, group_leads_elsewhere, leader->id);
    group_close(g, leader->id);
    assert_int_equal(f.answered, 1);
    assert_true(g->sent >= sent);
}

static void test_a_leader_whose_disk_stalls_hands_over(void **state)
{
    struct group *g = *state;
    g->election_ms = CALM_MS; /* nobody else would take over so soon */
    group_grow(g, 3);
    struct meta_io *net = &g->seats[1].member->net;
    net->writes_open++; /* one that never ends */
    while (g->seats[1].leads) {
        net->writes_open_since_ms = 0;
        group_run(g, 1);
    }
    net->writes_open--;
    group_until(g, group_leads_elsewhere, 1);
}

/* Overwrites bytes of the files whose names begin with `prefix`. */
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

static void founded_and_closed(struct group *g)
{
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
    group_mark_many(g, 2, 10);
    group_close(g, 1);
}

static void test_a_damaged_log_is_refused(void **state)
{
    struct group *g = *state;
    founded_and_closed(g);
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

/* A file of `s` whose name begins with `prefix`. */
static void find_file(const struct seat *s, const char *prefix, char *path, size_t size)
{
    DIR *dir = opendir(s->dir);
    *path = 0;
    for (struct dirent *d; (d = readdir(dir));)
        if (strncmp(d->d_name, prefix, strlen(prefix)) == 0) snprintf(path, size, "%s/%s", s->dir, d->d_name);
    closedir(dir);
    assert_true(*path);
}

static void test_a_log_cut_short_is_refused(void **state)
{
    struct group *g = *state;
    char path[400];
    founded_and_closed(g);
    find_file(&g->seats[1], "0000000000000002", path, sizeof path);
    for (off_t size = 99; size > 0; size -= 14) {
        assert_int_equal(truncate(path, size), 0);
        refused_to_open(g, 1);
    }
}

static void test_an_open_segment_of_one_byte_is_refused(void **state)
{
    struct group *g = *state;
    char path[400];
    founded_and_closed(g);
    snprintf(path, sizeof path, "%s/open-99", g->seats[1].dir);
    FILE *file = fopen(path, "w");
    fputc(1, file);
    fclose(file);
    refused_to_open(g, 1);
}

/* metadata1 and metadata2 hold format · version · term · vote, 8 bytes each; of the two the higher version counts. */
static void set_byte_of_term(const struct seat *s, long at, int value)
{
    for (int i = 1; i <= 2; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/metadata%d", s->dir, i);
        FILE *file = fopen(path, "r+");
        if (!file) continue;
        fseek(file, 16 + at, SEEK_SET);
        fputc(value, file);
        fclose(file);
    }
}

static void test_a_term_that_no_election_led_to_is_refused(void **state)
{
    struct group *g = *state;
    founded_and_closed(g);
    set_byte_of_term(&g->seats[1], 5, 1);
    refused_to_open(g, 1);
    set_byte_of_term(&g->seats[1], 5, 0);
    set_byte_of_term(&g->seats[1], 0, 0);
    refused_to_open(g, 1);
    set_byte_of_term(&g->seats[1], 2, 2); /* so many elections are possible */
    group_open(g, 1, true);
    group_until(g, group_leads, 1);
}

static void test_a_founder_without_a_log_is_told_what_to_do(void **state)
{
    struct group *g = *state;
    struct seat *s = &g->seats[1];
    founded_and_closed(g);
    DIR *dir = opendir(s->dir);
    for (struct dirent *d; (d = readdir(dir));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", s->dir, d->d_name);
        if (strncmp(d->d_name, "metadata", 8) != 0) unlink(path);
    }
    closedir(dir);
    struct meta_options options = {.dir = s->dir, .raft_id = 1, .election_ms = 200, .heartbeat_ms = 20};
    struct meta_handler handler = {0};
    struct error e = {0};
    struct cluster_command found = group_found_command();
    assert_int_equal(meta_open(&g->loop, &options, &handler, &found, &s->member, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "empty the data directory and start again; else wipe it and rejoin"));
    group_run(g, 50);
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
    assert_int_equal(meta_open(&g->loop, &options, &handler, NULL, &s->member, &e), ERROR_FORMAT);
}

int meta_disk_tests(void)
{
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)
    const struct CMUnitTest tests[] = {
        DISK_TEST(test_a_vote_that_cannot_be_stored_ends_the_member),
        DISK_TEST(test_a_write_that_fails_ends_the_member),
        DISK_TEST(test_a_leader_whose_disk_stalls_hands_over),
        DISK_TEST(test_a_damaged_log_is_refused),
        DISK_TEST(test_a_damaged_snapshot_is_refused),
        DISK_TEST(test_a_log_cut_short_is_refused),
        DISK_TEST(test_an_open_segment_of_one_byte_is_refused),
        DISK_TEST(test_a_term_that_no_election_led_to_is_refused),
        DISK_TEST(test_a_founder_without_a_log_is_told_what_to_do),
        DISK_TEST(test_what_is_no_directory_is_refused),
    };
    return cmocka_run_group_tests_name("meta: disks", tests, NULL, NULL);
}
