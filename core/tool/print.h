/* Values for people. What a node or a file says may hold anything: control characters are shown as '?'. */
#ifndef AIKV_TOOL_PRINT_H
#define AIKV_TOOL_PRINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Appends the text, without control characters, without what is no UTF-8. */
void print_clean(struct buffer *out, const char *text, size_t len);
/* A value in one line: a list or a map too; "-" for what is empty. `key` is what it is of: times are told by their
 * names. */
void print_cell(struct buffer *out, const char *key, const json_t *value);
/* Whether a field is a moment, in ms since 1970, as its name says: started_ms, loaded_ms. */
bool print_is_time(const char *key);
/* A number of bytes as "10.8M". */
void print_bytes(struct buffer *out, int64_t bytes);
/* Writes it to standard output, and clears it. */
void print_out(struct buffer *b);

/* A map, a line each: name, value. Lists go below, a line an element. */
void print_map(const json_t *map);
/* A list of maps as a table. Every field that one of them has is a column; `last` (names, NULL at the end) go to the
 * right. */
void print_rows(const json_t *list, const char *const *last);
/* Any value; a list of maps as print_rows. */
void print_value(const json_t *value, const char *const *last);

/* ---- tables ---- */

#define TABLE_COLUMNS_MAX 32

struct table {
    struct buffer text; /* all cells, one after the other, each with a NUL */
    int columns;
    int rows;   /* the heading is one */
    int column; /* of the next cell */
    int width[TABLE_COLUMNS_MAX];
};

/* Begins a table of these columns, whose names are shown in capitals. */
void table_begin(struct table *t, int columns, const char *const *names);
/* The next cell. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_value(struct table *t, const char *key, const json_t *value);
/* Prints and ends it. */
void table_end(struct table *t);

#endif
