#include "tests.h"

#include <signal.h>
#include <stdlib.h>

#include "base/log.h"

int main(void)
{
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
