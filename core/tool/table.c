/* Aligned tables. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool/print.h"

#define CELL_MAX 4096

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void end_cell(struct table *t, size_t from)
{
    buffer_append(&t->text, "", 1);
    if (t->text.failed) return;
    int width = width_of((const char *)t->text.data + from);
    if (width > t->width[t->column]) t->width[t->column] = width;
    t->column = (t->column + 1) % t->columns;
    t->rows += t->column == 0;
}

void table_begin(struct table *t, int columns, const char *const *names)
{
    *t = (struct table){.columns = columns};
    buffer_init(&t->text, 64 << 20);
    for (int i = 0; i < columns; i++) {
        char name[64];
        size_t len = strnlen(names[i], sizeof name - 1);
        for (size_t n = 0; n < len; n++)
            name[n] = (char)(names[i][n] == '_' ? ' ' : toupper((unsigned char)names[i][n]));
        if (print_is_time(names[i])) len -= strlen("_ms");
        size_t from = t->text.len;
        print_clean(&t->text, name, len);
        end_cell(t, from);
    }
}

void table_cell(struct table *t, const char *format, ...)
{
    char text[CELL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t from = t->text.len;
    print_clean(&t->text, *text ? text : "-", *text ? strlen(text) : 1);
    end_cell(t, from);
}

void table_value(struct table *t, const char *key, const json_t *value)
{
    size_t from = t->text.len;
    if (value)
        print_cell(&t->text, key, value);
    else
        buffer_append_text(&t->text, "-");
    end_cell(t, from);
}

void table_end(struct table *t)
{
    const char *cell = (const char *)t->text.data;
    for (int row = 0; row < t->rows; row++)
        for (int i = 0; i < t->columns; i++) {
            bool last = i == t->columns - 1;
            printf("%s%*s", cell, last ? 0 : t->width[i] - width_of(cell) + 2, "");
            if (last) putchar('\n');
            cell += strlen(cell) + 1;
        }
    buffer_release(&t->text);
}
