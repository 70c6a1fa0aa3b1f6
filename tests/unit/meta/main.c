#include "base/log.h"
#include "tests.h"

int main(void)
{
    log_set_level(LOG_ERROR);
    int failed = meta_wire_tests() + meta_group_tests() + meta_failure_tests() + meta_hostile_tests();
    return failed ? 1 : 0;
}
