/* Files that unit tests make and read. Whatever fails here fails the test. */
#ifndef AIKV_TEST_FILES_H
#define AIKV_TEST_FILES_H

#include <stddef.h>

#include "base/bytes.h"

#define FILES_DIR_MAX 256

/* Makes an empty directory in TMPDIR (/tmp without) with `what` in its name; it is removed by files_remove. */
void files_make(char dir[FILES_DIR_MAX], const char *what);
/* With all that is in it. */
void files_remove(const char *dir);

/* The path of a file of the sources, named from the folder tests: "unit/store/golden/record_1.bin". */
#define FILES_PATH_MAX 4096
void files_path(char path[FILES_PATH_MAX], const char *name);

/* Fails the test unless that file holds exactly `made`. With REWRITE=1 it is written first. */
void files_expect_golden(const char *name, struct bytes made);

#endif
