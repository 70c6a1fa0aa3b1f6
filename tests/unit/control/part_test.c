/* The small parts: candidates, the ring of commands, the log of steps, the policy thread, the metadata file, names of
 * scripts. */
#include "tests.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "control/candidates.h"
#include "control/delta_ring.h"
#include "control/metadata_file.h"
#include "control/policy_thread.h"
#include "control/script_source.h"
#include "control/step_log.h"
#include "files.h"

static struct cluster_node_info candidate(unsigned number, uint64_t incarnation)
{
    struct cluster_node_info i = {.incarnation = incarnation};
    snprintf(i.id, sizeof i.id, "%040x", number);
    return i;
}

static void test_candidates_are_kept_sorted_and_forgotten_when_silent(void **state)
{
    (void)state;
    struct candidates c = {0};
    struct cluster_state *s = cluster_state_new();
    struct cluster_node_info three = candidate(3, 1), one = candidate(1, 1), old = candidate(3, 0);
    assert_true(candidates_heard(&c, &three, 100));
    assert_true(candidates_heard(&c, &one, 200));
    assert_false(candidates_heard(&c, &three, 300));
    assert_false(candidates_heard(&c, &old, 300));
    assert_int_equal(c.count, 2);
    assert_string_equal(c.list[0].info.id, one.id);
    candidates_expire(&c, s, 200 + CANDIDATES_TTL_MS + 1);
    assert_int_equal(c.count, 1);
    assert_null(candidates_find(&c, one.id));
    assert_non_null(candidates_find(&c, three.id));
    candidates_release(&c);
    cluster_state_free(s);
}

static void test_a_candidate_displaces_another_at_its_address(void **state)
{
    (void)state;
    struct candidates c = {0};
    struct cluster_node_info old = candidate(9, 5), other = candidate(5, 1), fresh = candidate(1, 1);
    old.bus_port = fresh.bus_port = 50051;
    other.bus_port = 50052;
    assert_true(candidates_heard(&c, &old, 100));
    assert_true(candidates_heard(&c, &other, 100));
    assert_true(candidates_heard(&c, &fresh, 200));
    assert_int_equal(c.count, 2);
    assert_null(candidates_find(&c, old.id));
    candidates_remove(&c, fresh.id);
    candidates_remove(&c, old.id);
    assert_int_equal(c.count, 1);
    assert_non_null(candidates_find(&c, other.id));
    candidates_release(&c);
}

static void test_there_are_only_so_many_candidates(void **state)
{
    (void)state;
    struct candidates c = {0};
    for (unsigned i = 0; i < CANDIDATES_MAX + 10; i++) {
        struct cluster_node_info info = candidate(i * 7919 % 65536, 1);
        candidates_heard(&c, &info, 1);
    }
    assert_int_equal(c.count, CANDIDATES_MAX);
    for (unsigned i = 1; i < c.count; i++) assert_true(strcmp(c.list[i - 1].info.id, c.list[i].info.id) < 0);
    candidates_release(&c);
}

static void test_the_ring_gives_the_commands_after_a_version(void **state)
{
    (void)state;
    struct delta_ring *r = calloc(1, sizeof *r);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(delta_ring_since(r, 0, &out), 0);
    for (uint64_t v = 5; v < 5 + 2 * DELTA_RING_COMMANDS; v++) delta_ring_add(r, v, bytes_of(&v, sizeof v));
    uint64_t last = 4 + 2 * DELTA_RING_COMMANDS;
    assert_int_equal(delta_ring_since(r, last, &out), 0);
    assert_int_equal(delta_ring_since(r, last - DELTA_RING_COMMANDS - 1, &out), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(delta_ring_since(r, last - 2, &out), 2);
    struct reader in = reader_of(buffer_bytes(&out));
    struct bytes first = read_bytes(&in, 100);
    assert_memory_equal(first.data, &(uint64_t){last - 1}, 8);
    buffer_clear(&out);
    assert_int_equal(delta_ring_since(r, last - DELTA_RING_COMMANDS, &out), DELTA_RING_COMMANDS);
    delta_ring_add(r, last + 7, bytes_text("after a gap"));
    buffer_clear(&out);
    assert_int_equal(delta_ring_since(r, last, &out), 0);
    assert_int_equal(delta_ring_since(r, last + 6, &out), 1);
    delta_ring_clear(r);
    free(r);
    buffer_release(&out);
}

static void test_the_ring_is_bounded_in_bytes(void **state)
{
    (void)state;
    struct delta_ring *r = calloc(1, sizeof *r);
    struct buffer out;
    buffer_init(&out, 4 << 20);
    size_t size = 300 << 10;
    uint8_t *large = calloc(1, size);
    for (uint64_t v = 1; v <= 10; v++) delta_ring_add(r, v, bytes_of(large, size));
    assert_true(r->bytes <= DELTA_RING_BYTES_MAX);
    assert_int_equal(delta_ring_since(r, 7, &out), 3);
    assert_int_equal(delta_ring_since(r, 6, &out), 0);
    delta_ring_clear(r);
    assert_int_equal(r->bytes, 0);
    free(large);
    free(r);
    buffer_release(&out);
}

static void apply(struct step_log *l, const struct cluster_command *c)
{
    struct buffer b;
    buffer_init(&b, 1 << 16);
    cluster_command_encode(c, &b);
    step_log_applied(l, buffer_bytes(&b));
    buffer_release(&b);
}

static void test_the_step_log_tells_every_round(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_node_info info = {.alias = 5, .name = "vm"};
    struct cluster_step steps[] = {{.op = CLUSTER_OP_wait, .ms = 5, .why = "for a"},
                                   {.op = CLUSTER_OP_wait, .ms = 6, .why = ""}};
    apply(&l,
          &(struct cluster_command){.type = CLUSTER_RUN_ROUND, .run = 1, .round = 1, .steps = steps, .step_count = 2});
    apply(&l, &(struct cluster_command){
                  .type = CLUSTER_RUN_STEP, .run = 1, .round = 1, .index = 0, .step_status = CLUSTER_STEP_STARTED});
    apply(&l, &(struct cluster_command){.type = CLUSTER_RUN_STEP,
                                        .run = 1,
                                        .round = 1,
                                        .index = 0,
                                        .step_status = CLUSTER_STEP_FAILED,
                                        .text = "oh"});
    apply(&l,
          &(struct cluster_command){.type = CLUSTER_RUN_ROUND, .run = 1, .round = 2, .steps = steps, .step_count = 1});
    assert_int_equal(step_log_count(&l), 3);
    struct buffer text;
    buffer_init(&text, 10000);
    for (uint32_t i = 0; i < 3; i++) {
        step_log_text(step_log_at(&l, i), i == 0 ? &info : NULL, &text);
        buffer_append_text(&text, "\n");
    }
    buffer_append(&text, "", 1);
    const char *got = (const char *)text.data;
    assert_int_equal(strncmp(got, "1.1 failed wait", 15), 0);
    assert_non_null(strstr(got, " [5 vm] (for a): oh\n1.2 dropped wait"));
    assert_non_null(strstr(got, "\n2.1 pending wait"));
    buffer_release(&text);
    step_log_release(&l);
}

/* As on a voter, which sees every command twice; and as a new leader, which has libraft's after all the pushed ones. */
static void test_the_step_log_takes_a_round_in_once(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_step steps[] = {{.op = CLUSTER_OP_wait, .ms = 5}, {.op = CLUSTER_OP_wait, .ms = 6}};
    struct cluster_command round = {.type = CLUSTER_RUN_ROUND, .run = 1, .round = 1, .steps = steps, .step_count = 2};
    struct cluster_command done = {
        .type = CLUSTER_RUN_STEP, .run = 1, .round = 1, .index = 0, .step_status = CLUSTER_STEP_DONE};
    for (int i = 0; i < 2; i++) {
        apply(&l, &round);
        apply(&l, &done);
    }
    assert_int_equal(step_log_count(&l), 2);
    assert_int_equal(step_log_at(&l, 0)->status, CLUSTER_STEP_DONE);
    assert_false(step_log_at(&l, 1)->dropped);
    step_log_release(&l);
}

/* A node that just became leader has heard of the end from libraft, and of the beginning again from the last leader. */
static void test_the_step_log_takes_nothing_back(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_step step = {.op = CLUSTER_OP_wait, .ms = 5};
    struct cluster_command c = {.type = CLUSTER_RUN_ROUND, .run = 1, .round = 1, .steps = &step, .step_count = 1};
    apply(&l, &c);
    c = (struct cluster_command){.type = CLUSTER_RUN_STEP, .run = 1, .round = 1};
    const enum cluster_step_status order_told[] = {CLUSTER_STEP_STARTED, CLUSTER_STEP_DONE, CLUSTER_STEP_STARTED};
    for (size_t i = 0; i < 3; i++) {
        c.step_status = order_told[i];
        apply(&l, &c);
    }
    assert_int_equal(step_log_at(&l, 0)->status, CLUSTER_STEP_DONE);
    step_log_release(&l);
}

static void test_the_step_log_says_of_a_step_that_its_run_ended_first(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_step steps[] = {{.op = CLUSTER_OP_wait, .ms = 5}, {.op = CLUSTER_OP_wait, .ms = 6}};
    struct buffer text;
    buffer_init(&text, 1024);
    apply(&l, &(struct cluster_command){.type = CLUSTER_RUN_ROUND, .run = 1, .round = 1, .steps = steps, .step_count = 2});
    apply(&l, &(struct cluster_command){
                  .type = CLUSTER_RUN_STEP, .run = 1, .round = 1, .step_status = CLUSTER_STEP_STARTED});
    apply(&l, &(struct cluster_command){.type = CLUSTER_RUN_END, .run = 1, .run_status = CLUSTER_RUN_CANCELLED});
    step_log_text(step_log_at(&l, 0), NULL, &text);
    buffer_append(&text, "", 1);
    assert_string_equal(text.data, "1.1 started wait 5 ms: the run ended before this step had an outcome");
    assert_true(step_log_at(&l, 1)->dropped);
    buffer_release(&text);
    step_log_release(&l);
}

/* A member that joins in the middle of a run is pushed its second round, and hears of the first from libraft. */
static void test_the_step_log_hears_late_of_the_first_round(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_step steps[] = {{.op = CLUSTER_OP_wait, .ms = 5}, {.op = CLUSTER_OP_wait, .ms = 6}};
    struct cluster_command c = {.type = CLUSTER_RUN_ROUND, .run = 1, .steps = steps, .step_count = 2};
    const struct step_log_line *lines[STEP_LOG_MAX];
    for (c.round = 2; c.round > 0; c.round--) apply(&l, &c);
    apply(&l, &(struct cluster_command){.type = CLUSTER_RUN_ROUND, .run = 2, .round = 1, .steps = steps, .step_count = 1});
    assert_int_equal(step_log_of_run(&l, 1, lines), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(lines[i]->round, i / 2 + 1);
        assert_int_equal(lines[i]->index, i % 2);
        assert_false(lines[i]->dropped);
    }
    c.round = 3;
    apply(&l, &c);
    for (uint32_t i = 0; i < 4; i++) assert_true(lines[i]->dropped);
    step_log_release(&l);
}

static void test_the_step_log_forgets_the_oldest(void **state)
{
    (void)state;
    struct step_log l = {0};
    struct cluster_step step = {.op = CLUSTER_OP_wait, .ms = 5};
    for (uint32_t round = 1; round <= STEP_LOG_MAX + 100; round++)
        apply(&l, &(struct cluster_command){
                      .type = CLUSTER_RUN_ROUND, .run = 1, .round = round, .steps = &step, .step_count = 1});
    assert_int_equal(step_log_count(&l), STEP_LOG_MAX);
    assert_int_equal(step_log_at(&l, 0)->round, 101);
    assert_int_equal(step_log_at(&l, STEP_LOG_MAX - 1)->round, STEP_LOG_MAX + 100);
    step_log_release(&l);
}

/* ---- the policy thread ---- */

static char order[8]; /* the jobs as they end */

static void job_ended(void *user, struct policy_job *j)
{
    (void)user;
    order[strlen(order)] = j->name[0];
}

static struct policy_job *job(enum policy_job_kind kind, const char *name, const char *text)
{
    struct policy_job *j = policy_job_new(kind);
    policy_job_set_source(j, name, "", bytes_text(text));
    j->state = cluster_state_new();
    j->done = job_ended;
    return j;
}

static void test_a_plan_goes_before_scripts_that_wait(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct mailbox *m = mailbox_new(&loop, 128, NULL);
    struct policy_thread *t = policy_thread_new(m);
    memset(order, 0, sizeof order);
    const char *slow = "local n = 0 for i = 1, 5000000 do n = n + i end return n";
    assert_true(policy_thread_submit(t, job(POLICY_EVAL, "a", slow)));
    usleep(2000); /* it runs now, or comes later than both others: then it shows as that */
    assert_true(policy_thread_submit(t, job(POLICY_EVAL, "b", "return 1")));
    assert_true(policy_thread_submit(t, job(POLICY_PLAN, "p", "return 1")));
    assert_true(policy_thread_submit(t, job(POLICY_PLAN, "q", "return 1")));
    while (strlen(order) < 4) uv_run(&loop, UV_RUN_ONCE);
    assert_non_null(strstr(order, "pq"));
    assert_true(strchr(order, 'q') < strchr(order, 'b'));
    policy_thread_free(t);
    mailbox_close(m);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Of a cluster of one, with a policy of a hundred rounds. */
static struct policy_job *dry_run_job(const char *name)
{
    static const struct cluster_node_info founder = {.id = "0123456789012345678901234567890123456789",
                                                     .name = "a",
                                                     .version = "1",
                                                     .bus_host = "a",
                                                     .bus_port = 1,
                                                     .incarnation = 1,
                                                     .endpoints = {{.match = "any", .host = "a", .port = 1}},
                                                     .endpoint_count = 1};
    static const char text[] = "return { name = 'n', doc = 'd', params = {}, plan = function(view)\n"
                               "  for i = 1, 300000 do end\n"
                               "  return { { op = 'set', key = 'patience', value = 1000 + view.run.round } } end }";
    struct cluster_command found = {.type = CLUSTER_FOUND, .info = founder};
    memcpy(found.cluster_id, founder.id, sizeof found.cluster_id);
    struct cluster_state *s = cluster_state_new();
    struct cluster_result result;
    struct buffer b;
    buffer_init(&b, 4096);
    cluster_command_encode(&found, &b);
    cluster_apply(s, buffer_bytes(&b), &result);
    assert_int_equal(result.error.code, 0);
    buffer_release(&b);
    struct policy_job *j = job(POLICY_DRY_RUN, name, "");
    const struct script_source source = {"n", "0011223344556677", bytes_text(text)};
    j->dry_run = script_dry_run_new(&source, NULL, 0, s, &(struct cluster_live){0}, 60000);
    return j;
}

static void test_a_dry_run_gives_way_after_every_slice(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct mailbox *m = mailbox_new(&loop, 128, NULL);
    struct policy_thread *t = policy_thread_new(m);
    memset(order, 0, sizeof order);
    assert_true(policy_thread_submit(t, dry_run_job("d")));
    assert_true(policy_thread_submit(t, job(POLICY_EVAL, "a", "return 1")));
    assert_true(policy_thread_submit(t, job(POLICY_EVAL, "b", "return 1")));
    assert_true(policy_thread_submit(t, job(POLICY_PLAN, "p", "return 1")));
    while (strlen(order) < 4) uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(order[3], 'd');
    policy_thread_free(t);
    mailbox_close(m);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_scripts_that_wait_leave_room_for_a_plan(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct mailbox *m = mailbox_new(&loop, 128, NULL);
    struct policy_thread *t = policy_thread_new(m);
    struct policy_job *last;
    do {
        last = job(POLICY_EVAL, "a", "while true do end");
    } while (policy_thread_submit(t, last));
    policy_job_free(last);
    assert_true(policy_thread_submit(t, job(POLICY_PLAN, "p", "return 1")));
    policy_thread_free(t);
    mailbox_close(m);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- files ---- */

static void write_state(const char *dir)
{
    struct cluster_state *s = cluster_state_new();
    struct buffer b;
    struct error e;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_state_encode(s, &b);
    assert_int_equal(metadata_file_write(dir, buffer_bytes(&b), &e), 0);
    buffer_release(&b);
    cluster_state_free(s);
}

static void test_the_metadata_file_is_read_as_written_and_damage_is_seen(void **state)
{
    (void)state;
    char dir[FILES_DIR_MAX], path[FILES_DIR_MAX + 10];
    files_make(dir, "metadata");
    snprintf(path, sizeof path, "%s/metadata", dir);
    struct cluster_state *s = NULL;
    struct error e;
    assert_int_equal(metadata_file_read(dir, &s, &e), ERROR_NOT_FOUND);
    write_state(dir);
    assert_int_equal(metadata_file_read(dir, &s, &e), 0);
    assert_int_equal(s->version, 0);
    cluster_state_free(s);
    for (off_t at = 0; at < 40; at++) {
        write_state(dir);
        int fd = open(path, O_RDWR);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_int_equal(metadata_file_read(dir, &s, &e), ERROR_FORMAT);
    }
    assert_int_equal(unlink(path), 0);
    files_remove(dir);
}

static void test_names_and_versions_of_scripts(void **state)
{
    (void)state;
    assert_true(script_source_name_valid(bytes_text("my-init_2")));
    assert_false(script_source_name_valid(bytes_text("")));
    assert_false(script_source_name_valid(bytes_text("My")));
    assert_false(script_source_name_valid(bytes_of("a\0b", 3)));
    char version[17], doc[20];
    script_source_version(bytes_text("abc"), version);
    assert_string_equal(version, "ba7816bf8f01cfea");
    script_source_doc(bytes_text("-- What it does, at length.\nreturn {}"), doc, sizeof doc);
    assert_string_equal(doc, "What it does, at le");
    script_source_doc(bytes_text("return {}"), doc, sizeof doc);
    assert_string_equal(doc, "");
}

int part_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates_are_kept_sorted_and_forgotten_when_silent),
        cmocka_unit_test(test_a_candidate_displaces_another_at_its_address),
        cmocka_unit_test(test_there_are_only_so_many_candidates),
        cmocka_unit_test(test_the_ring_gives_the_commands_after_a_version),
        cmocka_unit_test(test_the_ring_is_bounded_in_bytes),
        cmocka_unit_test(test_the_step_log_tells_every_round),
        cmocka_unit_test(test_the_step_log_takes_a_round_in_once),
        cmocka_unit_test(test_the_step_log_takes_nothing_back),
        cmocka_unit_test(test_the_step_log_says_of_a_step_that_its_run_ended_first),
        cmocka_unit_test(test_the_step_log_hears_late_of_the_first_round),
        cmocka_unit_test(test_the_step_log_forgets_the_oldest),
        cmocka_unit_test(test_a_plan_goes_before_scripts_that_wait),
        cmocka_unit_test(test_a_dry_run_gives_way_after_every_slice),
        cmocka_unit_test(test_scripts_that_wait_leave_room_for_a_plan),
        cmocka_unit_test(test_the_metadata_file_is_read_as_written_and_damage_is_seen),
        cmocka_unit_test(test_names_and_versions_of_scripts),
    };
    return tests_run(tests, sizeof tests / sizeof *tests);
}
