/* Log lines in logfmt, one write(2) each, from any thread:
 *   time=2026-11-24T02:27:08.123Z level=info thread=control msg="leads MetaRaft" term=3
 *
 * Values that come from outside go through log_quote. */
#ifndef AIKV_BASE_LOG_H
#define AIKV_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Where lines go: a file's path (appended, made if missing), or NULL for stderr. Returns 0 or errno. */
int log_open(const char *path);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "debug" "info" "warn" "error", and Redis's "verbose" "notice" "warning"; false for anything else. */
bool log_parse_level(const char *text, enum log_level *out);
/* The name of the calling thread in its lines (a string that stays). */
void log_set_thread(const char *name);

/* `fields` is a printf format of key=value pairs, or "". */
void log_line(enum log_level level, const char *msg, const char *fields, ...) __attribute__((format(printf, 3, 4)));
#define log_debug(msg, ...) log_line(LOG_DEBUG, msg, __VA_ARGS__)
#define log_info(msg, ...)  log_line(LOG_INFO, msg, __VA_ARGS__)
#define log_warn(msg, ...)  log_line(LOG_WARN, msg, __VA_ARGS__)
#define log_error(msg, ...) log_line(LOG_ERROR, msg, __VA_ARGS__)

/* `text` in double quotes, escaped, cut at 300 bytes. The result lives until the thread's 8th next call. */
const char *log_quote(const char *text);

#endif
