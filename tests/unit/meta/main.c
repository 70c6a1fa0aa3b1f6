#include <stdlib.h>

#include "base/log.h"
#include "group.h"
#include "tests.h"

/* AIKV_TEST=<pattern> runs only the tests whose names match; with AIKV_SEED as printed, a failure can be had again. */
int main(void)
{
    log_set_level(LOG_ERROR);
    if (getenv("AIKV_TEST")) cmocka_set_test_filter(getenv("AIKV_TEST"));
    int failed = meta_wire_tests() + meta_group_tests() + meta_failure_tests() + meta_snapshot_tests() +
                 meta_membership_tests() + meta_disk_tests() + meta_hostile_tests() + meta_torrent_tests();
    return failed ? 1 : 0;
}
