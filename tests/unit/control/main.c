#include "tests.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static unsigned share = 1, shares = 1;

int tests_run(const struct CMUnitTest *tests, size_t count)
{
    static unsigned seen; /* of all groups */
    struct CMUnitTest mine[64];
    size_t taken = 0;
    assert_true(count <= sizeof mine / sizeof *mine);
    for (size_t i = 0; i < count; i++)
        if (seen++ % shares == share - 1) mine[taken++] = tests[i];
    return taken ? _cmocka_run_group_tests("control", mine, taken, NULL, NULL) : 0;
}

int main(void)
{
    const char *text = getenv("AIKV_SHARE");
    if (text && (sscanf(text, "%u/%u", &share, &shares) != 2 || share < 1 || share > shares)) {
        fprintf(stderr, "test_control: AIKV_SHARE is like 2/6, not '%s'\n", text);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    log_set_level(getenv("AIKV_LOG") ? LOG_DEBUG : LOG_ERROR);
    if (getenv("AIKV_TEST")) cmocka_set_test_filter(getenv("AIKV_TEST"));
    int failed = message_tests();
    failed += load_tests();
    failed += part_tests();
    failed += run_decision_tests();
    failed += trigger_decision_tests();
    failed += join_tests();
    failed += command_tests();
    failed += script_tests();
    failed += runner_tests();
    failed += trigger_tests();
    failed += publish_tests();
    failed += restart_tests();
    failed += hostile_tests();
    failed += membership_tests();
    return failed != 0;
}
