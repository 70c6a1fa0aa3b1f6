/* What the commands on bitmaps share. A bitmap is a string; bit 0 is the highest of its first byte. */
#ifndef AIKV_COMMAND_BITMAP_H
#define AIKV_COMMAND_BITMAP_H

#include "command/call.h"

/* Argument `i` as the position of a bit that a string may have; false: the error was replied. */
bool command_bit_position(struct command_call *c, int i, uint64_t *out);
/* The same in the form that BITFIELD takes too: "#3" is the fourth of integers of `width` bits. */
bool command_bit_position_of(struct command_call *c, int i, unsigned width, uint64_t *out);

#endif
