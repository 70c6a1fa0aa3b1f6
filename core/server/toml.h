/* TOML through toml++ (Debian has no C parser); this header is C, the .cpp files behind it are all that knows of it. */
#ifndef AIKV_SERVER_TOML_H
#define AIKV_SERVER_TOML_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/buffer.h"
#include "base/error.h"

enum toml_kind { TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_LIST };

/* Called for each value of a file. `section` is the table ("server", "" for none), or "cluster.announce" with `index` for one of an
 * array of tables; -1 for a plain table. A list of strings comes with its elements joined by commas. `text` is the value as text. A return
 * other than 0 (with `e`) ends the reading. */
typedef int (*toml_visit)(void *user, const char *section, int index, const char *key, enum toml_kind kind, const char *text, int line,
                          struct error *e);

/* Errors: CONFIG "file:line:column: what"; IO. */
int toml_read(const char *path, toml_visit visit, void *user, struct error *e);

/* Into `out`: the text of a file with `value`, itself TOML, for a key of a section, which is made if it is not there. All else stays as it is,
 * comments too. The result is to be read before it is believed: there are ways to write a section that no line can be added to.
 * Errors: CONFIG; LIMIT: it does not fit `out`. */
int toml_set(struct bytes text, const char *section, const char *key, const char *value, struct buffer *out, struct error *e);

#ifdef __cplusplus
}
#endif
#endif
