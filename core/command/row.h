/* What a row of the command table is made of. Included by the files that hold rows; the short names live here only. */
#ifndef AIKV_COMMAND_ROW_H
#define AIKV_COMMAND_ROW_H

#include "base/bytes.h"

struct command_call;

/* Flags, in the order and with the names in which COMMAND INFO shows them. */
#define COMMAND_FLAGS(X)                                                                                               \
    X(WRITE, "write")                                                                                                  \
    X(READ, "readonly")                                                                                                \
    X(DENYOOM, "denyoom")                                                                                              \
    X(ADMIN, "admin")                                                                                                  \
    X(PUBSUB, "pubsub")                                                                                                \
    X(NOSCRIPT, "noscript")                                                                                            \
    X(BLOCKING, "blocking")                                                                                            \
    X(LOADING, "loading")                                                                                              \
    X(STALE, "stale")                                                                                                  \
    X(SKIP_MONITOR, "skip_monitor")                                                                                    \
    X(SKIP_SLOWLOG, "skip_slowlog")                                                                                    \
    X(FAST, "fast")                                                                                                    \
    X(NO_AUTH, "no_auth")                                                                                              \
    X(MAY_REPLICATE, "may_replicate")                                                                                  \
    X(NO_MANDATORY_KEYS, "no_mandatory_keys")                                                                          \
    X(PROTECTED, "protected")                                                                                          \
    X(NO_ASYNC_LOADING, "no_async_loading")                                                                            \
    X(NO_MULTI, "no_multi")                                                                                            \
    X(MOVABLEKEYS, "movablekeys") /* follows from the keys: rows do not name it */                                     \
    X(ALLOW_BUSY, "allow_busy")

/* ACL categories likewise. A row names those that its flags do not imply (command_row_categories). */
#define COMMAND_CATEGORIES(X)                                                                                          \
    X(ACL_KEYSPACE, "@keyspace")                                                                                       \
    X(ACL_READ, "@read")                                                                                               \
    X(ACL_WRITE, "@write")                                                                                             \
    X(ACL_SET, "@set")                                                                                                 \
    X(ACL_SORTEDSET, "@sortedset")                                                                                     \
    X(ACL_LIST, "@list")                                                                                               \
    X(ACL_HASH, "@hash")                                                                                               \
    X(ACL_STRING, "@string")                                                                                           \
    X(ACL_BITMAP, "@bitmap")                                                                                           \
    X(ACL_HYPERLOGLOG, "@hyperloglog")                                                                                 \
    X(ACL_GEO, "@geo")                                                                                                 \
    X(ACL_STREAM, "@stream")                                                                                           \
    X(ACL_PUBSUB, "@pubsub")                                                                                           \
    X(ACL_ADMIN, "@admin")                                                                                             \
    X(ACL_FAST, "@fast")                                                                                               \
    X(ACL_SLOW, "@slow")                                                                                               \
    X(ACL_BLOCKING, "@blocking")                                                                                       \
    X(ACL_DANGEROUS, "@dangerous")                                                                                     \
    X(ACL_CONNECTION, "@connection")                                                                                   \
    X(ACL_TRANSACTION, "@transaction")                                                                                 \
    X(ACL_SCRIPTING, "@scripting")

/* What is done to a key: RO, RW, OW (overwritten) or RM (removed), then what happens to its content. */
#define COMMAND_KEY_FLAGS(X)                                                                                           \
    X(KEY_RO, "RO")                                                                                                    \
    X(KEY_RW, "RW")                                                                                                    \
    X(KEY_OW, "OW")                                                                                                    \
    X(KEY_RM, "RM")                                                                                                    \
    X(KEY_ACCESS, "access")                                                                                            \
    X(KEY_UPDATE, "update")                                                                                            \
    X(KEY_INSERT, "insert")                                                                                            \
    X(KEY_DELETE, "delete")                                                                                            \
    X(KEY_NOT_KEY, "not_key")                                                                                          \
    X(KEY_INCOMPLETE, "incomplete")                                                                                    \
    X(KEY_VARIABLE, "variable_flags")

#define COMMAND_BIT(name, text) name##_BIT,
#define COMMAND_VALUE(name, text) name = 1u << name##_BIT,
enum { COMMAND_FLAGS(COMMAND_BIT) COMMAND_FLAG_COUNT };
enum { COMMAND_FLAGS(COMMAND_VALUE) };
enum { COMMAND_CATEGORIES(COMMAND_BIT) COMMAND_CATEGORY_COUNT };
enum { COMMAND_CATEGORIES(COMMAND_VALUE) };
enum { COMMAND_KEY_FLAGS(COMMAND_BIT) COMMAND_KEY_FLAG_COUNT };
enum { COMMAND_KEY_FLAGS(COMMAND_VALUE) };
#undef COMMAND_BIT
#undef COMMAND_VALUE

/* Which arguments are keys, or, with KEY_NOT_KEY, have a slot as keys do: one specification, as Redis 7's (COMMAND INFO). */
struct command_key_spec {
    uint32_t flags; /* KEY_…; 0: there is no specification, here ends a list */
    enum {
        KEYS_AT,       /* from argument `index` on */
        KEYS_AFTER,    /* from behind `keyword`, which is looked for from `index` on */
        KEYS_ELSEWHERE /* at what find() says, or nowhere (0): "unknown" for Redis */
    } begin;
    int index;
    bool counted; /* the number of keys is there, then they follow; else: */
    int last;     /* of the keys: as many arguments behind the first, or, negative, counted from the end of all */
    int step;
    int limit; /* 2: only the first half of these arguments; 0 or 1: all */
    const char *keyword;
    int (*find)(int argc, const struct bytes *argv); /* NULL, or tells where they begin more exactly than Redis's terms can */
    const char *note; /* or NULL */
};
#define KEYS(first, last, step, flags) {flags, KEYS_AT, first, false, (last) < 0 ? (last) : (last) - (first), step, 0, NULL, NULL, NULL}
#define NO_KEYS {0}
/* The number of keys is at argument `at`, they follow. */
#define KEYS_COUNTED(at, flags) {flags, KEYS_AT, at, true, 0, 1, 0, NULL, NULL, NULL}
/* A list of specifications for row.more_keys, made of these. */
#define MORE_KEYS(...) ((const struct command_key_spec[]){__VA_ARGS__, {0}})

struct command_need;
/* What a command reads of large values beside its keys' rows; rows say it in the words of command/need.h. */
struct command_needs {
    void (*tell)(const struct command_need *n); /* of one key; NULL: nothing */
    int first, last, step;                      /* what they mean, the word says */
};

struct command_row {
    const char *name; /* "STRLEN"; of a subcommand, "GETNAME" */
    int arity;        /* with the name (and the container's); negative: at least that many */
    uint32_t flags;
    struct command_key_spec keys; /* those that most requests have */
    uint32_t categories;
    void (*run)(struct command_call *c); /* NULL: a container that does nothing by itself */
    const char *summary;
    const char *syntax; /* of the arguments, as syntax.h says; NULL: there are none */
    const char *since;  /* the version of Redis that brought it, "AiKv" for our own */
    const char *complexity;
    const char *tips; /* for clients and proxies, separated by blanks; or NULL */
    const struct command_row *subcommands; /* ends with a row without a name; or NULL */
    bool for_subscribers; /* may be called by a RESP2 connection that has subscribed to something */
    bool never_queued; /* runs at once between MULTI and EXEC too */
    bool waits_as_write; /* while CLIENT PAUSE holds writes up, though it changes no data: what would be replicated, as in Redis */
    bool only_looks; /* looking a key up does not count as using it */
    bool is_debug; /* refused unless enable-debug-command allows it */
    bool suspends; /* its client, until another thread has replied: so it cannot be queued. Other commands never do with call->in_transaction */
    bool needs_cluster; /* refused by a node without cluster mode; of a container: its subcommands */
    const char *replaced_by, *deprecated_since; /* or NULL */
    const char *keys_note;                      /* of `keys`; or NULL */
    const struct command_key_spec *more_keys;   /* MORE_KEYS(…); or NULL */
    struct command_needs needs;                 /* NEEDS_…; all zeros: nothing */
    /* What `keys`, KEY_VARIABLE, are in this very invocation. */
    uint32_t (*key_flags)(int argc, const struct bytes *argv);
    /* Whether argument `i` is something like a password; NULL: none ever is. */
    bool (*is_secret)(int argc, const struct bytes *argv, int i);
};

/* Whether CLIENT PAUSE WRITE holds it up. */
static inline bool command_waits_as_write(const struct command_row *row)
{
    return row->flags & WRITE || row->waits_as_write;
}

/* The rows of each group's files; a list ends with a row without a name. */
extern const struct command_row command_connection_rows[], command_client_rows[];
extern const struct command_row command_introspect_rows[], command_config_rows[], command_info_rows[], command_server_rows[],
    command_save_rows[], command_slowlog_rows[], command_latency_rows[], command_monitor_rows[], command_memory_rows[],
    command_debug_rows[], command_lolwut_rows[], command_acl_rows[], command_module_rows[];
extern const struct command_row command_generic_rows[], command_transfer_rows[], command_expire_rows[], command_object_rows[],
    command_scan_rows[], command_sort_rows[], command_dump_rows[], command_restore_rows[], command_wait_rows[];
extern const struct command_row command_string_rows[], command_set_rows[], command_range_rows[], command_lcs_rows[],
    command_counter_rows[];
extern const struct command_row command_hash_rows[], command_hash_many_rows[], command_hash_expire_rows[];
extern const struct command_row command_zset_rows[], command_zset_range_rows[], command_zset_pick_rows[], command_zset_combine_rows[],
    command_zset_block_rows[];
extern const struct command_row command_sets_rows[], command_sets_combine_rows[];
extern const struct command_row command_bitmap_rows[], command_bitop_rows[], command_bitfield_rows[];
extern const struct command_row command_hyperloglog_rows[];
extern const struct command_row command_geo_rows[], command_geo_search_rows[];
extern const struct command_row command_cluster_rows[];
extern const struct command_row command_list_rows[], command_list_find_rows[], command_list_move_rows[], command_list_block_rows[];
extern const struct command_row command_stream_rows[], command_stream_add_rows[], command_stream_trim_rows[], command_stream_read_rows[],
    command_stream_read_group_rows[], command_stream_group_rows[], command_stream_pending_rows[], command_stream_claim_rows[], command_stream_info_rows[];
extern const struct command_row command_subscribe_rows[], command_publish_rows[];
extern const struct command_row command_transaction_rows[];

/* All flags and all categories, the implied ones too. */
uint32_t command_row_flags(const struct command_row *row);
uint32_t command_row_categories(const struct command_row *row);
/* The names of single bits, by number. */
extern const char *const command_flag_names[], *const command_category_names[], *const command_key_flag_names[];
/* ACL_…, without case, "read"; 0: there is no such category. */
uint32_t command_category_named(struct bytes name);

#endif
