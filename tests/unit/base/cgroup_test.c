/* What the limits of control groups come to, on files as the kernel has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cgroup.h"
#include "files.h"
#include "tests.h"

struct world {
    char dir[FILES_DIR_MAX], groups[300];
};

static void begin(struct world *w, const char *groups)
{
    files_make(w->dir, "cgroup");
    snprintf(w->groups, sizeof w->groups, "%s/groups", w->dir);
    FILE *f = fopen(w->groups, "w");
    fputs(groups, f);
    fclose(f);
}

static void add(const struct world *w, const char *folder, const char *name, const char *content)
{
    char command[300];
    snprintf(command, sizeof command, "mkdir -p '%s/%s' && printf '%s' > '%s/%s/%s'", w->dir, folder, content, w->dir, folder, name);
    assert_int_equal(system(command), 0);
}

static void end(const struct world *w)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", w->dir);
    assert_int_equal(system(command), 0);
}

static void test_the_lowest_limit_on_the_way_to_the_root_counts(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "5:memory:/a/b\n4:cpu,cpuacct:/c\n0::/\n");
    add(&w, "memory", "memory.limit_in_bytes", "9223372036854771712\\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 0);
    add(&w, "memory/a", "memory.limit_in_bytes", "1000\\n");
    add(&w, "memory/a/b", "memory.limit_in_bytes", "2000\\n");
    add(&w, "c", "memory.max", "10\\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 1000);
    end(&w);
}

static void test_version_2_says_max_for_none(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "0::/user/session\n");
    add(&w, "user/session", "memory.max", "max\\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 0);
    add(&w, "user", "memory.max", "4096\\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 4096);
    end(&w);
}

static void test_in_a_container_the_groups_directory_is_the_mount(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "7:memory:/docker/0123abcd\n");
    add(&w, "memory", "memory.limit_in_bytes", "268435456\\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 268435456);
    end(&w);
}

static void test_memory_may_be_mounted_with_others(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "4:cpu,memory,pids:/a\n");
    add(&w, "memory/a", "memory.limit_in_bytes", "1000\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 1000);
    end(&w);
    begin(&w, "4:cpu,memory2,xmemory:/a\n");
    add(&w, "memory/a", "memory.limit_in_bytes", "1000\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 0);
    end(&w);
}

static void test_what_cannot_be_read_is_no_limit(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "rubbish\n1:memory\n:::\n");
    assert_int_equal(cgroup_memory_limit(w.groups, w.dir), 0);
    assert_int_equal(cgroup_memory_limit("/nowhere", w.dir), 0);
    end(&w);
}

int cgroup_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lowest_limit_on_the_way_to_the_root_counts),
        cmocka_unit_test(test_version_2_says_max_for_none),
        cmocka_unit_test(test_in_a_container_the_groups_directory_is_the_mount),
        cmocka_unit_test(test_memory_may_be_mounted_with_others),
        cmocka_unit_test(test_what_cannot_be_read_is_no_limit),
    };
    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
