/* Values of Lua as JSON. */
#ifndef AIKV_SCRIPT_JSON_H
#define AIKV_SCRIPT_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Texts are bytes in Lua; what is not UTF-8 (an error's text may hold anything) loses the offending bytes' meaning, not
 * its place. NULL without memory. */
json_t *json_text(const char *text, size_t len);

#endif
