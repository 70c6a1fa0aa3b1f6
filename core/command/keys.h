/* Which arguments of a request are keys. */
#ifndef AIKV_COMMAND_KEYS_H
#define AIKV_COMMAND_KEYS_H

#include "command/row.h"

/* Walks the keys: for (int i = command_keys_first(row, argc); i; i = command_keys_next(row, argc, i)) argv[i] …;
 * an index of 0 ends it. */
static inline int command_keys_last(const struct command_row *row, int argc)
{
    int last = row->keys.last < 0 ? argc + row->keys.last : row->keys.last;
    return last < argc ? last : argc - 1;
}

static inline int command_keys_first(const struct command_row *row, int argc)
{
    int first = row->keys.first;
    return first && first <= command_keys_last(row, argc) ? first : 0;
}

static inline int command_keys_next(const struct command_row *row, int argc, int i)
{
    int next = i + row->keys.step;
    return next <= command_keys_last(row, argc) ? next : 0;
}

/* What this invocation does to key `i`. */
static inline uint32_t command_keys_flags(const struct command_row *row, int argc, const struct bytes *argv, int i)
{
    if (row->last_key_flags && i == command_keys_last(row, argc)) return row->last_key_flags;
    return row->key_flags ? row->key_flags(argc, argv) : row->keys.flags;
}

#endif
