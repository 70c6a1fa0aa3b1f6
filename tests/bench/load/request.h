/* A request as text, "SET key:{n} {value}", and its encoding in RESP. Words are parted by spaces; each `{n}` becomes
 * twelve digits of a number picked anew, each `{value}` as many random letters as asked for. A last word "@9" is its
 * weight: how often it comes beside the others; 1 without. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "pick.h"

#define LOAD_REQUEST_DIGITS 12
#define LOAD_REQUEST_HOLES  64

struct load_request {
    char *text; /* encoded, with holes where `{n}` and `{value}` stood */
    size_t len, value_len;
    uint32_t weight, hole_count;
    struct load_request_hole {
        size_t at;
        bool is_value;
    } holes[LOAD_REQUEST_HOLES];
};

/* Returns what is wrong with the text, or NULL; then load_request_release() is due. `value_len` is at most
 * LOAD_VALUE_MAX. */
#define LOAD_VALUE_MAX ((size_t)1 << 20)
const char *load_request_init(struct load_request *r, const char *text, size_t value_len);
void load_request_release(struct load_request *r);

/* Writes r->len bytes. */
void load_request_write(const struct load_request *r, struct load_pick *pick, char *out);
