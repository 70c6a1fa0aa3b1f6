#include "resp/parse_inline.h"

/* As isspace() in the C locale: what may stand between words. */
static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What ends a word outside of quotes; Redis lets \v and \f be part of one. */
static bool ends_word(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static uint8_t escaped(uint8_t c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
    }
}

static void put(struct resp_words *w, uint8_t c)
{
    w->out[w->out_len++] = c;
}

/* Takes "\xHH" or "\c"; at least the backslash and one more byte are there. */
static void take_escape(struct resp_words *w)
{
    if (w->end - w->next >= 4 && w->next[1] == 'x') {
        int high = hex_digit(w->next[2]), low = hex_digit(w->next[3]);
        if (high >= 0 && low >= 0) {
            put(w, (uint8_t)(high << 4 | low));
            w->next += 4;
            return;
        }
    }
    put(w, escaped(w->next[1]));
    w->next += 2;
}

/* Takes what is left of a quoted part and its closing quote, which must end the word. */
static bool take_quoted(struct resp_words *w, uint8_t quote)
{
    while (w->next < w->end) {
        uint8_t c = *w->next;
        bool more = w->end - w->next >= 2;
        if (c == quote) {
            w->next++;
            return w->next == w->end || is_blank(*w->next);
        }
        if (c == '\\' && quote == '"' && more) {
            take_escape(w);
        } else if (c == '\\' && quote == '\'' && more && w->next[1] == '\'') {
            put(w, '\'');
            w->next += 2;
        } else {
            put(w, c);
            w->next++;
        }
    }
    return false;
}

enum resp_word resp_words_next(struct resp_words *w)
{
    while (w->next < w->end && is_blank(*w->next)) w->next++;
    if (w->next == w->end) return RESP_WORD_END;
    while (w->next < w->end && !ends_word(*w->next)) {
        uint8_t c = *w->next++;
        if (c != '"' && c != '\'')
            put(w, c);
        else if (take_quoted(w, c))
            return RESP_WORD;
        else
            return RESP_WORD_UNBALANCED;
    }
    return RESP_WORD;
}
