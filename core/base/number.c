#include "base/number.h"

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

size_t number_format_integer(char out[NUMBER_TEXT_MAX], int64_t value)
{
    char reversed[NUMBER_TEXT_MAX];
    size_t n = 0, len = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) out[len++] = '-';
    while (n) out[len++] = reversed[--n];
    out[len] = 0;
    return len;
}
