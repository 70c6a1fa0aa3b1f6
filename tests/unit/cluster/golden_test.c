/* The format must not change unnoticed: other versions' logs and snapshots hold it. Files in golden/, written anew by
 * REWRITE=1. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "rich.h"

static void path_of(const char *name, char *out, size_t size)
{
    char here[] = __FILE__;
    snprintf(out, size, "%s/golden/%s.bin", dirname(here), name);
}

static struct buffer read_file(const char *path)
{
    struct buffer b;
    char chunk[4096];
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s: cannot be opened (REWRITE=1 makes it)", path);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) buffer_append(&b, chunk, n);
    assert_int_equal(fclose(f), 0);
    return b;
}

static void compare_or_rewrite(const char *name, struct bytes now)
{
    char path[4096];
    path_of(name, path, sizeof path);
    if (getenv("REWRITE")) {
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(now.data, 1, now.len, f), now.len);
        assert_int_equal(fclose(f), 0);
    }
    struct buffer golden = read_file(path);
    if (!bytes_equal(buffer_bytes(&golden), now)) fail_msg("the format of %s has changed", name);
    buffer_release(&golden);
}

static void test_the_format_of_a_state_has_not_changed(void **state)
{
    (void)state;
    struct cluster_state *s = rich_state(), *empty = cluster_state_new();
    struct buffer b = encoded(s), c = encoded(empty);
    compare_or_rewrite("state", buffer_bytes(&b));
    compare_or_rewrite("state_empty", buffer_bytes(&c));
    buffer_release(&b);
    buffer_release(&c);
    cluster_state_free(s);
    cluster_state_free(empty);
}

static void test_the_format_of_no_command_has_changed(void **state)
{
    (void)state;
    for (enum cluster_command_type type = 0; type <= CLUSTER_TRIGGERS_PAUSE; type++) {
        struct cluster_command c = rich_command(type);
        struct buffer b = encoded_command(&c);
        compare_or_rewrite(cluster_command_name(type), buffer_bytes(&b));
        buffer_release(&b);
        cluster_command_release(&c);
    }
}

int run_golden_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_format_of_a_state_has_not_changed),
        cmocka_unit_test(test_the_format_of_no_command_has_changed),
    };
    return cmocka_run_group_tests_name("cluster format", tests, NULL, NULL);
}
