/* The groups of tests of core/resp; each returns the number that failed. */
#ifndef AIKV_TEST_RESP_TESTS_H
#define AIKV_TEST_RESP_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int parse_tests(void);
int limit_tests(void);
int write_tests(void);
int reply_tests(void);

#endif
