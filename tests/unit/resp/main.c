#include "tests.h"

int main(void)
{
    int failed = parse_tests();
    failed += limit_tests();
    failed += write_tests();
    failed += reply_tests();
    return failed != 0;
}
