/* HyperLogLogs: strings that estimate how many different elements were added. */
#include "base/hyperloglog.h"

#include "command/call.h"
#include "command/engine.h"
#include "command/notify.h"

/* ---- of a key ---- */

static void reply_damaged(struct command_call *c)
{
    resp_error(c->reply, ERROR_INVALIDOBJ, "Corrupted HLL object detected");
}

/* What a key holds, where it lies; empty for no key. False: it is no HyperLogLog, and the error was replied. */
static bool value_of(struct command_call *c, const struct keyspace_entry *entry, struct bytes *out)
{
    *out = bytes_of(NULL, 0);
    if (!command_is_type(c, entry, KEYSPACE_STRING)) return false;
    if (entry->type == KEYSPACE_NONE) return true;
    uint8_t head[HLL_HEAD];
    size_t len = keyspace_string_len(entry), head_len = len < HLL_HEAD ? len : HLL_HEAD;
    keyspace_string_read(c->keyspace, entry, 0, head_len, head);
    if (!hll_is(bytes_of(head, head_len), len)) {
        resp_error(c->reply, ERROR_WRONGTYPE, "Key is not a valid HyperLogLog string value.");
        return false;
    }
    if (len > HLL_SIZE_MAX) {
        reply_damaged(c);
        return false;
    }
    *out = keyspace_string_whole(c->keyspace, entry, c->arena);
    return true;
}

/* A copy to be changed; a new one for no key. */
static void load(struct hll *h, struct bytes value)
{
    if (value.len) {
        hll_load(h, value);
    } else {
        hll_init(h);
    }
}

/* In place of `old`, which the key at `entry` holds: only what is different, if that can be. */
static void store(struct command_call *c, struct bytes key, const struct keyspace_entry *entry, struct bytes old, const struct hll *h)
{
    if (h->len != old.len) {
        keyspace_string_put(c->keyspace, key, hll_bytes(h), entry->expires_ms);
        return;
    }
    bool cache_differs = memcmp(old.data + HLL_CACHE_AT, h->bytes + HLL_CACHE_AT, HLL_HEAD - HLL_CACHE_AT) != 0;
    if (h->changed_from < h->changed_to) {
        struct bytes changed = bytes_of(h->bytes + h->changed_from, h->changed_to - h->changed_from);
        keyspace_string_write(c->keyspace, key, h->changed_from, changed);
    }
    if (cache_differs) {
        keyspace_string_write(c->keyspace, key, HLL_CACHE_AT, bytes_of(h->bytes + HLL_CACHE_AT, HLL_HEAD - HLL_CACHE_AT));
    }
}

/* ---- commands ---- */

static void command_hyperloglog_pfadd(struct command_call *c)
{
    struct bytes key = c->argv[1], old;
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (!value_of(c, &entry, &old)) return;
    struct hll h;
    load(&h, old);
    bool changed = entry.type == KEYSPACE_NONE;
    for (int i = 2; i < c->argc; i++) {
        enum hll_outcome outcome = hll_add(&h, c->argv[i]);
        if (outcome == HLL_DAMAGED) {
            reply_damaged(c);
            return;
        }
        changed |= outcome == HLL_CHANGED;
    }
    if (changed) {
        hll_forget_cached(&h);
        store(c, key, &entry, old, &h);
        command_notify(c, NOTIFY_STRING, "pfadd", key);
    }
    resp_integer(c->reply, changed);
}

/* All of them together into `registers`, from argument 1 on. `*dense`: one of them is. False: the error was replied. */
static bool merge(struct command_call *c, uint8_t registers[HLL_REGISTERS], bool *dense)
{
    memset(registers, 0, HLL_REGISTERS);
    *dense = false;
    for (int i = 1; i < c->argc; i++) {
        struct bytes value;
        struct keyspace_entry entry = command_read(c, c->argv[i]);
        if (!value_of(c, &entry, &value)) return false;
        if (!value.len) continue;
        *dense |= hll_encoding_of(value) == HLL_DENSE;
        if (!hll_merge(registers, value)) {
            reply_damaged(c);
            return false;
        }
    }
    return true;
}

static void count_several(struct command_call *c)
{
    uint8_t registers[HLL_REGISTERS];
    uint64_t cardinality;
    bool dense;
    if (!merge(c, registers, &dense)) return;
    if (hll_count_registers(registers, &cardinality)) {
        resp_integer(c->reply, (int64_t)cardinality);
    } else {
        reply_damaged(c);
    }
}

/* What was counted is kept in the value; not, while nothing can be written. */
static void command_hyperloglog_pfcount(struct command_call *c)
{
    struct bytes value;
    uint64_t cardinality = 0;
    if (c->argc > 2) {
        count_several(c);
        return;
    }
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    if (!value_of(c, &entry, &value)) return;
    if (value.len && !hll_cached(value, &cardinality)) {
        if (!hll_count(value, &cardinality)) {
            reply_damaged(c);
            return;
        }
        uint8_t cache[8];
        hll_cache_write(cache, cardinality);
        if (c->engine->writable) keyspace_string_write(c->keyspace, c->argv[1], HLL_CACHE_AT, bytes_of(cache, sizeof cache));
    }
    resp_integer(c->reply, (int64_t)cardinality);
}

static void command_hyperloglog_pfmerge(struct command_call *c)
{
    struct bytes key = c->argv[1], old;
    uint8_t registers[HLL_REGISTERS];
    bool dense;
    if (!merge(c, registers, &dense)) return;
    struct keyspace_entry entry = keyspace_find(c->keyspace, key);
    if (!value_of(c, &entry, &old)) return;
    struct hll h;
    load(&h, old);
    bool sound = !dense || hll_make_dense(&h);
    for (unsigned i = 0; i < HLL_REGISTERS && sound; i++)
        if (registers[i]) sound = hll_raise(&h, i, registers[i]) != HLL_DAMAGED;
    if (!sound) {
        reply_damaged(c);
        return;
    }
    hll_forget_cached(&h);
    store(c, key, &entry, old, &h);
    command_notify(c, NOTIFY_STRING, "pfadd", key);
    command_reply_ok(c);
}

/* ---- a look inside ---- */

static void reply_registers(struct command_call *c, struct bytes value)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    hll_merge(registers, value);
    resp_array(c->reply, HLL_REGISTERS);
    for (unsigned i = 0; i < HLL_REGISTERS; i++) resp_integer(c->reply, registers[i]);
}

static void reply_runs(struct command_call *c, struct bytes value)
{
    struct buffer *out = &c->engine->scratch;
    size_t at = HLL_HEAD;
    struct hll_run run;
    if (hll_encoding_of(value) == HLL_DENSE) {
        resp_error(c->reply, ERROR_GENERIC, "HLL encoding is not sparse");
        return;
    }
    while (hll_next_run(value, &at, &run)) {
        if (out->len) buffer_append_text(out, " ");
        if (run.value) {
            buffer_printf(out, "v:%d,%u", run.value, run.len);
        } else {
            buffer_printf(out, "%s:%u", run.size == 1 ? "z" : "Z", run.len);
        }
    }
    if (at == value.len) {
        resp_bulk(c->reply, buffer_bytes(out));
    } else {
        reply_damaged(c);
    }
}

/* False: damaged, and the error was replied. */
static bool make_dense(struct command_call *c, const struct keyspace_entry *entry, struct bytes value, struct hll *h)
{
    if (!hll_make_dense(h)) {
        reply_damaged(c);
        return false;
    }
    store(c, c->argv[2], entry, value, h);
    return true;
}

static void command_hyperloglog_pfdebug(struct command_call *c)
{
    struct bytes value;
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[2]);
    if (entry.type == KEYSPACE_NONE) {
        resp_error(c->reply, ERROR_NOT_FOUND, "The specified key does not exist");
        return;
    }
    if (!value_of(c, &entry, &value)) return;
    bool sparse = hll_encoding_of(value) == HLL_SPARSE;
    struct hll h;
    load(&h, value);
    if (command_is(c, 1, "GETREG")) {
        if (make_dense(c, &entry, value, &h)) reply_registers(c, hll_bytes(&h));
    } else if (command_is(c, 1, "DECODE")) {
        reply_runs(c, value);
    } else if (command_is(c, 1, "ENCODING")) {
        resp_simple(c->reply, sparse ? "sparse" : "dense");
    } else if (command_is(c, 1, "TODENSE")) {
        if (make_dense(c, &entry, value, &h)) resp_integer(c->reply, sparse);
    } else {
        resp_error(c->reply, ERROR_SYNTAX, "Unknown PFDEBUG subcommand '%s'", command_text(c, 1));
    }
}

/* ---- PFSELFTEST ---- */

#define TEST_ELEMENTS 1000000

/* Both encodings must tell the number of elements added to within six times the standard error, and the same of it. */
static bool counts_well(const struct hll *sparse_at_first, const struct hll *dense, double added)
{
    uint64_t a, b;
    double bound = added * 6 * 1.04 / 128; /* the square root of the number of registers */
    if (!hll_count(hll_bytes(sparse_at_first), &a) || !hll_count(hll_bytes(dense), &b) || a != b) return false;
    double wrong = (double)a - added;
    return (wrong < 0 ? -wrong : wrong) <= (bound < 1 ? 1 : bound);
}

static bool test_estimates(struct hll *a, struct hll *b)
{
    hll_init(a);
    hll_init(b);
    if (!hll_make_dense(b)) return false;
    for (uint64_t i = 1, stop = 1; i <= TEST_ELEMENTS; i++) {
        struct bytes element = bytes_of(&i, sizeof i);
        if (hll_add(a, element) != hll_add(b, element)) return false;
        if (i == stop) {
            if (!counts_well(a, b, (double)i)) return false;
            stop *= 10;
        }
    }
    return true;
}

/* Registers raised to values of all sizes, each beside others. */
static bool test_registers(struct hll *h)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    hll_init(h);
    if (!hll_make_dense(h)) return false;
    for (unsigned round = 1; round <= 63; round++) {
        for (unsigned i = 0; i < HLL_REGISTERS; i++) {
            uint8_t value = (uint8_t)(1 + (i * 37 + round) % round);
            bool raised = value > registers[i];
            if ((hll_raise(h, i, value) == HLL_CHANGED) != raised) return false;
            if (raised) registers[i] = value;
        }
        uint8_t read[HLL_REGISTERS] = {0};
        if (!hll_merge(read, hll_bytes(h)) || memcmp(read, registers, sizeof read) != 0) return false;
    }
    return true;
}

static void command_hyperloglog_pfselftest(struct command_call *c)
{
    struct hll a, b;
    if (!test_registers(&a)) {
        resp_error(c->reply, ERROR_INVARIANT, "TESTFAILED registers do not hold what was put there");
    } else if (!test_estimates(&a, &b)) {
        resp_error(c->reply, ERROR_INVARIANT, "TESTFAILED the estimate is too far off, or differs between encodings");
    } else {
        command_reply_ok(c);
    }
}

#define KEY_COUNTED KEYS(1, -1, 1, KEY_RW | KEY_ACCESS)

const struct command_row command_hyperloglog_rows[] = {
    {"PFADD", -2, WRITE | DENYOOM | FAST, KEYS(1, 1, 1, KEY_RW | KEY_INSERT), ACL_HYPERLOGLOG, command_hyperloglog_pfadd,
     "Adds elements to a HyperLogLog; returns whether its estimate may have changed.",
     .syntax = "key [element...]", .since = "2.8.9", .complexity = "O(1) to add every element."},
    {"PFCOUNT", -2, READ, KEY_COUNTED, ACL_HYPERLOGLOG, command_hyperloglog_pfcount,
     "About how many different elements were added to a HyperLogLog, or to several together.",
     .syntax = "key...", .since = "2.8.9",
     .complexity = "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, "
                   "and much bigger constant times, when called with multiple keys.",
     .keys_note = "RW because it may change the internal representation of the key, and propagate to replicas", .waits_as_write = true},
    {"PFMERGE", -2, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_INSERT), ACL_HYPERLOGLOG, command_hyperloglog_pfmerge,
     "Adds to a HyperLogLog all that was added to others.",
     .syntax = "destkey sourcekey...", .since = "2.8.9",
     .complexity = "O(N) to merge N HyperLogLogs, but with high constant times.",
     .more_keys = MORE_KEYS(KEYS(2, -1, 1, KEY_RO | KEY_ACCESS))},
    {"PFDEBUG", 3, WRITE | DENYOOM | ADMIN, KEYS(2, 2, 1, KEY_RW | KEY_ACCESS), ACL_HYPERLOGLOG, command_hyperloglog_pfdebug,
     "A HyperLogLog's registers, runs or encoding, for debugging; or makes it dense.",
     .syntax = "(subcommand: GETREG | DECODE | ENCODING | TODENSE) key", .since = "2.8.9", .complexity = "N/A"},
    {"PFSELFTEST", 1, ADMIN, NO_KEYS, ACL_HYPERLOGLOG, command_hyperloglog_pfselftest,
     "Tests the HyperLogLog of this build, with a million elements.",
     .since = "2.8.9", .complexity = "N/A"},
    {0},
};
