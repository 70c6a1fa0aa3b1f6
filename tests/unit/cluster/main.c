#include "fixture.h"

int main(void)
{
    int failed = 0;
    failed += run_slots_tests();
    failed += run_info_tests();
    failed += run_member_tests();
    failed += run_role_tests();
    failed += run_shard_tests();
    failed += run_script_tests();
    failed += run_policy_tests();
    failed += run_run_tests();
    failed += run_step_tests();
    failed += run_meet_tests();
    failed += run_find_tests();
    failed += run_encode_tests();
    failed += run_command_tests();
    failed += run_check_tests();
    failed += run_routing_tests();
    failed += run_size_tests();
    failed += run_random_tests();
    failed += run_golden_tests();
    return failed ? 1 : 0;
}
