/* The groups of tests of core/net; each returns the number that failed. */
#ifndef AIKV_TEST_NET_TESTS_H
#define AIKV_TEST_NET_TESTS_H

int server_tests(void); /* server_test.c */
int bus_tests(void);    /* bus_test.c */

#endif
