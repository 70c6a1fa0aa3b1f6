/* The words of an inline request, with Redis's quoting rules. Private to resp. */
#ifndef AIKV_RESP_PARSE_INLINE_H
#define AIKV_RESP_PARSE_INLINE_H

#include "base/bytes.h"

/* Where the reader of a line stands. */
struct resp_words {
    const uint8_t *next, *end; /* what is left of the line */
    uint8_t *out;              /* where unquoted bytes go: room for the whole line */
    size_t out_len;
};

enum resp_word { RESP_WORD, RESP_WORD_END, RESP_WORD_UNBALANCED };

/* Unquotes the next word: its bytes are appended to `out`. UNBALANCED: a quote is not closed, or something follows it at once. */
enum resp_word resp_words_next(struct resp_words *w);

#endif
