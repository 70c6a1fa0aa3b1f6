/* Errors: a small number from one table (error.def) and the text a person needs.
 *
 * Functions that can fail return 0 or an enum error_code, and fill in a `struct error` when given one. */
#ifndef AIKV_BASE_ERROR_H
#define AIKV_BASE_ERROR_H

enum error_code {
    ERROR_NONE = 0,
#define ERROR(name, prefix, meaning) ERROR_##name,
#include "base/error.def"
#undef ERROR
    ERROR_COUNT
};

struct error {
    int code;       /* enum error_code */
    char text[380]; /* one line, without prefix; never holds a line break */
};

/* Fills in `e` (which may be NULL) and returns `code`, so that a function can `return error_set(...)`.
 * Line breaks and control characters in the text become spaces: it goes into RESP error lines. */
int error_set(struct error *e, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and the text of `errnum` at the end. ERROR_IO becomes ERROR_PERMISSION or ERROR_DISK where errnum says so. */
int error_system(struct error *e, enum error_code code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts text in front of what `e` already says: how a caller adds what it was doing. */
void error_prefix(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The RESP prefix ("ERR", "CLUSTERDOWN"), the name ("GENERIC") and the meaning of a code; codes out of range count as GENERIC. */
const char *error_resp_prefix(int code);
const char *error_name(int code);
const char *error_meaning(int code);

#endif
