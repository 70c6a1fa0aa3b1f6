#include "command/engine.h"
#include "fixture.h"

#include <stdlib.h>

#define MIB ((uint64_t)1 << 20)

static void test_the_doctor_names_what_is_unusual(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    n->memory = (struct command_memory){.used = 100 * MIB, .peak = 101 * MIB, .active = 105 * MIB, .allocator_resident = 110 * MIB, .resident = 115 * MIB};
    assert_contains(ask(n, c, "MEMORY DOCTOR"), "There is nothing unusual");
    n->memory.peak = 1000 * MIB;
    assert_contains(ask(n, c, "MEMORY DOCTOR"), "- Peak: 1000 MiB were in use once, 100 MiB are now.");
    n->memory = (struct command_memory){.used = 100 * MIB, .peak = 100 * MIB, .active = 150 * MIB, .allocator_resident = 400 * MIB, .resident = 900 * MIB,
                                        .mapped = 10 * MIB, .clients = 10 * MIB, .client_count = 2};
    const char *said = ask(n, c, "MEMORY DOCTOR");
    assert_contains(said, "- Fragmentation: the allocator's pages take 150 MiB for 100 MiB in use.");
    assert_contains(said, "- Allocator: it keeps 400 MiB, of which 150 MiB hold something.");
    assert_contains(said, "- Others: the process has 490 MiB beside what the allocator keeps.");
    assert_contains(said, "- Clients: requests and replies under way take 10 MiB, 5120 KiB a client.");
    assert_null(strstr(said, "Peak"));
    client_close(c);
}

static void test_the_doctor_tells_of_keys_that_may_not_go(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    n->memory = (struct command_memory){.used = 1, .peak = 1};
    says(n, c, "SETRANGE k 3000000 x", ":3000001");
    struct command_tuning tuning = n->engine->tuning;
    tuning.data_max = 2 * MIB;
    tuning.eviction.expiring_only = true;
    command_engine_tune(n->engine, &tuning);
    assert_contains(ask(n, c, "SET other v"), "-OOM ");
    assert_contains(ask(n, c, "MEMORY DOCTOR"), "- Eviction: the data take 3 MiB of 2 MiB, and ");
    says(n, c, "DEL k", ":1");
    assert_contains(ask(n, c, "MEMORY DOCTOR"), "There is nothing unusual");
    client_close(c);
}

static void test_what_the_allocator_does_not_tell_is_left_out(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    n->memory = (struct command_memory){.used = 200, .peak = 400, .at_start = 100, .rows = 50};
    says(n, c, "SET k v", "+OK");
    const char *stats = ask(n, c, "MEMORY STATS");
    assert_contains(stats, "total.allocated\r\n:200\r\n");
    assert_contains(stats, "overhead.total\r\n:150\r\n");
    assert_contains(stats, "keys.bytes-per-key\r\n:100\r\n");
    assert_contains(stats, "peak.percentage\r\n$2\r\n50\r\n");
    assert_null(strstr(stats, "allocator"));
    client_close(c);
}

static void test_a_key_takes_what_its_rows_take(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "SET k 123", "+OK");
    says(n, c, "MEMORY USAGE k", ":22"); /* a name of 16, three bytes of head, the value */
    says(n, c, "SETRANGE k 1000000 x", ":1000001");
    long bytes = atol(ask(n, c, "MEMORY USAGE k") + 1);
    assert_true(bytes > 100 && bytes < 2000000);
    says(n, c, "PEXPIREAT k 1", ":1");
    says(n, c, "MEMORY USAGE k", "$-1");
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_memory_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_the_doctor_names_what_is_unusual),
        WITH_NODE(test_the_doctor_tells_of_keys_that_may_not_go),
        WITH_NODE(test_what_the_allocator_does_not_tell_is_left_out),
        WITH_NODE(test_a_key_takes_what_its_rows_take),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
