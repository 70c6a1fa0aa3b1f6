/* The format must not change unnoticed: other versions' logs and snapshots hold it. Files in golden/, and what the fuzzers
 * begin with, written anew by REWRITE=1. */
#include <stdio.h>

#include "files.h"
#include "rich.h"

#define GOLDEN "unit/cluster/golden/"
#define CORPUS "fuzz/corpus/"

static void test_the_format_of_a_state_has_not_changed(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state(), *empty = cluster_state_new();
    struct buffer b = encoded(s), c = encoded(empty);
    files_expect_golden(GOLDEN "state.bin", buffer_bytes(&b));
    files_expect_golden(GOLDEN "state_empty.bin", buffer_bytes(&c));
    files_expect_golden(CORPUS "cluster_decode/state", buffer_bytes(&b));
    files_expect_golden(CORPUS "cluster_decode/state_empty", buffer_bytes(&c));
    buffer_release(&b);
    buffer_release(&c);
    cluster_state_free(s);
    cluster_state_free(empty);
}

static void test_the_format_of_no_command_has_changed(void **state)
{
    (void)state;
    for (enum cluster_command_type type = 0; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        struct cluster_command c = rich_command(type);
        struct buffer b = encoded_command(&c);
        char file[80];
        snprintf(file, sizeof file, GOLDEN "%s.bin", cluster_command_name(type));
        files_expect_golden(file, buffer_bytes(&b));
        buffer_release(&b);
        cluster_command_release(&c);
    }
}

/* ---- what fuzz_cluster_apply begins with: of another format it would find nothing but that ---- */

enum { UNFOUNDED, SIX_NODES, WITH_RUN }; /* the states it has ready: see there */

static struct buffer seed_on(uint8_t state)
{
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    write_u8(&b, state);
    return b;
}

static void add(struct buffer *seed, struct cluster_command c)
{
    struct buffer b = encoded_command(&c);
    write_u16(seed, (uint16_t)b.len);
    buffer_append(seed, b.data, b.len);
    buffer_release(&b);
    cluster_command_release(&c);
}

static void is_in_corpus(const char *name, struct buffer seed)
{
    assert_false(seed.failed);
    char file[80];
    snprintf(file, sizeof file, CORPUS "cluster_apply/%s", name);
    files_expect_golden(file, buffer_bytes(&seed));
    buffer_release(&seed);
}

static void test_the_fuzzer_s_corpus_has_every_command(void **state)
{
    (void)state;
    struct buffer all = seed_on(UNFOUNDED);
    for (enum cluster_command_type type = 0; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        struct buffer seed = seed_on(WITH_RUN);
        add(&seed, rich_command(type));
        is_in_corpus(cluster_command_name(type), seed);
        add(&all, rich_command(type));
    }
    is_in_corpus("all", all);
}

static void test_the_fuzzer_s_corpus_has_ways_there_and_back(void **state)
{
    (void)state;
    struct buffer seed = seed_on(SIX_NODES);
    add(&seed, set_role(4, CLUSTER_ROLE_VOTER));
    add(&seed, set_reachable(4, false));
    add(&seed, set_role(4, CLUSTER_ROLE_LEARNER));
    add(&seed, set_role(4, CLUSTER_ROLE_NONE));
    add(&seed, set_leaving(4, true));
    add(&seed, remove_node(4));
    add(&seed, admit(7));
    add(&seed, set_role(7, CLUSTER_ROLE_LEARNER));
    is_in_corpus("roles", seed);

    seed = seed_on(SIX_NODES);
    add(&seed, assign_slots(2, 8001, 16383));
    add(&seed, replicate(5, 1));
    add(&seed, move_slots(1, 2, 100, 8000));
    add(&seed, detach(5));
    add(&seed, drop_shard(1));
    add(&seed, create_shard(1));
    is_in_corpus("shards", seed);

    seed = seed_on(WITH_RUN);
    add(&seed, run_pause(1, true));
    add(&seed, run_step(1, 1, 0, CLUSTER_STEP_FAILED, "no answer"));
    add(&seed, run_pause(1, false));
    add(&seed, run_round(1, 2, 2, rich_step(CLUSTER_OP_move_slots), rich_step(CLUSTER_OP_label)));
    for (uint32_t i = 0; i < 2; i++) {
        add(&seed, run_step(1, 2, i, CLUSTER_STEP_STARTED, ""));
        add(&seed, run_step(1, 2, i, CLUSTER_STEP_DONE, ""));
    }
    add(&seed, run_end(1, CLUSTER_RUN_DONE, ""));
    add(&seed, trigger_set("nightly", "rebalance"));
    add(&seed, rich_command(CLUSTER_RUN_START));
    is_in_corpus("runs", seed);

    seed = seed_on(WITH_RUN);
    add(&seed, load_script("init", 1, "return {}"));
    add(&seed, load_script("init", 2, "return { }"));
    add(&seed, set_current("init", 1));
    add(&seed, delete_script("init"));
    add(&seed, triggers_pause(true));
    add(&seed, trigger_delete("membership"));
    is_in_corpus("scripts", seed);
}

int run_golden_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_format_of_a_state_has_not_changed),
        cmocka_unit_test(test_the_format_of_no_command_has_changed),
        cmocka_unit_test(test_the_fuzzer_s_corpus_has_every_command),
        cmocka_unit_test(test_the_fuzzer_s_corpus_has_ways_there_and_back),
    };
    return cmocka_run_group_tests_name("cluster format", tests, NULL, NULL);
}
