#include "fixture.h"
#include "wal_world.h"

int main(void)
{
    int failed = run_hash_tests();
    failed += run_row_tests();
    failed += run_record_tests();
    failed += run_table_tests();
    failed += run_iterator_tests();
    failed += run_drop_tests();
    failed += run_due_tests();
    failed += run_sample_tests();
    failed += run_cold_tests();
    failed += run_gate_tests();
    failed += run_failure_tests();
    failed += run_model_tests();
    failed += run_replay_tests();
    failed += run_crash_tests();
    failed += run_epoch_tests();
    failed += run_truncate_tests();
    failed += run_reader_tests();
    failed += run_snapshot_tests();
    failed += run_inspect_tests();
    failed += wal_tests();
    return failed != 0;
}
