/* What a command function gets, and the replies and arguments that many of them share. */
#ifndef AIKV_COMMAND_CALL_H
#define AIKV_COMMAND_CALL_H

#include "base/arena.h"
#include "command/row.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "keyspace/string.h"
#include "net/server.h"
#include "resp/write.h"

/* One command being run. What lives in the arena, and argv, ends with it. */
struct command_call {
    int argc;
    const struct bytes *argv;
    struct resp_writer *reply;
    struct keyspace *keyspace; /* between begin and end for rows with WRITE or READ */
    int64_t now_ms;            /* wall time; the same throughout */
    struct arena *arena;
    const struct command_entry *entry;
    struct bytes kept; /* of one that is served after a wait: command_block.kept */
    bool in_transaction; /* of EXEC: must not suspend its client, and does at once what it would wait for */
    /* For commands about connections and the server; commands on data leave these alone. */
    struct command_engine *engine;
    struct net_client *client;
    struct command_session *session;
};

#define COMMAND_STRING_MAX ((size_t)512 << 20) /* proto-max-bulk-len */

void command_reply_ok(struct command_call *c);
void command_reply_syntax_error(struct command_call *c);
void command_reply_arity_error(struct command_call *c);
/* Of a subcommand that checks itself how many arguments it was given. */
void command_reply_subcommand_error(struct command_call *c);
/* HELP of a container, made from its rows. */
void command_reply_help(struct command_call *c);

/* Argument `i` as an integer; false: the error was replied (`error`, or the usual text for NULL). */
bool command_integer(struct command_call *c, int i, int64_t *out, const char *error);
/* Argument `i` as an integer from min to max; both kinds of error as Redis's for `error` NULL. */
bool command_integer_within(struct command_call *c, int i, int64_t min, int64_t max, int64_t *out, const char *error);
/* What HRANDFIELD and ZRANDMEMBER take behind the key: a count (below 0: picks may be equal), and perhaps the word that asks for what belongs to
 * each pick. False: the error was replied. */
bool command_parse_picks(struct command_call *c, const char *word, int64_t *count, bool *with);
/* Argument `i` with a NUL behind it, in the arena. */
char *command_text(struct command_call *c, int i);
/* Whether argument `i` is this word, without case. */
static inline bool command_is(const struct command_call *c, int i, const char *word)
{
    return bytes_is(c->argv[i], word);
}

/* Writes to the engine's scratch buffer, what is to be replied once it is known how much it is. */
struct resp_writer command_writer_aside(const struct command_call *c);
/* As a call, but its replies go there; `w` is room for the writer. */
struct command_call command_call_aside(const struct command_call *c, struct resp_writer *w);
/* Replies with what went there. What did not fit there does not fit a reply. */
void command_reply_aside(struct command_call *c);

/* A string's value, or null for no key. */
void command_reply_string(struct command_call *c, const struct keyspace_entry *entry);
/* `len` bytes of it from `at` on. */
void command_reply_part(struct command_call *c, const struct keyspace_entry *entry, size_t at, size_t len);
/* Whether a string may have this length; if not, the error was replied. */
bool command_string_fits(struct command_call *c, size_t len);

/* Whether a key's value is of this type, or there is none; if not, the error was replied. */
bool command_is_type(struct command_call *c, const struct keyspace_entry *entry, enum keyspace_type type);
/* keyspace_find that counts as a hit or a miss in INFO, and tells of a miss (notify.h). */
struct keyspace_entry command_read(struct command_call *c, struct bytes key);
/* The same without telling. */
struct keyspace_entry command_inspect(struct command_call *c, struct bytes key);

/* How Redis would hold a value, as OBJECT ENCODING tells. `entry` is one that there is. */
const char *command_encoding(struct command_call *c, const struct keyspace_entry *entry);

#endif
