/* One value as Redis dumps it: what DUMP gives and RESTORE takes. RDB version 10, that of Redis 7.0. Pure.
 *
 *   type(1) · the value · version(2, little endian) · CRC-64 of all before it(8, little endian)
 *
 * Strings in it have a length before them, which may also stand for a small integer, or say that the string is packed (lzf.h). Collections are a count and
 * that many strings, or, small ones, one string that is a listpack (listpack.h) or sorted integers; lists, a count of listpacks. */
#ifndef AIKV_RDB_RDB_H
#define AIKV_RDB_RDB_H

#include "base/codec.h"
#include "base/number.h"
#include "rdb/listpack.h"

#define RDB_VERSION 10

/* The numbers are those of the format. Those that are not here are of older versions of Redis, or of modules. */
enum rdb_type {
    RDB_STRING = 0,
    RDB_SET = 2,
    RDB_HASH = 4,
    RDB_ZSET = 5,
    RDB_SET_INTEGERS = 11,
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST = 18,
    RDB_STREAM = 19, /* read by stream.h, not by rdb_next() */
};

/* How a part of a list is held. */
enum { RDB_LIST_PLAIN = 1, RDB_LIST_PACKED };

/* ---- reading ---- */

/* What strings that were packed may have in all when they are not: as much as a string may have. */
#define RDB_UNPACKED_MAX ((size_t)512 << 20)

struct rdb_reader {
    enum rdb_type type;
    bool failed;
    struct reader in;
    uint64_t left;                 /* elements, or, of a list or stream, listpacks, that follow in `in` */
    struct listpack_reader packed; /* the listpack at hand */
    struct reader integers;        /* of RDB_SET_INTEGERS, each of so many bytes */
    size_t integer_size;
    uint8_t *unpacked[3]; /* strings that were packed: of the element, and the listpack at hand */
    size_t unpacked_left; /* of RDB_UNPACKED_MAX */
};

/* The string; a list's value; a set's member; a field and its value; a member and its score. Lives until the next call. */
struct rdb_element {
    struct bytes text, value;
    double score; /* not a NaN */
    char digits[2][NUMBER_TEXT_MAX];
};

/* Whether a payload ends as one that this version can read: version and checksum. */
bool rdb_is_whole(struct bytes payload);
/* Begins with the first element of one that is whole, which lives longer than the reader. False: its type is not known, or it is damaged. */
bool rdb_open(struct rdb_reader *r, struct bytes payload);
/* False at the end, and where it is damaged. Elements come in the payload's order, and may come twice. */
bool rdb_next(struct rdb_reader *r, struct rdb_element *out);
/* After rdb_next() was false: whether that was the end of a sound payload. */
bool rdb_is_sound(const struct rdb_reader *r);
void rdb_close(struct rdb_reader *r);

/* ---- writing: type, what it has, end; the buffer's `failed` tells of one that is too large ---- */

void rdb_write_type(struct buffer *out, enum rdb_type type);
void rdb_write_len(struct buffer *out, uint64_t len);
/* A text that is a small integer becomes one, as Redis does it. */
void rdb_write_string(struct buffer *out, struct bytes text);
/* The bytes as they are. */
void rdb_write_raw(struct buffer *out, struct bytes raw);
void rdb_write_double(struct buffer *out, double value);
/* `count` integers in rising order, as RDB_SET_INTEGERS has them. */
void rdb_write_integers(struct buffer *out, const int64_t *integers, size_t count);
void rdb_write_end(struct buffer *out);

#endif
