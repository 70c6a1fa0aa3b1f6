/* SAVE, BGSAVE, LASTSAVE. */
#include "fixture.h"

static void test_save_replies_when_all_before_it_is_in_the_checkpoint(void **state)
{
    struct node *n = *state;
    struct store_statistics before, after;
    int client = client_connect(n, "127.0.0.1");
    says(n, client, "SET a 1", "+OK");
    store_statistics(n->store, &before);
    assert_true(before.checkpoint.sequence < before.last.sequence);
    says(n, client, "SAVE", "+OK");
    store_statistics(n->store, &after);
    assert_true(after.checkpoint.sequence >= before.last.sequence);
    assert_int_equal(after.checkpoints, before.checkpoints + 1);
    client_close(client);
}

static void test_who_waits_for_save_holds_up_nobody_and_is_answered_in_order(void **state)
{
    struct node *n = *state;
    int waits = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    client_send(waits, "SET a 1\r\nSAVE\r\nGET a\r\nSAVE\r\nPING\r\n");
    says(n, other, "PING", "+PONG");
    assert_string_equal(client_receive(n, waits), "+OK");
    assert_string_equal(client_receive(n, waits), "+OK");
    assert_string_equal(client_receive(n, waits), "$1\r\n1");
    assert_string_equal(client_receive(n, waits), "+OK");
    assert_string_equal(client_receive(n, waits), "+PONG");
    client_close(waits);
    client_close(other);
}

static void test_who_leaves_while_waiting_for_save_is_forgotten(void **state)
{
    struct node *n = *state;
    int leaves = client_connect(n, "127.0.0.1"), stays = client_connect(n, "127.0.0.1");
    says(n, stays, "SET a 1", "+OK");
    client_send(leaves, "SAVE\r\n");
    client_close(leaves);
    says(n, stays, "SAVE", "+OK");
    client_close(stays);
}

static void test_bgsave_is_refused_while_one_runs(void **state)
{
    struct node *n = *state;
    int client = client_connect(n, "127.0.0.1");
    client_send(client, "SET a 1\r\nBGSAVE\r\nBGSAVE\r\nBGSAVE SCHEDULE\r\nSAVE\r\n");
    assert_string_equal(client_receive(n, client), "+OK");
    assert_string_equal(client_receive(n, client), "+Background saving started");
    assert_string_equal(client_receive(n, client), "-ERR Background save already in progress");
    assert_string_equal(client_receive(n, client), "-ERR Background save already in progress");
    assert_string_equal(client_receive(n, client), "+OK");
    client_close(client);
}

/* Scripts call LASTSAVE, BGSAVE, then LASTSAVE until it has changed. */
static void test_a_bgsave_with_nothing_to_write_counts_as_a_save(void **state)
{
    struct node *n = *state;
    struct store_statistics before, after;
    int client = client_connect(n, "127.0.0.1");
    says(n, client, "SET a 1", "+OK");
    says(n, client, "SAVE", "+OK");
    store_statistics(n->store, &before);
    do {
        says(n, client, "SAVE", "+OK");
        store_statistics(n->store, &after);
    } while (after.checkpoint_saved_ms == before.checkpoint_saved_ms); /* in the same millisecond */
    assert_int_equal(after.checkpoints, before.checkpoints);
    assert_int_equal(after.last.sequence, before.last.sequence);
    client_close(client);
}

int run_save_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_save_replies_when_all_before_it_is_in_the_checkpoint, node_setup,
                                        node_teardown),
        cmocka_unit_test_setup_teardown(test_who_waits_for_save_holds_up_nobody_and_is_answered_in_order, node_setup,
                                        node_teardown),
        cmocka_unit_test_setup_teardown(test_who_leaves_while_waiting_for_save_is_forgotten, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_bgsave_is_refused_while_one_runs, node_setup, node_teardown),
        cmocka_unit_test_setup_teardown(test_a_bgsave_with_nothing_to_write_counts_as_a_save, node_setup,
                                        node_teardown),
    };
    return cmocka_run_group_tests_name("save", tests, NULL, NULL);
}
