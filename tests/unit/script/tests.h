#ifndef AIKV_TEST_SCRIPT_TESTS_H
#define AIKV_TEST_SCRIPT_TESTS_H

int test_script_attacks(void);
int test_script_policy(void);
int test_script_steps(void);
int test_script_view(void);
int test_script_eval(void);
int test_script_dry_run(void);
int test_script_saved_view(void);
int test_script_large(void);

#endif
