/* Numbers as text, with Redis's rules: the whole text must be the number, no blanks, no leading zeros or '+'. */
#ifndef AIKV_BASE_NUMBER_H
#define AIKV_BASE_NUMBER_H

#include "base/bytes.h"

#define NUMBER_TEXT_MAX 24 /* room for any int64_t or uint64_t and a NUL */

/* Reads a signed integer (as Redis's string2ll). Returns whether `text` was one. */
bool number_parse_integer(struct bytes text, int64_t *out);
/* Reads an unsigned integer; leading zeros are accepted (as strtoul, for cursors). */
bool number_parse_unsigned(struct bytes text, uint64_t *out);
/* Writes decimal digits and a NUL; returns the length without the NUL. */
size_t number_format_integer(char out[NUMBER_TEXT_MAX], int64_t value);
size_t number_format_unsigned(char out[NUMBER_TEXT_MAX], uint64_t value);

/* Reads a decimal or hexadecimal number with a fraction or exponent (as Redis's string2ld): "inf" is one, "nan" is not. */
bool number_parse_real(struct bytes text, long double *out);
/* The same as a double (as Redis's getDoubleFromObject). */
bool number_parse_double(struct bytes text, double *out);
/* Writes a double so that it can be read back as it is, as printf's %.17g does: 17 digits at most, "inf", "-inf", "nan". Returns the length without the NUL. */
#define NUMBER_DOUBLE_MAX 32
size_t number_format_double(char out[NUMBER_DOUBLE_MAX], double value);
/* Writes a finite number for people: 17 digits after the point, less the zeros at their end. Returns the length without the NUL. */
#define NUMBER_REAL_MAX 5120
size_t number_format_real(char out[NUMBER_REAL_MAX], long double value);

#endif
