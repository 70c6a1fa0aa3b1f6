#include "fixture.h"

int main(void)
{
    return run_table_tests() + run_glob_tests() + run_dispatch_tests() + run_ahead_tests() + run_cold_tests() + run_need_tests() + run_session_tests() + run_config_tests() +
           run_cluster_tests() + run_control_tests() + run_save_tests() + run_slowlog_tests() + run_latency_tests() + run_monitor_tests() + run_pause_tests() +
           run_memory_tests() + run_debug_tests() + run_pubsub_tests() + run_transaction_tests() + run_blocked_tests() + run_syntax_tests();
}
