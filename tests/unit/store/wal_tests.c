#include "wal_world.h"

int wal_tests(void)
{
    return wal_record_tests() + wal_segment_tests() + wal_crash_tests() + wal_failure_tests() + wal_damage_tests() +
           wal_truncate_tests() + wal_reader_tests();
}
