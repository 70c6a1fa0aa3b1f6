/* What reading and writing share. */
#ifndef AIKV_RDB_RDB_FORMAT_H
#define AIKV_RDB_RDB_FORMAT_H

#include "rdb/rdb.h"

/* The first byte of a length; its lower six bits belong to a short one. */
enum {
    LEN_14 = 0x40,
    LEN_32 = 0x80,
    LEN_64 = 0x81,
    STRING_INT_8 = 0xc0, /* instead of a string's length */
    STRING_INT_16,
    STRING_INT_32,
    STRING_PACKED, /* two lengths, packed and not, and the packed bytes */
};

/* read.c; a reader's `in.failed` tells of what is damaged. `digits` is for a string that is an integer, `room` for one that is packed. */
uint64_t rdb_read_len(struct rdb_reader *r);
struct bytes rdb_read_string(struct rdb_reader *r, char digits[NUMBER_TEXT_MAX], uint8_t **room);

#define TRAILER       10 /* bytes */
#define INTEGERS_HEAD 8  /* of sorted integers: bytes of each, and how many */

#endif
