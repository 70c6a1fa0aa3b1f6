/* Bitmaps: single bits, how many are set, where the first one is. */
#include "command/bitmap.h"

#include "base/bits.h"
#include "base/number.h"
#include "command/need.h"
#include "command/notify.h"

/* ---- positions ---- */

static bool parse_position(struct command_call *c, struct bytes text, unsigned unit_bits, uint64_t *out)
{
    int64_t at;
    bool possible = number_parse_integer(text, &at) && !__builtin_mul_overflow(at, (int64_t)unit_bits, &at) && at >= 0;
    *out = (uint64_t)at;
    if (possible && *out / 8 < COMMAND_STRING_MAX) return true;
    resp_error(c->reply, ERROR_SYNTAX, "bit offset is not an integer or out of range");
    return false;
}

bool command_bit_position(struct command_call *c, int i, uint64_t *out)
{
    return parse_position(c, c->argv[i], 1, out);
}

bool command_bit_position_of(struct command_call *c, int i, unsigned width, uint64_t *out)
{
    struct bytes text = c->argv[i];
    if (!text.len || text.data[0] != '#') return command_bit_position(c, i, out);
    return parse_position(c, bytes_of(text.data + 1, text.len - 1), width, out);
}

/* ---- single bits ---- */

static uint8_t byte_at(struct command_call *c, const struct keyspace_entry *entry, uint64_t at)
{
    uint8_t byte = 0;
    if (at < keyspace_string_len(entry)) keyspace_string_read(c->keyspace, entry, at, 1, &byte);
    return byte;
}

static void command_bitmap_setbit(struct command_call *c)
{
    const char *error = "bit is not an integer or out of range";
    struct bytes key = c->argv[1];
    uint64_t at;
    int64_t bit;
    if (!command_bit_position(c, 2, &at) || !command_integer_within(c, 3, 0, 1, &bit, error)) return;
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    uint8_t byte = byte_at(c, &entry, at / 8);
    uint64_t old = bits_get(&byte, at % 8, 1);
    if (old != (uint64_t)bit || at / 8 >= keyspace_string_len(&entry)) {
        bits_put(&byte, at % 8, 1, (uint64_t)bit);
        keyspace_string_write(c->keyspace, key, at / 8, bytes_of(&byte, 1));
        command_notify(c, NOTIFY_STRING, "setbit", key);
    }
    resp_integer(c->reply, (int64_t)old);
}

static void command_bitmap_getbit(struct command_call *c)
{
    uint64_t at;
    if (!command_bit_position(c, 2, &at)) return;
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    uint8_t byte = byte_at(c, &entry, at / 8);
    resp_integer(c->reply, (int64_t)bits_get(&byte, at % 8, 1));
}

/* ---- ranges ---- */

/* Bits from `first` to `last`, both included; none if first > last. */
struct bit_range {
    int64_t first, last;
};

static int64_t position(int64_t given, int64_t len)
{
    if (given >= 0) return given;
    return given < -len ? 0 : given + len;
}

/* From `start` to `end`, both included, each counted in units of so many bits, negative ones from the end of the string. */
static struct bit_range range_of(const struct keyspace_entry *entry, int64_t start, int64_t end, int64_t unit_bits)
{
    int64_t len = (int64_t)keyspace_string_len(entry) * 8 / unit_bits;
    start = position(start, len);
    end = position(end, len);
    if (end >= len) end = len - 1;
    if (start > end) return (struct bit_range){.first = 1, .last = 0};
    return (struct bit_range){start * unit_bits, end * unit_bits + unit_bits - 1};
}

/* Argument `i`, if there is one, as the unit of a range; false: the error was replied. */
static bool parse_unit(struct command_call *c, int i, int64_t *bits)
{
    if (i >= c->argc || command_is(c, i, "BYTE")) return true;
    *bits = 1;
    if (command_is(c, i, "BIT")) return true;
    command_reply_syntax_error(c);
    return false;
}

/* Whole bytes are counted, then the bits taken off that are outside. */
static int64_t count(struct command_call *c, const struct keyspace_entry *entry, const struct bit_range *r)
{
    if (r->first > r->last) return 0;
    size_t at = (size_t)r->first / 8, end = (size_t)r->last / 8 + 1;
    uint64_t sum = 0;
    while (at < end) {
        struct bytes piece = keyspace_string_piece(c->keyspace, entry, at);
        if (piece.len > end - at) piece.len = end - at;
        if (piece.data) sum += bits_count(piece);
        at += piece.len;
    }
    uint8_t before = byte_at(c, entry, (size_t)r->first / 8), behind = byte_at(c, entry, end - 1);
    before = (uint8_t)(before & ~(0xffu >> r->first % 8));
    behind = (uint8_t)(behind & (0xffu >> 1 >> r->last % 8));
    return (int64_t)(sum - bits_count(bytes_of(&before, 1)) - bits_count(bytes_of(&behind, 1)));
}

/* In Redis's order: what comes first decides what is replied. */
static void count_range(struct command_call *c, const struct keyspace_entry *entry)
{
    int64_t start = 0, end = -1, unit_bits = 8;
    if (c->argc > 2 && (!command_integer(c, 2, &start, NULL) || !command_integer(c, 3, &end, NULL))) return;
    if (start < 0 && end < start) {
        resp_integer(c->reply, 0);
        return;
    }
    if (!parse_unit(c, 4, &unit_bits)) return;
    struct bit_range r = range_of(entry, start, end, unit_bits);
    resp_integer(c->reply, count(c, entry, &r));
}

static void command_bitmap_bitcount(struct command_call *c)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    if (entry.type == KEYSPACE_NONE) {
        resp_integer(c->reply, 0);
    } else if (c->argc == 3 || c->argc > 5) {
        command_reply_syntax_error(c);
    } else {
        count_range(c, &entry);
    }
}

/* The first bit of the range that is `set` or not; one behind its last, or more, if there is none. */
static int64_t find(struct command_call *c, const struct keyspace_entry *entry, const struct bit_range *r, bool set)
{
    size_t at = (size_t)r->first / 8, end = (size_t)r->last / 8 + 1;
    uint64_t from = (uint64_t)r->first % 8;
    while (at < end) {
        struct bytes piece = keyspace_string_piece(c->keyspace, entry, at);
        uint64_t none = piece.len * 8, found = piece.data ? bits_find(piece, from, set) : set ? none : from;
        if (found < none) return (int64_t)(at * 8 + found);
        at += piece.len;
        from = 0;
    }
    return r->last + 1;
}

static void find_in_range(struct command_call *c, const struct keyspace_entry *entry, bool set)
{
    int64_t start = 0, end = -1, unit_bits = 8;
    bool has_end = c->argc > 4;
    if (c->argc > 3 && !command_integer(c, 3, &start, NULL)) return;
    if (!parse_unit(c, 5, &unit_bits) || (has_end && !command_integer(c, 4, &end, NULL))) return;
    struct bit_range r = range_of(entry, start, end, unit_bits);
    int64_t at = r.first > r.last ? -1 : find(c, entry, &r, set);
    bool zeros_follow = !set && !has_end; /* behind a range that ends where the string does */
    if (at > r.last && !zeros_follow) at = -1;
    resp_integer(c->reply, at);
}

static void command_bitmap_bitpos(struct command_call *c)
{
    int64_t bit;
    if (!command_integer(c, 2, &bit, NULL)) return;
    if (bit != 0 && bit != 1) {
        resp_error(c->reply, ERROR_SYNTAX, "The bit argument must be 1 or 0.");
        return;
    }
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    if (entry.type == KEYSPACE_NONE) {
        resp_integer(c->reply, bit ? -1 : 0);
    } else if (c->argc > 6) {
        command_reply_syntax_error(c);
    } else {
        find_in_range(c, &entry, bit);
    }
}

#define ONE_READ KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_bitmap_rows[] = {
    {"SETBIT", 4, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE), ACL_BITMAP, command_bitmap_setbit,
     "Sets or clears a bit of a string, which grows as needed; returns what it was.",
     .needs = NEEDS_BIT, .syntax = "key offset value:integer", .since = "2.2.0", .complexity = "O(1)"},
    {"GETBIT", 3, READ | FAST, ONE_READ, ACL_BITMAP, command_bitmap_getbit,
     "A bit of a string; those behind its end are 0.",
     .needs = NEEDS_BIT, .syntax = "key offset", .since = "2.2.0", .complexity = "O(1)"},
    {"BITCOUNT", -2, READ, ONE_READ, ACL_BITMAP, command_bitmap_bitcount,
     "How many bits are set in a string, or in a part of it.",
     .needs = NEEDS_BITS(2), .syntax = "key [index: start end [index_unit: BYTE | BIT]]", .since = "2.6.0", .complexity = "O(N)"},
    {"BITPOS", -3, READ, ONE_READ, ACL_BITMAP, command_bitmap_bitpos,
     "Where the first bit is that is set, or clear, in a string or in a part of it; -1 if there is none.",
     .needs = NEEDS_BITS(3), .syntax = "key bit [index: start [end_index: end [index_unit: BYTE | BIT]]]", .since = "2.8.7", .complexity = "O(N)"},
    {0},
};
