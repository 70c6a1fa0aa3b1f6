#include "tests.h"

int main(void)
{
    return test_script_view() + test_script_policy() + test_script_steps() + test_script_eval() + test_script_dry_run() +
           test_script_saved_view() + test_script_large() + test_script_attacks();
}
