/* Listpacks: integers and texts in one piece of memory, as Redis holds and dumps small collections. Pure.
 *
 *   bytes in all(4, little endian) · elements(2; 65,535: many) · elements · 255
 *   an element: head, with a length or an integer · text · their length, to be read backwards
 *
 * What is read may come from anybody: everything is checked. */
#ifndef AIKV_RDB_LISTPACK_H
#define AIKV_RDB_LISTPACK_H

#include "base/buffer.h"

struct listpack_reader {
    struct bytes rest; /* elements that were not read */
    uint32_t said, seen;
    bool failed;
};
struct listpack_element {
    bool is_integer;
    int64_t integer;
    struct bytes text; /* where it lies */
};
/* False: this is none. */
bool listpack_open(struct listpack_reader *r, struct bytes listpack);
/* False at the end, and where it is damaged: see `failed`. */
bool listpack_next(struct listpack_reader *r, struct listpack_element *out);

struct listpack_writer {
    struct buffer *out; /* whose `failed` tells of one that is too large */
    size_t at;
    uint32_t count;
};
/* Appends one to `out`. A listpack has less than 4 GiB. */
void listpack_begin(struct listpack_writer *w, struct buffer *out);
/* A text that is an integer becomes one. */
void listpack_add(struct listpack_writer *w, struct bytes text);
void listpack_add_integer(struct listpack_writer *w, int64_t value);
void listpack_end(struct listpack_writer *w);
static inline size_t listpack_size(const struct listpack_writer *w)
{
    return w->out->len - w->at;
}

#endif
