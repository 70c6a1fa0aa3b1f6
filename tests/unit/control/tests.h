/* The groups of this binary; each returns how many tests failed.
 *
 * The tests wait for nodes more than they work, so several processes run them side by side: with AIKV_SHARE=2/6 a process runs the
 * second of every six. */
#ifndef AIKV_TEST_CONTROL_TESTS_H
#define AIKV_TEST_CONTROL_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Runs what is of this process's share, for a group. Returns how many failed. */
int tests_run(const struct CMUnitTest *tests, size_t count);

int message_tests(void);
int load_tests(void);
int part_tests(void);
int run_decision_tests(void);
int trigger_decision_tests(void);
int trigger_tests(void);
int join_tests(void);
int command_tests(void);
int script_tests(void);
int runner_tests(void);
int publish_tests(void);
int restart_tests(void);
int hostile_tests(void);
int membership_tests(void);

#endif
