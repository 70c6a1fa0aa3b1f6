#include "tool/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How many bytes the character at `text` has; 0: it is none to show. */
static size_t character(const uint8_t *text, size_t len)
{
    size_t more = text[0] < 0x80                      ? 0
                  : text[0] >= 0xf0 && text[0] < 0xf5 ? 3
                  : text[0] >= 0xe0                   ? 2
                  : text[0] >= 0xc2                   ? 1
                                                      : 9;
    if (text[0] < 0x20 || text[0] == 0x7f || text[0] >= 0xf5 || more >= len) return 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return text[0] == 0xc2 && text[1] < 0xa0 ? 0 : more + 1; /* controls of Latin-1 */
}

void print_clean(struct buffer *out, const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text;
    while (len) {
        size_t n = character(at, len);
        buffer_append(out, n ? at : (const uint8_t *)"?", n ? n : 1);
        n = n ? n : 1;
        at += n;
        len -= n;
    }
}

void print_bytes(struct buffer *out, int64_t bytes)
{
    static const char units[] = "KMGTP";
    double value = (double)bytes;
    int unit = -1;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    if (unit < 0)
        buffer_printf(out, "%" PRId64, bytes);
    else
        buffer_printf(out, "%.1f%c", value, units[unit]);
}

void print_out(struct buffer *b)
{
    fwrite(b->data, 1, b->len, stdout);
    buffer_clear(b);
}

/* ---- values in a line ---- */

bool print_is_time(const char *key)
{
    size_t len = strlen(key);
    return len > 5 && strcmp(key + len - 5, "ed_ms") == 0;
}

static void print_time(struct buffer *out, int64_t wall_ms)
{
    char text[32];
    struct tm tm;
    time_t seconds = (time_t)(wall_ms / 1000);
    if (wall_ms && gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        buffer_append_text(out, text);
}

static void print_integer(struct buffer *out, const char *key, int64_t value)
{
    if (print_is_time(key))
        print_time(out, value);
    else
        buffer_printf(out, "%" PRId64, value);
}

static void print_list(struct buffer *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i) buffer_append_text(out, " ");
        print_cell(out, "", json_array_get(list, i));
    }
}

static void print_pairs(struct buffer *out, const json_t *map)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)map, key, value)
    {
        if (!first) buffer_append_text(out, " ");
        first = false;
        print_clean(out, key, strlen(key));
        buffer_append_text(out, "=");
        print_cell(out, key, value);
    }
}

void print_cell(struct buffer *out, const char *key, const json_t *value)
{
    size_t before = out->len;
    switch (json_typeof(value)) {
    case JSON_STRING: print_clean(out, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: print_integer(out, key, json_integer_value(value)); break;
    case JSON_REAL: buffer_printf(out, "%.10g", json_real_value(value)); break;
    case JSON_TRUE: buffer_append_text(out, "yes"); break;
    case JSON_FALSE: buffer_append_text(out, "no"); break;
    case JSON_ARRAY: print_list(out, value); break;
    case JSON_OBJECT: print_pairs(out, value); break;
    case JSON_NULL: break;
    }
    if (out->len == before) buffer_append_text(out, "-");
}

/* ---- maps and lists ---- */

static void print_elements(const json_t *list)
{
    struct buffer line;
    buffer_init(&line, 1 << 20);
    for (size_t i = 0; i < json_array_size(list); i++) {
        buffer_append_text(&line, "  ");
        print_cell(&line, "", json_array_get(list, i));
        buffer_append_text(&line, "\n");
        print_out(&line);
    }
    buffer_release(&line);
}

void print_map(const json_t *map)
{
    const char *key;
    json_t *value;
    int width = 0;
    struct buffer line;
    buffer_init(&line, 1 << 20);
    json_object_foreach((json_t *)map, key, value) width = (int)strlen(key) > width ? (int)strlen(key) : width;
    json_object_foreach((json_t *)map, key, value)
    {
        bool below = json_is_array(value) && json_array_size(value) > 0;
        print_clean(&line, key, strlen(key));
        if (!below) {
            buffer_printf(&line, "%*s", width - (int)strlen(key) + 2, "");
            print_cell(&line, key, value);
        }
        buffer_append_text(&line, "\n");
        print_out(&line);
        if (below) print_elements(value);
    }
    buffer_release(&line);
}

static bool is_listed(const char *const *names, const char *name)
{
    for (int i = 0; names && names[i]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* The names of all fields, those of `last` at the end. */
static int columns_of(const json_t *list, const char *const *last, const char **names)
{
    const char *key;
    json_t *value;
    int count = 0;
    for (int late = 0; late < 2; late++)
        for (size_t i = 0; i < json_array_size(list); i++) json_object_foreach(json_array_get(list, i), key, value)
            {
                bool known = count == TABLE_COLUMNS_MAX || is_listed(last, key) != late;
                for (int n = 0; n < count && !known; n++) known = strcmp(names[n], key) == 0;
                if (!known) names[count++] = key;
            }
    return count;
}

void print_rows(const json_t *list, const char *const *last)
{
    const char *names[TABLE_COLUMNS_MAX];
    int count = columns_of(list, last, names);
    struct table t;
    if (!count) {
        printf("none\n");
        return;
    }
    table_begin(&t, count, names);
    for (size_t i = 0; i < json_array_size(list); i++)
        for (int n = 0; n < count; n++) table_value(&t, names[n], json_object_get(json_array_get(list, i), names[n]));
    table_end(&t);
}

void print_value(const json_t *value, const char *const *last)
{
    struct buffer line;
    if (json_is_object(value)) {
        print_map(value);
        return;
    }
    if (json_is_array(value) && (json_array_size(value) == 0 || json_is_object(json_array_get(value, 0)))) {
        print_rows(value, last);
        return;
    }
    buffer_init(&line, 64 << 20);
    print_cell(&line, "", value);
    buffer_append_text(&line, "\n");
    print_out(&line);
    buffer_release(&line);
}
