/* Counts replies in a stream of RESP2, keeping none: what a load generator needs to know of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_REPLY_LINE 128

struct load_reply {
    uint64_t skip;     /* bytes of a bulk string still to come */
    uint64_t elements; /* of the reply, still to come; 0 between replies */
    size_t line_len;   /* of a line that has begun; what is over LOAD_REPLY_LINE - 1 bytes is not kept */
    char line[LOAD_REPLY_LINE];
    uint64_t errors, nulls;
    char error[LOAD_REPLY_LINE]; /* the first one */
    bool is_bad;                 /* this was not RESP2; nothing more is read */
};

/* How many of the `len` bytes end one reply, and in `*is_whole` whether it ended. Begin with zeroes. */
size_t load_reply_read(struct load_reply *r, const char *bytes, size_t len, bool *is_whole);
