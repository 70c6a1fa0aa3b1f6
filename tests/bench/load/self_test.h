#pragma once

/* Checks the parts of the generator by themselves; prints what fails and "N passed, N failed". Returns the exit code.
 */
int load_self_test(void);
