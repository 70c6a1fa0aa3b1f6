#ifndef AIKV_TEST_TOOL_TESTS_H
#define AIKV_TEST_TOOL_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int print_tests(void);
int connection_tests(void);

#endif
