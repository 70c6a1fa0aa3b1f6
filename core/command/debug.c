/* DEBUG, as far as test suites need it; only where enable-debug-command allows it. */
#include <limits.h>
#include <time.h>

#include "base/log.h"
#include "base/number.h"
#include "command/call.h"
#include "command/digest.h"
#include "command/engine.h"

#define SLEEP_MAX_S        3600
#define POPULATE_BATCH     1000               /* keys */
#define POPULATE_BYTES_MAX ((uint64_t)1 << 30)
#define POSITIVE           "value is out of range, must be positive"

/* Everybody waits, as in Redis. */
static void debug_sleep(struct command_call *c)
{
    long double seconds;
    if (!number_parse_real(c->argv[2], &seconds) || !(seconds >= 0 && seconds <= SLEEP_MAX_S)) {
        resp_error(c->reply, ERROR_SYNTAX, "DEBUG SLEEP takes seconds from 0 to %d", SLEEP_MAX_S);
        return;
    }
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (long double)left.tv_sec) * 1e9L);
    while (nanosleep(&left, &left)) {}
    command_reply_ok(c);
}

static void debug_object(struct command_call *c)
{
    keyspace_begin(c->keyspace, c->session->database, c->now_ms);
    keyspace_only_look(c->keyspace, true);
    struct keyspace_entry entry = keyspace_find(c->keyspace, c->argv[2]);
    if (entry.type == KEYSPACE_NONE) {
        resp_error(c->reply, ERROR_NOT_FOUND, "no such key");
    } else {
        char text[128];
        const char *encoding = command_encoding(c, &entry);
        snprintf(text, sizeof text, "Value refcount:1 encoding:%s serializedlength:%llu", encoding,
                 (unsigned long long)keyspace_key_bytes(c->keyspace, c->argv[2]));
        resp_simple(c->reply, text);
    }
    command_gate(c->engine, c->client, keyspace_end(c->keyspace));
}

/* ---- data ---- */

static void reply_digest(struct command_call *c, const uint8_t digest[COMMAND_DIGEST_LEN])
{
    char hex[2 * COMMAND_DIGEST_LEN + 1];
    for (size_t i = 0; i < COMMAND_DIGEST_LEN; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    resp_simple(c->reply, hex);
}

static void debug_digest(struct command_call *c)
{
    uint8_t digest[COMMAND_DIGEST_LEN];
    if (command_digest_all(c, digest))
        reply_digest(c, digest);
    else
        resp_error(c->reply, ERROR_GENERIC, "the names of keys are too long for DEBUG DIGEST");
}

static void debug_digest_value(struct command_call *c)
{
    struct arena values = {0}; /* one value at a time: the same large one may be named again and again */
    struct command_call one = *c;
    one.arena = &values;
    resp_array(c->reply, (size_t)c->argc - 2);
    keyspace_begin(c->keyspace, c->session->database, c->now_ms);
    keyspace_only_look(c->keyspace, true);
    for (int i = 2; i < c->argc; i++) {
        uint8_t digest[COMMAND_DIGEST_LEN] = {0};
        command_digest_value(&one, c->argv[i], digest);
        reply_digest(c, digest);
        arena_reset(&values);
    }
    arena_release(&values);
    command_gate(c->engine, c->client, keyspace_end(c->keyspace));
}

/* The key "prefix:number", unless it is there: "value:number", or so many bytes, of which those are the first. `room` has room for both. */
static void put_numbered(struct command_call *c, struct bytes prefix, uint64_t number, uint8_t *room, size_t value_len)
{
    char text[32];
    struct bytes key = bytes_of(room, prefix.len + (size_t)snprintf(text, sizeof text, ":%llu", (unsigned long long)number));
    memcpy(room, prefix.data, prefix.len);
    memcpy(room + prefix.len, text, key.len - prefix.len);
    if (keyspace_find(c->keyspace, key).type != KEYSPACE_NONE) return;
    uint8_t *value = room + prefix.len + sizeof text;
    size_t len = (size_t)snprintf(text, sizeof text, "value:%llu", (unsigned long long)number);
    memcpy(value, text, value_len && value_len < len ? value_len : len);
    keyspace_string_put(c->keyspace, key, bytes_of(value, value_len ? value_len : len), KEYSPACE_NO_EXPIRY);
}

static void debug_populate(struct command_call *c)
{
    int64_t count, value_len = 0;
    struct bytes prefix = c->argc > 3 ? c->argv[3] : bytes_text("key");
    if (!command_integer_within(c, 2, 0, INT64_MAX, &count, POSITIVE)) return;
    if (c->argc > 4 && !command_integer_within(c, 4, 0, COMMAND_STRING_MAX, &value_len, POSITIVE)) return;
    size_t room_len = prefix.len + (size_t)value_len + 64;
    if ((uint64_t)count > POPULATE_BYTES_MAX / room_len) {
        resp_error(c->reply, ERROR_SYNTAX, "DEBUG POPULATE makes at most %llu MiB", (unsigned long long)(POPULATE_BYTES_MAX >> 20));
        return;
    }
    uint8_t *room = arena_alloc(c->arena, room_len);
    memset(room, 0, room_len);
    for (int64_t at = 0; at < count; at += POPULATE_BATCH) {
        keyspace_begin(c->keyspace, c->session->database, c->now_ms);
        for (int64_t i = at; i < count && i < at + POPULATE_BATCH; i++) put_numbered(c, prefix, (uint64_t)i, room, (size_t)value_len);
        command_gate(c->engine, c->client, keyspace_end(c->keyspace));
    }
    command_reply_ok(c);
}

static void debug_reload(struct command_call *c)
{
    if (c->in_transaction)
        resp_error(c->reply, ERROR_GENERIC, "DEBUG RELOAD waits for a checkpoint and is not allowed inside a transaction");
    else
        command_save_wait(c, true);
}

static void debug_set_active_expire(struct command_call *c)
{
    int64_t on;
    if (!command_integer_within(c, 2, 0, 1, &on, NULL)) return;
    c->engine->expire_paused = !on;
    command_reply_ok(c);
}

static void debug_error(struct command_call *c)
{
    struct buffer *out = &c->engine->scratch;
    buffer_append_text(out, "-");
    buffer_append(out, c->argv[2].data, c->argv[2].len);
    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '\r' || out->data[i] == '\n') out->data[i] = ' ';
    }
    buffer_append_text(out, "\r\n");
    resp_raw(c->reply, buffer_bytes(out));
}

static void debug_log(struct command_call *c)
{
    log_warn("DEBUG LOG", "message=%s", log_quote(command_text(c, 2)));
    command_reply_ok(c);
}

/* ---- a reply of each type ---- */

static void reply_numbers(struct command_call *c)
{
    for (int i = 0; i < 3; i++) resp_integer(c->reply, i);
}

static void protocol_string(struct command_call *c)
{
    resp_bulk_text(c->reply, "Hello World");
}

static void protocol_integer(struct command_call *c)
{
    resp_integer(c->reply, 12345);
}

static void protocol_double(struct command_call *c)
{
    resp_double(c->reply, 3.141);
}

static void protocol_bignum(struct command_call *c)
{
    static const char digits[] = "1234567999999999999999999999999999999";
    if (c->reply->protocol < 3) {
        resp_bulk_text(c->reply, digits);
    } else {
        buffer_printf(c->reply->out, "(%s\r\n", digits);
    }
}

static void protocol_null(struct command_call *c)
{
    resp_null(c->reply);
}

static void protocol_array(struct command_call *c)
{
    resp_array(c->reply, 3);
    reply_numbers(c);
}

static void protocol_set(struct command_call *c)
{
    resp_set(c->reply, 3);
    reply_numbers(c);
}

static void protocol_map(struct command_call *c)
{
    resp_map(c->reply, 3);
    for (int i = 0; i < 3; i++) {
        resp_integer(c->reply, i);
        resp_bool(c->reply, i == 1);
    }
}

static void protocol_attrib(struct command_call *c)
{
    if (c->reply->protocol >= 3) buffer_append_text(c->reply->out, "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");
    resp_bulk_text(c->reply, "Some real reply following the attribute");
}

static void protocol_push(struct command_call *c)
{
    if (c->reply->protocol < 3) {
        resp_error(c->reply, ERROR_GENERIC, "RESP2 is not supported by this command");
        return;
    }
    resp_push(c->reply, 2);
    resp_bulk_text(c->reply, "server-cpu-usage");
    resp_integer(c->reply, 42);
    resp_bulk_text(c->reply, "Some real reply following the push reply");
}

static void protocol_verbatim(struct command_call *c)
{
    resp_verbatim(c->reply, bytes_text("This is a verbatim\nstring"));
}

static void protocol_true(struct command_call *c)
{
    resp_bool(c->reply, true);
}

static void protocol_false(struct command_call *c)
{
    resp_bool(c->reply, false);
}

static void debug_protocol(struct command_call *c)
{
    static const struct {
        const char *type;
        void (*reply)(struct command_call *c);
    } types[] = {
        {"string", protocol_string}, {"integer", protocol_integer}, {"double", protocol_double},     {"bignum", protocol_bignum}, {"null", protocol_null},
        {"array", protocol_array},   {"set", protocol_set},         {"map", protocol_map},           {"attrib", protocol_attrib}, {"push", protocol_push},
        {"true", protocol_true},     {"false", protocol_false},     {"verbatim", protocol_verbatim},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!command_is(c, 2, types[i].type)) continue;
        types[i].reply(c);
        return;
    }
    resp_error(c->reply, ERROR_SYNTAX,
               "Wrong protocol type name. Please use one of the following: "
               "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

/* ---- the command ---- */

static void debug_help(struct command_call *c);

/* Not subcommands: COMMAND INFO has none for DEBUG. */
static const struct {
    const char *name, *syntax, *summary;
    int argc, argc_max;
    void (*run)(struct command_call *c);
} all[] = {
    {"DIGEST", "", "A digest of all data, as Redis's.", 2, 2, debug_digest},
    {"DIGEST-VALUE", "[<key> ...]", "Digests of the values of keys, likewise.", 2, INT_MAX, debug_digest_value},
    {"ERROR", "<text>", "Replies with this error.", 3, 3, debug_error},
    {"LOADAOF", "", "The same as RELOAD.", 2, 2, debug_reload},
    {"LOG", "<message>", "Writes a line into the log.", 3, 3, debug_log},
    {"OBJECT", "<key>", "How a value is held, and the bytes of its rows.", 3, 3, debug_object},
    {"POPULATE", "<count> [<prefix> [<size>]]", "Makes keys named prefix:0 and so on, of so many bytes, but for those that are there.", 3, 5,
     debug_populate},
    {"PROTOCOL", "<type>", "A reply of a type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true, false.", 3, 3,
     debug_protocol},
    {"RELOAD", "", "Waits for a checkpoint of all that was written, then lets all rows in memory go: they are read from disk anew.", 2, 2,
     debug_reload},
    {"SET-ACTIVE-EXPIRE", "<0|1>", "With 0, keys that have expired are deleted only when somebody asks for them.", 3, 3, debug_set_active_expire},
    {"SLEEP", "<seconds>", "Runs nothing, for nobody, for so long. Decimals are allowed.", 3, 3, debug_sleep},
    {"HELP", "", "Prints this help.", 2, 2, debug_help},
};
#define ALL (sizeof all / sizeof *all)

static void debug_help(struct command_call *c)
{
    char text[256];
    resp_array(c->reply, 1 + 2 * ALL);
    resp_simple(c->reply, "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    for (size_t i = 0; i < ALL; i++) {
        snprintf(text, sizeof text, "%s%s%s", all[i].name, *all[i].syntax ? " " : "", all[i].syntax);
        resp_simple(c->reply, text);
        snprintf(text, sizeof text, "    %s", all[i].summary);
        resp_simple(c->reply, text);
    }
}

static void command_debug_debug(struct command_call *c)
{
    for (size_t i = 0; i < ALL; i++) {
        if (!command_is(c, 1, all[i].name) || c->argc < all[i].argc || c->argc > all[i].argc_max) continue;
        all[i].run(c);
        return;
    }
    command_reply_subcommand_error(c);
}

const struct command_row command_debug_rows[] = {
    {"DEBUG", -2, ADMIN | NOSCRIPT | LOADING | STALE, NO_KEYS, 0, command_debug_debug,
     "Help for tests of clients; refused unless enable-debug-command allows it.",
     .syntax = "(subcommand: DIGEST | DIGEST-VALUE | ERROR | LOADAOF | LOG | OBJECT | POPULATE | PROTOCOL | RELOAD | SET-ACTIVE-EXPIRE | SLEEP | HELP) [argument]",
     .since = "1.0.0", .complexity = "Depends on subcommand.",
     .is_debug = true},
    {0},
};
