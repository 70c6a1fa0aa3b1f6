#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *prefix, *meaning;
} table[ERROR_COUNT] = {
    [ERROR_NONE] = {"NONE", "ERR", "No error."},
#define ERROR(name, prefix, meaning) [ERROR_##name] = {#name, prefix, meaning},
#include "base/error.def"
#undef ERROR
};

static void one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

int error_set(struct error *e, enum error_code code, const char *format, ...)
{
    if (!e) return (int)code;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    one_line(e->text);
    e->code = (int)code;
    return (int)code;
}

static enum error_code system_code(int errnum)
{
    switch (errnum) {
    case EACCES:
    case EPERM:
    case EROFS: return ERROR_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* ulimit -f */
    case EIO: return ERROR_DISK;
    default: return ERROR_IO;
    }
}

int error_system(struct error *e, enum error_code code, int errnum, const char *format, ...)
{
    if (code == ERROR_IO) code = system_code(errnum);
    if (!e) return (int)code;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    size_t len = strlen(e->text);
    snprintf(e->text + len, sizeof e->text - len, ": %s", strerror(errnum));
    one_line(e->text);
    e->code = (int)code;
    return (int)code;
}

void error_prefix(struct error *e, const char *format, ...)
{
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof e->text)
        snprintf(e->text + len, sizeof e->text - (size_t)len, "%s", old);
    one_line(e->text);
}

static int in_range(int code)
{
    return code >= 0 && code < ERROR_COUNT ? code : ERROR_GENERIC;
}

const char *error_resp_prefix(int code)
{
    return table[in_range(code)].prefix;
}

const char *error_name(int code)
{
    return table[in_range(code)].name;
}

const char *error_meaning(int code)
{
    return table[in_range(code)].meaning;
}
