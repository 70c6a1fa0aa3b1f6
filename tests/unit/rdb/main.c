#include "tests.h"

int main(void)
{
    return lzf_tests() + listpack_tests() + rdb_tests();
}
