#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static atomic_int output = STDERR_FILENO;
static atomic_int threshold = LOG_INFO;
static _Thread_local const char *thread_name = "main";

static const char *const names[] = {"debug", "info", "warn", "error"};

int log_open(const char *path)
{
    if (!path) {
        atomic_store(&output, STDERR_FILENO);
        return 0;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return errno;
    atomic_store(&output, fd);
    return 0;
}

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&threshold);
}

bool log_parse_level(const char *text, enum log_level *out)
{
    static const struct {
        const char *name;
        enum log_level level;
    } known[] = {{"debug", LOG_DEBUG}, {"verbose", LOG_DEBUG}, {"info", LOG_INFO},     {"notice", LOG_INFO},
                 {"warn", LOG_WARN},   {"warning", LOG_WARN},  {"error", LOG_ERROR}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(text, known[i].name) == 0) {
            *out = known[i].level;
            return true;
        }
    return false;
}

void log_set_thread(const char *name)
{
    thread_name = name;
}

void log_line(enum log_level level, const char *msg, const char *fields, ...)
{
    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed)) return;
    char line[2048];
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    struct tm utc;
    gmtime_r(&t.tv_sec, &utc);
    size_t len = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%S", &utc);
    len += (size_t)snprintf(line + len, sizeof line - len, ".%03ldZ level=%s thread=%s msg=%s", t.tv_nsec / 1000000, names[level],
                            thread_name, log_quote(msg));
    if (fields[0] && len < sizeof line - 2) {
        line[len++] = ' ';
        va_list args;
        va_start(args, fields);
        int n = vsnprintf(line + len, sizeof line - len, fields, args);
        va_end(args);
        if (n > 0) len += (size_t)n;
    }
    if (len > sizeof line - 1) len = sizeof line - 1;
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\n' || line[i] == '\r') line[i] = ' ';
    line[len++] = '\n';
    ssize_t written = write(atomic_load_explicit(&output, memory_order_relaxed), line, len);
    (void)written; /* nowhere left to say that the log cannot be written */
}

const char *log_quote(const char *text)
{
    static _Thread_local char ring[8][620];
    static _Thread_local unsigned next;
    char *out = ring[next++ % 8];
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; text[i] && i < 300; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') out[n++] = '\\';
        out[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}
