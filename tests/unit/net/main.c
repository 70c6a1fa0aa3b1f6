#include "tests.h"

int main(void)
{
    int failed = server_tests();
    failed += bus_tests();
    return failed != 0;
}
