#include "tests.h"

int main(void)
{
    return arena_tests() + buffer_tests() + cgroup_tests() + codec_tests() + distinct_tests() + error_tests() + hash_tests() + log_tests() +
           nearest_tests() + number_tests();
    return arena_tests() + buffer_tests() + cgroup_tests() + codec_tests() + error_tests() + hash_tests() + log_tests() +
           names_tests() + nearest_tests() + number_tests();
    return arena_tests() + bits_tests() + buffer_tests() + cgroup_tests() + codec_tests() + error_tests() + hash_tests() +
    return arena_tests() + bits_tests() + buffer_tests() + cgroup_tests() + codec_tests() + error_tests() + geohash_tests() + hash_tests() +
           hyperloglog_tests() + log_tests() + nearest_tests() + number_tests();
}
