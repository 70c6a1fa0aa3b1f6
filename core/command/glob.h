/* Patterns as in KEYS, SCAN MATCH and CONFIG GET: * ? [a-z] [^a-z] \x. */
#ifndef AIKV_COMMAND_GLOB_H
#define AIKV_COMMAND_GLOB_H

#include "base/bytes.h"

/* Whether all of `text` fits. Takes at most pattern × text steps, whatever they are. */
bool glob_match(struct bytes pattern, struct bytes text, bool ignore_case);
/* Whether a pattern has anything in it that is not taken literally. */
bool glob_is_pattern(struct bytes pattern);

#endif
