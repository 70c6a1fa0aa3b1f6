/* BITFIELD: a string as integers of up to 64 bits, anywhere in it. */
#include "base/bits.h"
#include "base/number.h"
#include "command/bitmap.h"
#include "command/need.h"
#include "command/notify.h"

enum overflow { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL };
enum operation { OPERATION_GET, OPERATION_SET, OPERATION_INCRBY, OPERATION_OVERFLOW, OPERATIONS }; /* the last is about those that follow */

struct field {
    uint64_t at;
    unsigned width;
    bool is_signed;
};

struct step {
    enum operation operation;
    enum overflow overflow;
    struct field field;
    int64_t value; /* to be set, or added */
};

struct plan {
    struct step *steps;
    size_t count;
    bool writes;
    uint64_t last_bit; /* the highest that is written */
};

#define FIELD_BYTES_MAX 9 /* 64 bits that begin within a byte */

/* ---- arguments ---- */

/* What argument `i` begins. Returns how many arguments it takes, its name included; 0: there is nothing like it, or some are missing. */
static int find_operation(int argc, const struct bytes *argv, int i, enum operation *out)
{
    static const struct {
        const char *name;
        int words;
    } operations[OPERATIONS] = {
        [OPERATION_GET] = {"GET", 3},
        [OPERATION_SET] = {"SET", 4},
        [OPERATION_INCRBY] = {"INCRBY", 4},
        [OPERATION_OVERFLOW] = {"OVERFLOW", 2},
    };
    for (*out = 0; *out < OPERATIONS; ++*out) {
        if (bytes_is(argv[i], operations[*out].name)) return argc - i >= operations[*out].words ? operations[*out].words : 0;
    }
    return 0;
}

/* False, here and below: the error was replied. */

static bool parse_type(struct command_call *c, int i, struct field *out)
{
    struct bytes text = c->argv[i];
    int64_t width = 0;
    bool is_signed = text.len && text.data[0] == 'i', is_type = is_signed || (text.len && text.data[0] == 'u');
    if (is_type && number_parse_integer(bytes_of(text.data + 1, text.len - 1), &width) && width >= 1 && width <= 63 + is_signed) {
        out->is_signed = is_signed;
        out->width = (unsigned)width;
        return true;
    }
    resp_error(c->reply, ERROR_SYNTAX,
               "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
    return false;
}

static bool parse_overflow(struct command_call *c, int i, enum overflow *out)
{
    static const char *const names[] = {[OVERFLOW_WRAP] = "WRAP", [OVERFLOW_SAT] = "SAT", [OVERFLOW_FAIL] = "FAIL"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        if (!command_is(c, i, names[n])) continue;
        *out = (enum overflow)n;
        return true;
    }
    resp_error(c->reply, ERROR_SYNTAX, "Invalid OVERFLOW type specified");
    return false;
}

/* Type, position and, of those that write, value, from argument `i` on. */
static bool parse_step(struct command_call *c, int i, struct step *out)
{
    return parse_type(c, i, &out->field) && command_bit_position_of(c, i + 1, out->field.width, &out->field.at) &&
           (out->operation == OPERATION_GET || command_integer(c, i + 2, &out->value, NULL));
}

static void add_step(struct plan *p, const struct step *s)
{
    p->steps[p->count++] = *s;
    if (s->operation == OPERATION_GET) return;
    uint64_t last = s->field.at + s->field.width - 1;
    if (!p->writes || last > p->last_bit) p->last_bit = last;
    p->writes = true;
}

static bool parse(struct command_call *c, struct plan *out)
{
    struct step s = {.overflow = OVERFLOW_WRAP};
    *out = (struct plan){.steps = arena_alloc(c->arena, (size_t)c->argc / 3 * sizeof s)};
    for (int i = 2, words; i < c->argc; i += words) {
        words = find_operation(c->argc, c->argv, i, &s.operation);
        if (!words) {
            command_reply_syntax_error(c);
            return false;
        }
        if (s.operation == OPERATION_OVERFLOW) {
            if (!parse_overflow(c, i + 1, &s.overflow)) return false;
        } else {
            if (!parse_step(c, i + 1, &s)) return false;
            add_step(out, &s);
        }
    }
    return true;
}

/* ---- values ---- */

/* Of more bits than any field has: sums of two fit. */
typedef __int128 wide;

static wide field_min(const struct field *f)
{
    return f->is_signed ? -((wide)1 << (f->width - 1)) : 0;
}

static wide field_max(const struct field *f)
{
    return ((wide)1 << (f->is_signed ? f->width - 1 : f->width)) - 1;
}

/* What the bits mean. */
static int64_t value_of(const struct field *f, uint64_t bits)
{
    bool negative = f->is_signed && bits >> (f->width - 1) & 1;
    return (int64_t)(negative && f->width < 64 ? bits | UINT64_MAX << f->width : bits);
}

/* What a step writes in place of `old`. False: it does not fit, and the step is not to be done. */
static bool new_value(const struct step *s, int64_t old, int64_t *out)
{
    const struct field *f = &s->field;
    wide value = s->operation == OPERATION_INCRBY ? (wide)old + s->value : f->is_signed ? (wide)s->value : (wide)(uint64_t)s->value;
    if (value < field_min(f) || value > field_max(f)) {
        if (s->overflow == OVERFLOW_FAIL) return false;
        if (s->overflow == OVERFLOW_SAT) value = value < field_min(f) ? field_min(f) : field_max(f);
    }
    uint64_t mask = f->width == 64 ? UINT64_MAX : ((uint64_t)1 << f->width) - 1;
    *out = value_of(f, (uint64_t)value & mask);
    return true;
}

/* ---- steps ---- */

/* The bytes around a field; those behind the end of the string are zeros. */
struct window {
    size_t at, len;
    uint8_t bytes[FIELD_BYTES_MAX];
};

static struct window read_window(struct command_call *c, const struct keyspace_entry *entry, const struct field *f)
{
    struct window w = {.at = f->at / 8, .len = (f->at % 8 + f->width + 7) / 8};
    size_t len = keyspace_string_len(entry), have = len <= w.at ? 0 : len - w.at < w.len ? len - w.at : w.len;
    if (have) keyspace_string_read(c->keyspace, entry, w.at, have, w.bytes);
    return w;
}

/* Returns whether it has written; `grown`: the string was made longer for it, so that writing what was there counts. */
static bool run_step(struct command_call *c, struct keyspace_entry *entry, const struct step *s, bool grown)
{
    const struct field *f = &s->field;
    struct window w = read_window(c, entry, f);
    int64_t old = value_of(f, bits_get(w.bytes, f->at % 8, f->width)), value = old;
    if (s->operation != OPERATION_GET && !new_value(s, old, &value)) {
        resp_null(c->reply);
        return false;
    }
    resp_integer(c->reply, s->operation == OPERATION_INCRBY ? value : old);
    if (value == old) return grown && s->operation != OPERATION_GET;
    bits_put(w.bytes, f->at % 8, f->width, (uint64_t)value);
    keyspace_string_write(c->keyspace, c->argv[1], w.at, bytes_of(w.bytes, w.len));
    *entry = keyspace_find(c->keyspace, c->argv[1]);
    return true;
}

/* As in Redis, the string is long enough for all that might be written before anything is, and even if nothing is. */
static bool grow(struct command_call *c, struct keyspace_entry *entry, uint64_t last_bit)
{
    size_t len = last_bit / 8 + 1;
    if (!command_string_fits(c, len)) return false;
    if (keyspace_string_len(entry) >= len) return true;
    keyspace_string_write(c->keyspace, c->argv[1], len - 1, bytes_of("", 1));
    *entry = keyspace_find(c->keyspace, c->argv[1]);
    return true;
}

static void run_plan(struct command_call *c, const struct plan *p)
{
    struct keyspace_entry entry = p->writes ? keyspace_find(c->keyspace, c->argv[1]) : command_read(c, c->argv[1]);
    if (!command_is_type(c, &entry, KEYSPACE_STRING)) return;
    size_t len = keyspace_string_len(&entry);
    if (p->writes && !grow(c, &entry, p->last_bit)) return;
    bool grown = keyspace_string_len(&entry) > len, written = false;
    resp_array(c->reply, p->count);
    for (size_t i = 0; i < p->count; i++) written |= run_step(c, &entry, &p->steps[i], grown);
    if (written) command_notify(c, NOTIFY_STRING, "setbit", c->argv[1]);
}

static void command_bitfield_bitfield(struct command_call *c)
{
    struct plan p;
    if (parse(c, &p)) run_plan(c, &p);
}

static void command_bitfield_bitfield_ro(struct command_call *c)
{
    struct plan p;
    if (!parse(c, &p)) return;
    if (p.writes) {
        resp_error(c->reply, ERROR_SYNTAX, "BITFIELD_RO only supports the GET subcommand");
        return;
    }
    run_plan(c, &p);
}

/* With nothing but GET the key is only read. */
static uint32_t key_flags(int argc, const struct bytes *argv)
{
    enum operation operation;
    for (int i = 2, words; i < argc; i += words) {
        words = find_operation(argc, argv, i, &operation);
        if (!words || operation == OPERATION_SET || operation == OPERATION_INCRBY) return KEY_RW | KEY_ACCESS | KEY_UPDATE;
    }
    return KEY_RO | KEY_ACCESS;
}

const struct command_row command_bitfield_rows[] = {
    {"BITFIELD", -2, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE), ACL_BITMAP,
     command_bitfield_bitfield,
     "Reads, sets and adds to integers of up to 64 bits, anywhere in a string.",
     .needs = NEEDS_BITFIELD, .syntax = "key [operation: GET (encoding_offset: encoding offset) | (write: [OVERFLOW (wrap_sat_fail: WRAP | SAT | FAIL)] "
               "(write_operation: SET (encoding_offset_value: encoding offset value:integer) | INCRBY (encoding_offset_increment: encoding "
               "offset increment)))]...",
     .since = "3.2.0", .complexity = "O(1) for each subcommand specified",
     .keys_note = "This command allows both access and modification of the key", .key_flags = key_flags},
    {"BITFIELD_RO", -2, READ | FAST, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_BITMAP, command_bitfield_bitfield_ro,
     "Reads integers of up to 64 bits, anywhere in a string.",
     .needs = NEEDS_BITFIELD, .syntax = "key [GET... (encoding_offset: encoding offset)]", .since = "6.0.0",
     .complexity = "O(1) for each subcommand specified"},
    {0},
};
