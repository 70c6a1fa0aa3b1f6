/* Writing replies, RESP2 or RESP3. Types that RESP2 lacks are written the way Redis does there (a map as a flat array, a
 * double as bulk text, null as $-1 …). Everything goes to a buffer, whose `failed` tells of a reply grown too large. */
#ifndef AIKV_RESP_WRITE_H
#define AIKV_RESP_WRITE_H

#include "base/buffer.h"
#include "base/error.h"

struct resp_writer {
    struct buffer *out;
    int protocol; /* 2 or 3 */
};

/* "+text": a text of ours, without line breaks. */
void resp_simple(struct resp_writer *w, const char *text);
/* "-PREFIX text": the prefix comes from the code's row in error.def. Line breaks in the text become spaces. */
void resp_error(struct resp_writer *w, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void resp_error_of(struct resp_writer *w, const struct error *e);
void resp_integer(struct resp_writer *w, int64_t value);
void resp_bulk(struct resp_writer *w, struct bytes value);
/* The same, the `len` bytes being for the caller to fill in before the next call: saves a copy of what lies in parts. NULL: it does not fit. */
uint8_t *resp_bulk_open(struct resp_writer *w, size_t len);
void resp_bulk_text(struct resp_writer *w, const char *text);
/* A bulk string made by printf. */
void resp_bulk_printf(struct resp_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* RESP3 verbatim text ("txt"), RESP2 bulk: INFO, CLUSTER INFO, CLIENT LIST. */
void resp_verbatim(struct resp_writer *w, struct bytes text);
void resp_null(struct resp_writer *w);       /* "_" or "$-1" */
void resp_null_array(struct resp_writer *w); /* "_" or "*-1" */
void resp_bool(struct resp_writer *w, bool value);
void resp_double(struct resp_writer *w, double value);
/* The same as people write numbers: without exponent, up to 17 digits behind the point. Finite. */
void resp_real(struct resp_writer *w, double value);
void resp_array(struct resp_writer *w, size_t n);
void resp_map(struct resp_writer *w, size_t pairs);
void resp_set(struct resp_writer *w, size_t n);
void resp_push(struct resp_writer *w, size_t n);
/* Bytes that are a reply already (a forwarded one). */
void resp_raw(struct resp_writer *w, struct bytes reply);

#endif
