#include "files.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void files_make(char dir[FILES_DIR_MAX], const char *what)
{
    const char *tmp = getenv("TMPDIR");
    int len = snprintf(dir, FILES_DIR_MAX, "%s/aikv-%s-XXXXXX", tmp ? tmp : "/tmp", what);
    if (len >= FILES_DIR_MAX) fail_msg("TMPDIR is too long: %s", tmp);
    if (!mkdtemp(dir)) fail_msg("%s cannot be made: %s", dir, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void files_remove(const char *dir)
{
    if (nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS)) fail_msg("%s cannot be removed: %s", dir, strerror(errno));
}

void files_path(char path[FILES_PATH_MAX], const char *name)
{
    snprintf(path, FILES_PATH_MAX, "%s/%s", TESTS_DIR, name);
}

void files_expect_golden(const char *name, struct bytes made)
{
    char path[FILES_PATH_MAX];
    files_path(path, name);
    if (getenv("REWRITE")) {
        FILE *out = fopen(path, "wb");
        if (!out) fail_msg("%s cannot be written: %s", path, strerror(errno));
        assert_int_equal(fwrite(made.data, 1, made.len, out), made.len);
        assert_int_equal(fclose(out), 0);
    }
    FILE *in = fopen(path, "rb");
    if (!in) fail_msg("%s cannot be read (REWRITE=1 makes it): %s", path, strerror(errno));
    uint8_t *golden = malloc(made.len + 1); /* one more, to see that there is no more */
    assert_non_null(golden);
    assert_int_equal(fread(golden, 1, made.len + 1, in), made.len);
    if (memcmp(golden, made.data, made.len) != 0) fail_msg("this is not what %s holds: the format has changed", path);
    free(golden);
    fclose(in);
}
