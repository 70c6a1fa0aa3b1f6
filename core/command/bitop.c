/* BITOP: strings combined bit by bit. A shorter one counts as if zeros followed.
 *
 * The result comes piece by piece, each from the same piece of every source. */
#include "command/need.h"
#include "command/notify.h"

#include <assert.h>

#define PIECE_WORDS 512
#define PIECE_BYTES (PIECE_WORDS * sizeof(uint64_t))

enum operation { OPERATION_AND, OPERATION_OR, OPERATION_XOR, OPERATION_NOT, OPERATIONS };

struct combination {
    struct keyspace *keyspace;
    enum operation operation;
    const struct keyspace_entry *sources;
    size_t count;
};

/* False: there is none of this name. */
static bool parse_operation(struct bytes name, enum operation *out)
{
    static const char *const names[OPERATIONS] = {"AND", "OR", "XOR", "NOT"};
    for (*out = 0; *out < OPERATIONS; ++*out)
        if (bytes_is(name, names[*out])) return true;
    return false;
}

/* Fills whole words: behind the end of the source, and behind `len`, are zeros. */
static void read_padded(const struct combination *b, const struct keyspace_entry *source, size_t at, size_t len, uint64_t words[PIECE_WORDS])
{
    size_t there = keyspace_string_len(source), have = there <= at ? 0 : there - at < len ? there - at : len;
    if (have) keyspace_string_read(b->keyspace, source, at, have, (uint8_t *)words);
    memset((uint8_t *)words + have, 0, PIECE_BYTES - have);
}

static void apply(enum operation operation, uint64_t words[PIECE_WORDS], const uint64_t with[PIECE_WORDS])
{
    switch (operation) {
    case OPERATION_AND:
        for (size_t i = 0; i < PIECE_WORDS; i++) words[i] &= with[i];
        break;
    case OPERATION_OR:
        for (size_t i = 0; i < PIECE_WORDS; i++) words[i] |= with[i];
        break;
    case OPERATION_XOR:
        for (size_t i = 0; i < PIECE_WORDS; i++) words[i] ^= with[i];
        break;
    default: assert(false && "operations on one source do not combine"); break;
    }
}

static void fill_piece(const struct combination *b, size_t at, uint8_t *out, size_t len)
{
    uint64_t words[PIECE_WORDS], with[PIECE_WORDS];
    read_padded(b, &b->sources[0], at, len, words);
    for (size_t i = 1; i < b->count; i++) {
        read_padded(b, &b->sources[i], at, len, with);
        apply(b->operation, words, with);
    }
    for (size_t i = 0; b->operation == OPERATION_NOT && i < PIECE_WORDS; i++) words[i] = ~words[i];
    memcpy(out, words, len);
}

static void fill(void *user, size_t at, uint8_t *out, size_t len)
{
    for (size_t done = 0; done < len; done += PIECE_BYTES) {
        fill_piece(user, at + done, out + done, len - done < PIECE_BYTES ? len - done : PIECE_BYTES);
    }
}

/* The longest source's length through `len`. False: the error was replied. */
static bool find_sources(struct command_call *c, struct keyspace_entry *out, size_t count, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = command_read(c, c->argv[3 + i]);
        if (!command_is_type(c, &out[i], KEYSPACE_STRING)) return false;
        size_t its = keyspace_string_len(&out[i]);
        if (its > *len) *len = its;
    }
    return true;
}

static void command_bitop_bitop(struct command_call *c)
{
    size_t count = (size_t)c->argc - 3, len;
    struct combination b = {.keyspace = c->keyspace, .count = count};
    if (!parse_operation(c->argv[1], &b.operation)) {
        command_reply_syntax_error(c);
        return;
    }
    if (b.operation == OPERATION_NOT && count != 1) {
        resp_error(c->reply, ERROR_SYNTAX, "BITOP NOT must be called with a single source key.");
        return;
    }
    struct keyspace_entry *sources = arena_alloc(c->arena, count * sizeof *sources);
    if (!find_sources(c, sources, count, &len)) return;
    b.sources = sources;
    if (len) {
        keyspace_string_make(c->keyspace, c->argv[2], len, fill, &b, KEYSPACE_NO_EXPIRY);
        command_notify(c, NOTIFY_STRING, "set", c->argv[2]);
    } else if (keyspace_delete(c->keyspace, c->argv[2])) {
        command_notify(c, NOTIFY_GENERIC, "del", c->argv[2]);
    }
    resp_integer(c->reply, (int64_t)len);
}

const struct command_row command_bitop_rows[] = {
    {"BITOP", -4, WRITE | DENYOOM, KEYS(2, 2, 1, KEY_OW | KEY_UPDATE), ACL_BITMAP, command_bitop_bitop,
     "Combines strings bit by bit, and stores the result; returns its length.",
     .needs = NEEDS_WHOLE, .syntax = "(operation: AND | OR | XOR | NOT) destkey key...", .since = "2.6.0", .complexity = "O(N)",
     .more_keys = MORE_KEYS(KEYS(3, -1, 1, KEY_RO | KEY_ACCESS))},
    {0},
};
