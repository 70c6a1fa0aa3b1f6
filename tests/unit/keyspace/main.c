#include "fixture.h"

int main(void)
{
    int failed = run_key_tests();
    failed += run_database_tests();
    failed += run_transfer_tests();
    failed += run_random_tests();
    failed += run_position_tests();
    failed += run_scan_tests();
    failed += run_sweep_tests();
    failed += run_usage_tests();
    failed += run_evict_tests();
    failed += run_format_tests();
    failed += run_counts_tests();
    failed += run_string_tests();
    failed += run_string_model_tests();
    failed += run_element_tests();
    failed += run_linear_hash_tests();
    failed += run_counted_tree_tests();
    failed += run_hash_model_tests();
    failed += run_zset_tests();
    failed += run_stream_entry_tests();
    failed += run_stream_tests();
    failed += run_stream_groups_tests();
    failed += run_hash_sweep_tests();
    failed += run_set_model_tests();
    failed += run_list_tests();
    failed += run_listen_tests();
    failed += run_model_tests();
    return failed != 0;
}
