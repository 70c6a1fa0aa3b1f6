/* Reading replies, RESP2 and RESP3: for clients.
 *
 * No I/O, no copies, no memory. A reply is first found whole by a scan that is fed the unread bytes from their
 * beginning each time and remembers how far it got, so that a reply which arrives in pieces costs linear time; then its
 * parts are read one by one. What RESP3 has and servers do not use by now (streamed strings and aggregates, attributes)
 * is refused. */
#ifndef AIKV_RESP_REPLY_H
#define AIKV_RESP_REPLY_H

#include "base/error.h"
#include "resp/parse.h"

enum resp_part_type {
    RESP_PART_STATUS,
    RESP_PART_ERROR,
    RESP_PART_INTEGER,
    RESP_PART_TEXT, /* bulk strings, verbatim ones without their format, big numbers */
    RESP_PART_NULL,
    RESP_PART_BOOL,
    RESP_PART_DOUBLE,
    RESP_PART_LIST, /* arrays, sets, pushes: `count` elements follow */
    RESP_PART_MAP,  /* `count` pairs follow */
};

struct resp_part {
    enum resp_part_type type;
    struct bytes text; /* of STATUS, ERROR, TEXT; into the input */
    int64_t integer;   /* of INTEGER, BOOL */
    double number;     /* of DOUBLE */
    size_t count;      /* of LIST, MAP */
};

/* Reads the part at `*at` and moves `*at` behind it. RESP_READY, RESP_MORE (`*at` is left), or RESP_BAD with `e`. */
enum resp_status resp_part_read(struct bytes input, size_t *at, struct resp_part *out, struct error *e);

struct resp_scan {
    size_t at;      /* bytes understood so far */
    uint64_t parts; /* begun and not seen yet */
    bool begun;
};

/* Looks for the end of the reply that `input` begins with. RESP_READY: its bytes are the first `s->at`, and `*s` may be
 * cleared for the next. `max`: a reply, or a part of one, that must be longer is RESP_BAD (LIMIT). */
enum resp_status resp_reply_scan(struct resp_scan *s, struct bytes input, size_t max, struct error *e);

#endif
