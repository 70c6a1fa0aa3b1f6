#include "tests.h"

int main(void)
{
    int (*const groups[])(void) = {
        arena_tests,
        bits_tests,
        buffer_tests,
        cgroup_tests,
        codec_tests,
        distinct_tests,
        error_tests,
        geohash_tests,
        hash_tests,
        histogram_tests,
        hyperloglog_tests,
        log_tests,
        names_tests,
        nearest_tests,
        number_tests,
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) failed += groups[i]();
    return failed;
}
