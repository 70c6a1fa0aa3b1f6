/* What the parser makes of some bytes, as one text: requests as "[a b]" (control bytes as \xHH), errors as "!text", "…" when a
 * request is not whole. */
#ifndef AIKV_TEST_RESP_TRANSCRIPT_H
#define AIKV_TEST_RESP_TRANSCRIPT_H

#include "base/buffer.h"
#include "resp/parse.h"

/* Feeds `input` in steps of `step` bytes (0: all at once), from memory that moves each time, and appends to `out`. Parsed in
 * groups the same must come of it. */
void transcript_of(struct bytes input, size_t step, const struct resp_limits *limits, struct buffer *out);

#endif
