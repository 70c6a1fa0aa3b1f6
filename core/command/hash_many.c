/* Hashes: all of their fields, some at random, a few at a time. */
#include "base/random.h"
#include "command/hash.h"
#include "command/need.h"
#include "command/scan.h"

/* ---- all ---- */

static void command_hash_hgetall(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    if (!command_open_hash(c, &h)) return;
    resp_map(c->reply, keyspace_hash_len(&h));
    while (keyspace_hash_next(&h, &w, &field)) {
        resp_bulk(c->reply, field.name);
        resp_bulk(c->reply, field.value);
    }
}

static void command_hash_hkeys(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    if (!command_open_hash(c, &h)) return;
    resp_array(c->reply, keyspace_hash_len(&h));
    while (keyspace_hash_next(&h, &w, &field)) resp_bulk(c->reply, field.name);
}

static void command_hash_hvals(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_hash_walk w = {0};
    struct keyspace_field field;
    if (!command_open_hash(c, &h)) return;
    resp_array(c->reply, keyspace_hash_len(&h));
    while (keyspace_hash_next(&h, &w, &field)) resp_bulk(c->reply, field.value);
}

/* ---- at random ---- */

struct picks {
    struct resp_writer *reply;
    bool values;
};

static void reply_pick(void *user, const struct keyspace_field *field)
{
    struct picks *p = user;
    if (p->values && p->reply->protocol >= 3) resp_array(p->reply, 2);
    resp_bulk(p->reply, field->name);
    if (p->values) resp_bulk(p->reply, field->value);
}

static bool reply_pick_again(void *user, const struct keyspace_field *field)
{
    struct picks *p = user;
    reply_pick(p, field);
    return !p->reply->out->failed; /* a reply that has grown too large is cut off */
}

/* So many picks, or, of a `count` below 0, as many that may be equal. */
static void reply_picks(struct command_call *c, struct keyspace_hash *h, int64_t count, bool values)
{
    struct picks p = {c->reply, values};
    uint64_t fields = keyspace_hash_len(h), picks = count < 0 ? 0 - (uint64_t)count : (uint64_t)count < fields ? (uint64_t)count : fields;
    if (!fields) picks = 0;
    resp_array(c->reply, values && c->reply->protocol < 3 ? 2 * picks : picks);
    if (count >= 0)
        keyspace_hash_sample(h, picks, &c->engine->random, c->arena, reply_pick, &p);
    else
        keyspace_hash_pick(h, picks, &c->engine->random, c->arena, reply_pick_again, &p);
}

static void command_hash_hrandfield(struct command_call *c)
{
    struct keyspace_hash h;
    struct keyspace_field field;
    int64_t count;
    bool values;
    if (c->argc > 2) {
        if (command_parse_picks(c, "WITHVALUES", &count, &values) && command_open_hash(c, &h)) reply_picks(c, &h, count, values);
    } else if (command_open_hash(c, &h)) {
        if (!keyspace_hash_len(&h)) {
            resp_null(c->reply);
            return;
        }
        keyspace_hash_random(&h, &c->engine->random, &field);
        resp_bulk(c->reply, field.name);
    }
}

/* ---- a few at a time ---- */

struct scan {
    struct command_scan *s;
    int64_t seen;
};

static void visit(void *user, const struct keyspace_field *field)
{
    struct scan *scan = user;
    struct command_scan *s = scan->s;
    scan->seen++;
    if (!command_scan_fits(s, field->name)) return;
    resp_bulk(&s->elements, field->name);
    resp_bulk(&s->elements, field->value);
    s->found += 2;
}

static void command_hash_hscan(struct command_call *c)
{
    struct command_scan s;
    struct keyspace_hash h;
    if (!command_scan_begin(c, 2, &s) || !command_open_hash(c, &h)) return;
    bool empty = !keyspace_hash_len(&h); /* as in Redis, options are then not looked at */
    if (!empty && !command_scan_options(c, 3, false, &s)) return;
    struct scan scan = {&s, 0};
    uint64_t next = s.cursor;
    do
        next = empty ? 0 : keyspace_hash_scan(&h, next, visit, &scan);
    while (next && scan.seen < s.count);
    command_scan_reply(c, &s, next);
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_hash_many_rows[] = {
    {"HGETALL", 2, READ, READS, ACL_HASH, command_hash_hgetall,
     "All fields of a hash and their values.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "2.0.0", .complexity = "O(N) where N is the size of the hash.",
     .tips = "nondeterministic_output_order"},
    {"HKEYS", 2, READ, READS, ACL_HASH, command_hash_hkeys,
     "All fields of a hash.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "2.0.0", .complexity = "O(N) where N is the size of the hash.",
     .tips = "nondeterministic_output_order"},
    {"HVALS", 2, READ, READS, ACL_HASH, command_hash_hvals,
     "The values of all fields of a hash.",
     .needs = NEEDS_WHOLE, .syntax = "key", .since = "2.0.0", .complexity = "O(N) where N is the size of the hash.",
     .tips = "nondeterministic_output_order"},
    {"HRANDFIELD", -2, READ, READS, ACL_HASH, command_hash_hrandfield,
     "A random field of a hash, or several different ones, or, of a count below 0, as many that may be equal.",
     .syntax = "key [options: count [WITHVALUES]]", .since = "6.2.0",
     .complexity = "O(N) where N is the number of fields returned", .tips = "nondeterministic_output"},
    {"HSCAN", -3, READ, READS, ACL_HASH, command_hash_hscan,
     "Some fields of a hash with their values, and the cursor to go on with: 0 at the end.",
     .needs = NEEDS_SCAN, .syntax = "key cursor [MATCH pattern] [COUNT count]", .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to "
                   "return back to 0. N is the number of elements inside the collection..",
     .tips = "nondeterministic_output"},
    {0},
};
