/* The groups of tests about core/base; each returns how many failed. */
#ifndef AIKV_TEST_BASE_TESTS_H
#define AIKV_TEST_BASE_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int arena_tests(void);
int bits_tests(void);
int buffer_tests(void);
int cgroup_tests(void);
int codec_tests(void);
int distinct_tests(void);
int error_tests(void);
int geohash_tests(void);
int hash_tests(void);
int histogram_tests(void);
int hyperloglog_tests(void);
int log_tests(void);
int names_tests(void);
int nearest_tests(void);
int number_tests(void);

#endif
