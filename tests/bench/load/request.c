#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where values come from: each is a piece that begins anywhere. Random, so that nobody's compression helps. */
static char letters[2 * LOAD_VALUE_MAX];

static void fill_letters(void)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct load_pick pick;
    load_pick_init(&pick, LOAD_PICK_UNIFORM, 64, 0, 1);
    for (size_t i = 0; i < sizeof letters; i++) letters[i] = alphabet[load_pick_next(&pick)];
}

static size_t word_len(const char *word)
{
    return strcspn(word, " ");
}

/* One word: its holes are noted as they stand behind `out`, its length is returned. With `out` NULL only the length. */
static size_t write_word(struct load_request *r, const char *word, size_t len, char *out, size_t at)
{
    size_t written = 0;
    for (size_t i = 0; i < len;) {
        bool is_number = len - i >= 3 && memcmp(word + i, "{n}", 3) == 0;
        bool is_value = len - i >= 7 && memcmp(word + i, "{value}", 7) == 0;
        if (!is_number && !is_value) {
            if (out) out[written] = word[i];
            written++, i++;
            continue;
        }
        if (out) r->holes[r->hole_count++] = (struct load_request_hole){at + written, is_value ? LOAD_VALUE : LOAD_NUMBER};
        written += is_value ? r->value_len : LOAD_REQUEST_DIGITS;
        i += is_value ? 7 : 3;
    }
    return written;
}

#define INDEX_MAX (7 + LOAD_REQUEST_DIGITS) /* bytes of a word that is an index: its length, itself, and two ends of lines */

static bool is_index(const char *word)
{
    return word_len(word) == 3 && memcmp(word, "{i}", 3) == 0;
}

/* All words, with their lengths before them. */
static void encode(struct load_request *r, const char *text, size_t words)
{
    size_t indexes = 0;
    r->text_len = (size_t)sprintf(r->text, "*%zu\r\n", words);
    for (const char *w = text; words--; w += word_len(w), w += *w == ' ') {
        if (is_index(w)) {
            r->holes[r->hole_count++] = (struct load_request_hole){r->text_len, LOAD_INDEX};
            indexes++;
            continue;
        }
        size_t len = write_word(r, w, word_len(w), NULL, 0);
        r->text_len += (size_t)sprintf(r->text + r->text_len, "$%zu\r\n", len);
        r->text_len += write_word(r, w, word_len(w), r->text + r->text_len, r->text_len);
        memcpy(r->text + r->text_len, "\r\n", 2);
        r->text_len += 2;
    }
    r->len = r->text_len + indexes * INDEX_MAX;
}

static void encode_inline(struct load_request *r, const char *text, size_t len)
{
    r->len = r->text_len = write_word(r, text, len, r->text, 0) + 2;
    memcpy(r->text + r->len - 2, "\r\n", 2);
}

static uint32_t holes_in(const char *text)
{
    uint32_t n = 0;
    for (const char *at = text; (at = strchr(at, '{')); at++)
        n += strncmp(at, "{n}", 3) == 0 || strncmp(at, "{i}", 3) == 0 || strncmp(at, "{value}", 7) == 0;
    return n;
}

const char *load_request_init(struct load_request *r, const char *text, size_t value_len)
{
    assert(value_len <= LOAD_VALUE_MAX);
    *r = (struct load_request){.value_len = value_len, .weight = 1};
    if (!letters[0]) fill_letters();
    if (holes_in(text) > LOAD_REQUEST_HOLES) return "too many {n}, {i} and {value}";
    size_t words = 0, room = 32, inline_len = 0;
    for (const char *w = text; *w; w += word_len(w), w += *w == ' ') {
        if (word_len(w) == 0) return "two spaces in a row, or one at the beginning";
        if (words && strcmp(w, "@inline") == 0) {
            inline_len = (size_t)(w - text) - 1;
            break;
        }
        if (*w == '@' && !w[word_len(w)]) {
            char *end;
            unsigned long weight = strtoul(w + 1, &end, 10);
            if (*end || weight < 1 || weight > 1000000) return "the weight behind @ is not a number from 1 to 1000000";
            r->weight = (uint32_t)weight;
            break;
        }
        words++;
        room += write_word(r, w, word_len(w), NULL, 0) + 32;
    }
    if (!words) return "no command";
    if (!(r->text = malloc(room))) return "no memory";
    if (inline_len)
        encode_inline(r, text, inline_len);
    else
        encode(r, text, words);
    return NULL;
}

void load_request_release(struct load_request *r)
{
    free(r->text);
    r->text = NULL;
}

static void write_number(char *out, uint64_t n)
{
    for (int i = LOAD_REQUEST_DIGITS - 1; i >= 0; i--, n /= 10) out[i] = (char)('0' + n % 10);
}

static char *copy(char *out, const char *from, size_t len)
{
    memcpy(out, from, len);
    return out + len;
}

size_t load_request_write(const struct load_request *r, struct load_pick *pick, char *out)
{
    size_t from = 0;
    char *to = out, digits[LOAD_REQUEST_DIGITS + 1];
    for (uint32_t i = 0; i < r->hole_count; i++) {
        const struct load_request_hole *h = &r->holes[i];
        to = copy(to, r->text + from, h->at - from);
        from = h->at;
        switch (h->part) {
        case LOAD_NUMBER:
            write_number(to, load_pick_next(pick));
            to += LOAD_REQUEST_DIGITS;
            from += LOAD_REQUEST_DIGITS;
            break;
        case LOAD_INDEX:
            to += sprintf(to, "$%d\r\n%s\r\n", sprintf(digits, "%llu", (unsigned long long)load_pick_next(pick)), digits);
            break;
        case LOAD_VALUE:
            to = copy(to, letters + load_pick_bits(pick) % LOAD_VALUE_MAX, r->value_len);
            from += r->value_len;
            break;
        }
    }
    return (size_t)(copy(to, r->text + from, r->text_len - from) - out);
}
