/* TOML through toml++ (Debian has no C parser); this header is C, and all that knows of it. */
#ifndef AIKV_SERVER_TOML_H
#define AIKV_SERVER_TOML_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"

enum toml_kind { TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_LIST };

/* Called for each value of a file. `section` is the table ("server", "" for none), or "cluster.announce" with `index` for one of an
 * array of tables; -1 for a plain table. A list of strings comes with its elements joined by commas. `text` is the value as text. A return
 * other than 0 (with `e`) ends the reading. */
typedef int (*toml_visit)(void *user, const char *section, int index, const char *key, enum toml_kind kind, const char *text, int line,
                          struct error *e);

/* Errors: CONFIG "file:line:column: what"; IO. */
int toml_read(const char *path, toml_visit visit, void *user, struct error *e);

#ifdef __cplusplus
}
#endif
#endif
