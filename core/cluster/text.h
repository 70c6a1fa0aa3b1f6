/* What texts of the metadata may hold. They reach RESP lines, log lines and terminals, so nothing here may hold a
 * control character. */
#ifndef AIKV_CLUSTER_TEXT_H
#define AIKV_CLUSTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Exactly `digits` lower-case hex digits. */
bool cluster_text_is_hex(const char *text, size_t digits);
/* One or more printable ASCII characters, no blanks. */
bool cluster_text_is_word(const char *text);
/* A host name or numeric address: letters, digits and . - _ : only. */
bool cluster_text_is_host(const char *text);
/* No control characters; may be empty, may hold blanks and UTF-8. */
bool cluster_text_is_line(const char *text);

#endif
