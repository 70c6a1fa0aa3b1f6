/* The groups of tests about core/rdb; each returns how many failed. */
#ifndef AIKV_TEST_RDB_TESTS_H
#define AIKV_TEST_RDB_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int lzf_tests(void);
int listpack_tests(void);
int rdb_tests(void);

#endif
