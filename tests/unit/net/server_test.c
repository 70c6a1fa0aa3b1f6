#include "server_fixture.h"
#include "tests.h"

int server_tests(void)
{
    return server_request_tests() + server_gate_tests() + server_wait_tests() + server_limit_tests() +
           server_life_tests() + server_random_tests();
}
