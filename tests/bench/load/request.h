/* A request as text, "SET key:{n} {value}", and its encoding in RESP. Words are parted by spaces; each `{n}` becomes
 * twelve digits of a number picked anew, each `{value}` as many random letters as asked for; a word `{i}` becomes such
 * a number without leading zeros, as indexes are. A last word "@9" is its weight: how often it comes beside the others;
 * 1 without. A last word "@inline": it is sent as it stands, a line of words. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "pick.h"

#define LOAD_REQUEST_DIGITS 12
#define LOAD_REQUEST_HOLES  64

struct load_request {
    char *text; /* encoded, with holes where `{n}` and `{value}` stood; `{i}` is left out */
    size_t text_len, value_len;
    size_t len; /* at most, when it is written */
    uint32_t weight, hole_count;
    struct load_request_hole {
        size_t at;
        enum load_request_part { LOAD_NUMBER, LOAD_INDEX, LOAD_VALUE } part;
    } holes[LOAD_REQUEST_HOLES];
};

/* Returns what is wrong with the text, or NULL; then load_request_release() is due. `value_len` is at most
 * LOAD_VALUE_MAX. */
#define LOAD_VALUE_MAX ((size_t)1 << 20)
const char *load_request_init(struct load_request *r, const char *text, size_t value_len);
void load_request_release(struct load_request *r);

/* Writes up to r->len bytes; returns how many. */
size_t load_request_write(const struct load_request *r, struct load_pick *pick, char *out);
