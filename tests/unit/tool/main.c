#include "tests.h"

int main(void)
{
    return print_tests() + connection_tests();
}
