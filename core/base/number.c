#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_digits(const uint8_t *p, size_t len, uint64_t *out)
{
    if (len == 0) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        uint64_t digit = (uint64_t)(p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool number_parse_integer(struct bytes text, int64_t *out)
{
    if (text.len == 0 || text.len > 20) return false;
    bool negative = text.data[0] == '-';
    const uint8_t *digits = text.data + negative;
    size_t len = text.len - negative;
    if (len == 0) return false;
    if (digits[0] == '0') {
        if (len > 1 || negative) return false;
        *out = 0;
        return true;
    }
    uint64_t value;
    if (!read_digits(digits, len, &value)) return false;
    if (negative) {
        if (value > (uint64_t)INT64_MAX + 1) return false;
        *out = (int64_t)(0 - value);
    } else {
        if (value > INT64_MAX) return false;
        *out = (int64_t)value;
    }
    return true;
}

bool number_parse_unsigned(struct bytes text, uint64_t *out)
{
    return text.len <= 20 && read_digits(text.data, text.len, out);
}

static size_t digits_of(uint64_t value)
{
    size_t n = 1;
    for (; value >= 100; value /= 100) n += 2;
    return n + (value >= 10);
}

static size_t put_digits(char *out, uint64_t value)
{
    size_t len = digits_of(value), at = len;
    out[at] = 0;
    do {
        out[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (at);
    return len;
}

size_t number_format_unsigned(char out[NUMBER_TEXT_MAX], uint64_t value)
{
    return put_digits(out, value);
}

size_t number_format_integer(char out[NUMBER_TEXT_MAX], int64_t value)
{
    if (value >= 0) return put_digits(out, (uint64_t)value);
    out[0] = '-';
    return 1 + put_digits(out + 1, 0 - (uint64_t)value);
}

/* A copy that ends with a NUL; false: it cannot be a number. */
static bool copy_real(struct bytes text, char out[NUMBER_REAL_MAX])
{
    if (text.len == 0 || text.len >= NUMBER_REAL_MAX || isspace(text.data[0])) return false;
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    errno = 0;
    return true;
}

bool number_parse_real(struct bytes text, long double *out)
{
    char copy[NUMBER_REAL_MAX], *end;
    if (!copy_real(text, copy)) return false;
    long double value = strtold(copy, &end);
    bool too_large_or_small = errno == ERANGE && (isinf(value) || value == 0);
    if (end != copy + text.len || too_large_or_small || isnan(value)) return false;
    *out = value;
    return true;
}

/* A few digits, which a double holds as they are. */
#define EXACT_DIGITS 15
static bool parse_whole(struct bytes text, double *out)
{
    uint64_t value;
    if (text.len == 0 || text.len > EXACT_DIGITS) return false;
    bool negative = text.data[0] == '-';
    if (!read_digits(text.data + negative, text.len - negative, &value)) return false;
    *out = negative ? -(double)value : (double)value;
    return true;
}

bool number_parse_double(struct bytes text, double *out)
{
    if (parse_whole(text, out)) return true;
    char copy[NUMBER_REAL_MAX], *end;
    if (!copy_real(text, copy)) return false;
    double value = strtod(copy, &end);
    bool too_large_or_small = errno == ERANGE && (isinf(value) || value == 0);
    if (end != copy + text.len || too_large_or_small || isnan(value)) return false;
    *out = value;
    return true;
}

static bool is_whole(double value)
{
    return value > -1e15 && value < 1e15 && value == (double)(int64_t)value && (value != 0 || !signbit(value));
}

size_t number_format_double(char out[NUMBER_DOUBLE_MAX], double value)
{
    if (is_whole(value)) return number_format_integer(out, (int64_t)value);
    if (isnan(value)) value = NAN; /* printf writes the sign */
    return (size_t)snprintf(out, NUMBER_DOUBLE_MAX, "%.17g", value);
}

size_t number_format_real(char out[NUMBER_REAL_MAX], long double value)
{
    size_t len = (size_t)snprintf(out, NUMBER_REAL_MAX, "%.17Lf", value); /* the greatest has 4,952 */
    while (out[len - 1] == '0') len--;
    if (out[len - 1] == '.') len--;
    out[len] = 0;
    if (strcmp(out, "-0") != 0) return len;
    memcpy(out, "0", 2);
    return 1;
}
