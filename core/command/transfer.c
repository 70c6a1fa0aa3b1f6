/* A value from one key to another, in another database too. Databases exist in cluster mode as well, and a key and
 * its copy are in the same slot, so nothing here differs there. */
#include "command/engine.h"
#include "command/need.h"
#include "command/notify.h"

/* A database's number; false: the error was replied. */
static bool parse_database(struct command_call *c, int i, unsigned *out)
{
    int64_t number;
    if (!command_integer_within(c, i, INT32_MIN, INT32_MAX, &number, NULL)) return false;
    if (number < 0 || number >= c->engine->databases) {
        resp_error(c->reply, ERROR_GENERIC, "DB index is out of range");
        return false;
    }
    *out = (unsigned)number;
    return true;
}

static void reply_same(struct command_call *c)
{
    resp_error(c->reply, ERROR_GENERIC, "source and destination objects are the same");
}

/* Within the database. KEYSPACE_NO_SOURCE: the error was replied. */
static enum keyspace_transfer rename_key(struct command_call *c, bool replace)
{
    struct keyspace_destination to = {c->session->database, c->argv[2], replace};
    enum keyspace_transfer outcome = keyspace_move(c->keyspace, c->argv[1], &to);
    if (outcome == KEYSPACE_NO_SOURCE) resp_error(c->reply, ERROR_NOT_FOUND, "no such key");
    if (outcome == KEYSPACE_TRANSFERRED && !bytes_equal(c->argv[1], to.key)) {
        command_notify(c, NOTIFY_GENERIC, "rename_from", c->argv[1]);
        command_notify(c, NOTIFY_GENERIC, "rename_to", to.key);
    }
    return outcome;
}

static void command_transfer_rename(struct command_call *c)
{
    if (rename_key(c, true) == KEYSPACE_TRANSFERRED) command_reply_ok(c);
}

static void command_transfer_renamenx(struct command_call *c)
{
    enum keyspace_transfer outcome = rename_key(c, false);
    if (outcome != KEYSPACE_NO_SOURCE) resp_integer(c->reply, outcome == KEYSPACE_TRANSFERRED);
}

static void command_transfer_move(struct command_call *c)
{
    struct keyspace_destination to = {.key = c->argv[1]};
    if (!parse_database(c, 2, &to.database)) return;
    if (to.database == c->session->database) {
        reply_same(c);
        return;
    }
    bool moved = keyspace_move(c->keyspace, c->argv[1], &to) == KEYSPACE_TRANSFERRED;
    if (moved) {
        command_notify(c, NOTIFY_GENERIC, "move_from", to.key);
        command_notify_in(c->engine, to.database, NOTIFY_GENERIC, "move_to", to.key);
    }
    resp_integer(c->reply, moved);
}

/* False: the error was replied. */
static bool parse_copy(struct command_call *c, struct keyspace_destination *to)
{
    for (int i = 3; i < c->argc; i++) {
        if (command_is(c, i, "REPLACE")) {
            to->replace = true;
        } else if (command_is(c, i, "DB") && i + 1 < c->argc) {
            if (!parse_database(c, ++i, &to->database)) return false;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

static void command_transfer_copy(struct command_call *c)
{
    struct bytes from = c->argv[1];
    struct keyspace_destination to = {.database = c->session->database, .key = c->argv[2]};
    if (!parse_copy(c, &to)) return;
    if (to.database == c->session->database && bytes_equal(from, to.key)) {
        reply_same(c);
        return;
    }
    bool done = command_read(c, from).type != KEYSPACE_NONE &&
                keyspace_copy(c->keyspace, from, &to) == KEYSPACE_TRANSFERRED;
    if (done) command_notify_in(c->engine, to.database, NOTIFY_GENERIC, "copy_to", to.key);
    resp_integer(c->reply, done);
}

#define LEAVES KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_DELETE)
#define COMES(how) MORE_KEYS(KEYS(2, 2, 1, KEY_OW | (how)))

const struct command_row command_transfer_rows[] = {
    {"RENAME", 3, WRITE, LEAVES, ACL_KEYSPACE, command_transfer_rename,
     "Gives a key another name, in place of the key that may have that name.",
     .syntax = "key newkey", .since = "1.0.0", .complexity = "O(1)", .more_keys = COMES(KEY_UPDATE)},
    {"RENAMENX", 3, WRITE | FAST, LEAVES, ACL_KEYSPACE, command_transfer_renamenx,
     "Gives a key another name, unless there is a key of that name; returns whether it did.",
     .syntax = "key newkey", .since = "1.0.0", .complexity = "O(1)", .more_keys = COMES(KEY_INSERT)},
    {"COPY", -3, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), ACL_KEYSPACE, command_transfer_copy,
     "Copies a key with its expiry; returns whether it did.",
     .needs = NEEDS_ROWS, .syntax = "source destination [DB destination-db] [REPLACE]", .since = "6.2.0",
     .complexity = "O(N) where N is the length of the value.", .more_keys = COMES(KEY_UPDATE)},
    {"MOVE", 3, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_ACCESS | KEY_UPDATE), ACL_KEYSPACE, command_transfer_move,
     "Moves a key to another database, unless it has one of that name; returns whether it did.",
     .syntax = "key db", .since = "1.0.0", .complexity = "O(1)"},
    {0},
};
