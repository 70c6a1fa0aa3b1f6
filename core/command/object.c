/* OBJECT: what Redis tells of how it holds a value. */
#include "base/number.h"
#include "command/call.h"
#include "command/engine.h"
#include "keyspace/hash.h"
#include "keyspace/zset.h"
#include "keyspace/set.h"

#define EMBEDDED_MAX 44 /* bytes of a string that Redis holds in one piece with its head */

/* Whether there is such a key; if not, null was replied. */
static bool find(struct command_call *c, struct keyspace_entry *out)
{
    *out = command_inspect(c, c->argv[2]);
    if (out->type != KEYSPACE_NONE) return true;
    resp_null(c->reply);
    return false;
}

/* As Redis's after SET: no history is kept, so a string that was appended to shows as one that was set. */
static const char *string_encoding(struct command_call *c, const struct keyspace_entry *entry)
{
    int64_t number;
    if (keyspace_string_len(entry) > EMBEDDED_MAX) return "raw";
    return number_parse_integer(keyspace_string_whole(c->keyspace, entry, c->arena), &number) ? "int" : "embstr";
}

const char *command_encoding(struct command_call *c, const struct keyspace_entry *entry)
{
    switch (entry->type) {
    case KEYSPACE_HASH: return keyspace_hash_is_large(entry) ? "hashtable" : "listpack";
    case KEYSPACE_ZSET: return keyspace_zset_is_large(entry) ? "skiplist" : "listpack";
    case KEYSPACE_SET: return keyspace_set_is_integers(entry) ? "intset" : "hashtable";
    case KEYSPACE_LIST: return "quicklist";
    case KEYSPACE_STREAM: return "stream";
    default: return string_encoding(c, entry);
    }
}

static void command_object_encoding(struct command_call *c)
{
    struct keyspace_entry entry;
    if (find(c, &entry)) resp_bulk_text(c->reply, command_encoding(c, &entry));
}

static void command_object_refcount(struct command_call *c)
{
    struct keyspace_entry entry;
    if (find(c, &entry)) resp_integer(c->reply, 1); /* no two keys share a value */
}

#define ADJUST "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."

static bool counts_uses(const struct command_call *c)
{
    return c->engine->tuning.eviction.order == KEYSPACE_LEAST_OFTEN;
}

static void command_object_freq(struct command_call *c)
{
    struct keyspace_entry entry;
    if (!find(c, &entry)) return;
    if (counts_uses(c))
        resp_integer(c->reply, keyspace_frequency(c->keyspace));
    else
        resp_error(c->reply, ERROR_GENERIC, "An LFU maxmemory policy is not selected, access frequency not tracked. " ADJUST);
}

static void command_object_idletime(struct command_call *c)
{
    struct keyspace_entry entry;
    if (!find(c, &entry)) return;
    if (counts_uses(c))
        resp_error(c->reply, ERROR_GENERIC, "An LFU maxmemory policy is selected, idle time not tracked. " ADJUST);
    else
        resp_integer(c->reply, keyspace_idle_s(c->keyspace));
}

#define READS KEYS(2, 2, 1, KEY_RO)
#define TIPS  "nondeterministic_output"

static const struct command_row subcommands[] = {
    {"ENCODING", 3, READ, READS, ACL_KEYSPACE, command_object_encoding,
     "How Redis would hold the value of a key.",
     .syntax = "key", .since = "2.2.3", .complexity = "O(1)", .tips = TIPS, .only_looks = true},
    {"FREQ", 3, READ, READS, ACL_KEYSPACE, command_object_freq,
     "How often a key is used, 0 to 255: a counter that rises ever more slowly, and falls with time. With an LFU maxmemory-policy only.",
     .syntax = "key", .since = "4.0.0", .complexity = "O(1)", .tips = TIPS, .only_looks = true},
    {"IDLETIME", 3, READ, READS, ACL_KEYSPACE, command_object_idletime,
     "The seconds since a key was used last, or read from disk. Not with an LFU maxmemory-policy.",
     .syntax = "key", .since = "2.2.3", .complexity = "O(1)", .tips = TIPS, .only_looks = true},
    {"REFCOUNT", 3, READ, READS, ACL_KEYSPACE, command_object_refcount,
     "How many hold the value of a key: always 1.",
     .syntax = "key", .since = "2.2.3", .complexity = "O(1)", .tips = TIPS, .only_looks = true},
    {"HELP", 2, LOADING | STALE, NO_KEYS, ACL_KEYSPACE, command_reply_help,
     "Prints this help.",
     .since = "6.2.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_object_rows[] = {
    {"OBJECT", -2, 0, NO_KEYS, 0, NULL,
     "How the value of a key is held.",
     .since = "2.2.3", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
