#include "fixture.h"

static void test_settings_are_found_by_name_and_pattern(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n0");
    says(n, c, "CONFIG GET TimeOut TimeOut", "*2\r\n$7\r\nTimeOut\r\n$1\r\n0");
    says(n, c, "CONFIG GET *t*m* *out", "*2\r\n$7\r\ntimeout\r\n$1\r\n0");
    says(n, c, "CONFIG GET nothing", "*0");
    client_close(c);
}

static void test_several_settings_are_set_all_or_none(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "CONFIG SET timeout 5 maxclients 6", "+OK");
    says(n, c, "CONFIG SET timeout 7 maxclients many",
         "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed into an "
         "integer");
    assert_string_equal(n->settings[1], "5");
    assert_string_equal(n->settings[0], "6");
    says(n, c, "CONFIG SET timeout 7 nothing 1",
         "-ERR Unknown option or number of arguments for CONFIG SET - 'nothing'");
    assert_string_equal(n->settings[1], "5");
    says(n, c, "CONFIG SET timeout 7 TIMEOUT 8",
         "-ERR CONFIG SET failed (possibly related to argument 'TIMEOUT') - duplicate parameter");
    says(n, c, "CONFIG SET databases 7",
         "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config");
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_config_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_settings_are_found_by_name_and_pattern),
        WITH_NODE(test_several_settings_are_set_all_or_none),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
