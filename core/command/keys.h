/* Which arguments of a request are keys. */
#ifndef AIKV_COMMAND_KEYS_H
#define AIKV_COMMAND_KEYS_H

#include "command/row.h"

/* Walks the keys of a request that suits the row's arity: `for (struct command_keys k = command_keys(row, argc, argv); command_keys_next(&k);)`
 * argv[k.at] … A request that says wrongly how many keys it has, or lacks a keyword, has none there: its command will say so. */
struct command_keys {
    const struct command_row *row;
    int argc;
    const struct bytes *argv;
    int spec;       /* of row->keys (0) and row->more_keys (1 on), the next to be looked at */
    int at;         /* the key's argument */
    uint32_t flags; /* what is done to it: KEY_…, in this very invocation */
    int left, step; /* of the keys of one specification */
};

static inline struct command_keys command_keys(const struct command_row *row, int argc, const struct bytes *argv)
{
    return (struct command_keys){.row = row, .argc = argc, .argv = argv};
}

/* False: that was the last one. */
bool command_keys_next(struct command_keys *k);
/* Passes the next `count` over, in time that does not grow with their number. */
void command_keys_pass(struct command_keys *k, unsigned count);

/* Whether requests may have keys at all. Channels that have a slot, as keys do, are none. */
static inline bool command_has_keys(const struct command_row *row)
{
    return (row->keys.flags && !(row->keys.flags & KEY_NOT_KEY)) || row->more_keys;
}

/* Specification number `i` of a row; NULL: there are no more. */
static inline const struct command_key_spec *command_key_spec(const struct command_row *row, int i)
{
    if (i == 0 && row->keys.flags) return &row->keys;
    const struct command_key_spec *more = row->more_keys ? &row->more_keys[row->keys.flags ? i - 1 : i] : NULL;
    return more && more->flags ? more : NULL;
}

/* What COMMAND INFO tells clients that know of no specifications: the first run of keys, last counted as in KEYS; all 0: none. */
struct command_legacy_keys {
    int first, last, step;
};
struct command_legacy_keys command_legacy_keys(const struct command_row *row);

#endif
