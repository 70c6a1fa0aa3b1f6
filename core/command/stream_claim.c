/* Taking over what is pending: XCLAIM, XAUTOCLAIM. */
#include "command/engine.h"
#include "command/stream_group.h"
#include "command/stream_id.h"

#define AT_ONCE 64 /* what XAUTOCLAIM looks at before it changes any of it */

struct claim {
    struct command_call *c;
    struct keyspace_stream s;
    struct stream_group g;
    struct command_call aside; /* entries that were claimed are replied here */
    struct resp_writer w;
    size_t claimed;
    uint64_t consumer; /* 0: none was needed yet */
    int64_t idle_ms;   /* at least; 0: however long */
    int64_t delivered_ms, deliveries; /* as it shall be; deliveries below 0: one more, unless `just_ids` */
    bool just_ids, force;
};

static void reply_entry(struct claim *claim, const struct stream_entry *entry)
{
    if (claim->just_ids)
        command_stream_reply_id(&claim->aside, entry->id);
    else
        command_stream_reply_entry(&claim->aside, entry);
    claim->claimed++;
}

/* Makes an entry that is there the consumer's. `p` is what it was, or is to be. */
static void take(struct claim *claim, const struct stream_entry *entry, struct stream_pending *p)
{
    reply_entry(claim, entry); /* lies in a row, until something is written */
    if (!claim->consumer) claim->consumer = command_group_consumer(claim->c, &claim->s, &claim->g, claim->c->argv[3]);
    p->consumer = claim->consumer;
    p->delivered_ms = claim->delivered_ms;
    if (claim->deliveries >= 0)
        p->deliveries = (uint64_t)claim->deliveries;
    else if (!claim->just_ids)
        p->deliveries++;
    keyspace_pending_put(&claim->s, &claim->g, p);
}

static bool is_idle(const struct claim *claim, const struct stream_pending *p)
{
    return !claim->idle_ms || claim->c->now_ms - p->delivered_ms >= claim->idle_ms;
}

static void begin(struct command_call *c, struct claim *claim)
{
    *claim = (struct claim){.c = c, .delivered_ms = c->now_ms, .deliveries = -1};
    claim->aside = command_call_aside(c, &claim->w);
}

/* Argument 4. False: the error was replied. */
static bool parse_idle(struct command_call *c, struct claim *claim, const char *error)
{
    if (!command_integer(c, 4, &claim->idle_ms, error)) return false;
    if (claim->idle_ms < 0) claim->idle_ms = 0;
    return true;
}

/* ---- XCLAIM ---- */

/* Options from argument `at` on; `last` stays as it was without LASTID. False: the error was replied. */
static bool parse_options(struct command_call *c, int at, struct claim *claim, struct stream_id *last)
{
    int64_t delivered_ms = c->now_ms;
    for (int i = at; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        if (command_is(c, i, "FORCE")) {
            claim->force = true;
        } else if (command_is(c, i, "JUSTID")) {
            claim->just_ids = true;
        } else if (command_is(c, i, "IDLE") && more) {
            if (!command_integer(c, ++i, &delivered_ms, "Invalid IDLE option argument for XCLAIM")) return false;
            delivered_ms = (int64_t)((uint64_t)c->now_ms - (uint64_t)delivered_ms);
        } else if (command_is(c, i, "TIME") && more) {
            if (!command_integer(c, ++i, &delivered_ms, "Invalid TIME option argument for XCLAIM")) return false;
        } else if (command_is(c, i, "RETRYCOUNT") && more) {
            if (!command_integer(c, ++i, &claim->deliveries, "Invalid RETRYCOUNT option argument for XCLAIM")) return false;
        } else if (command_is(c, i, "LASTID") && more) {
            if (!command_stream_id(c, ++i, last)) return false;
        } else {
            resp_error(c->reply, ERROR_SYNTAX, "Unrecognized XCLAIM option '%s'", command_text(c, i));
            return false;
        }
    }
    if (delivered_ms >= 0 && delivered_ms <= c->now_ms) claim->delivered_ms = delivered_ms;
    return true;
}

static void claim_one(struct claim *claim, struct stream_id id)
{
    struct stream_pending p;
    struct stream_entry entry;
    bool pending = keyspace_pending_find(&claim->s, &claim->g, id, &p);
    if (!command_stream_entry(&claim->s, id, &entry)) {
        if (pending) keyspace_pending_remove(&claim->s, &claim->g, &p);
        return;
    }
    if (pending ? !is_idle(claim, &p) : !claim->force) return;
    if (!pending) p = (struct stream_pending){.id = id, .deliveries = 1};
    take(claim, &entry, &p);
}

static void command_stream_xclaim(struct command_call *c)
{
    struct claim claim;
    struct stream_id last = {0, 0}, *ids = arena_alloc(c->arena, (size_t)c->argc * sizeof *ids);
    size_t count = 0;
    begin(c, &claim);
    if (!command_group_need(c, &claim.s, &claim.g) || !parse_idle(c, &claim, "Invalid min-idle-time argument for XCLAIM")) return;
    while (5 + count < (size_t)c->argc && command_stream_id_parse(c->argv[5 + count], 0, &ids[count], NULL)) count++;
    if (!parse_options(c, 5 + (int)count, &claim, &last) || !command_group_name_fits(c, c->argv[3])) return;
    if (stream_id_compare(last, claim.g.last) > 0) {
        claim.g.last = last;
        keyspace_group_put(&claim.s, c->argv[2], &claim.g);
    }
    for (size_t i = 0; i < count && !claim.w.out->failed; i++) claim_one(&claim, ids[i]);
    keyspace_stream_close(&claim.s);
    resp_array(c->reply, claim.claimed);
    command_reply_aside(c);
}

/* ---- XAUTOCLAIM ---- */

#define COUNT_MAX (INT64_MAX / 16) /* as Redis's */

struct auto_claim {
    struct claim claim;
    int64_t count, attempts; /* left */
    struct stream_id next;   /* to be looked at; 0-0: none is left */
    struct buffer gone;      /* ids of entries that are not there, as they are replied */
    size_t gone_count;
};

static bool parse_auto(struct command_call *c, struct auto_claim *a)
{
    begin(c, &a->claim);
    a->count = 100;
    if (!parse_idle(c, &a->claim, "Invalid min-idle-time argument for XAUTOCLAIM") || !command_stream_end(c, 5, false, &a->next)) return false;
    for (int i = 6; i < c->argc; i++) {
        if (command_is(c, i, "COUNT") && i + 1 < c->argc) {
            if (!command_integer_within(c, ++i, 1, COUNT_MAX, &a->count, "COUNT must be > 0")) return false;
        } else if (command_is(c, i, "JUSTID")) {
            a->claim.just_ids = true;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    a->attempts = 10 * a->count;
    return true;
}

static void auto_claim_one(struct auto_claim *a, struct stream_pending *p)
{
    struct claim *claim = &a->claim;
    struct stream_entry entry;
    if (!command_stream_entry(&claim->s, p->id, &entry)) {
        struct resp_writer w = {.out = &a->gone, .protocol = claim->c->reply->protocol};
        struct command_call telling = *claim->c;
        telling.reply = &w;
        command_stream_reply_id(&telling, p->id);
        keyspace_pending_remove(&claim->s, &claim->g, p);
        a->gone_count++;
    } else if (is_idle(claim, p)) {
        take(claim, &entry, p);
    } else {
        return;
    }
    a->count--;
}

/* Looks at some; false: there are none left, or enough were found. */
static bool auto_claim_some(struct auto_claim *a)
{
    struct keyspace_group_walk walk;
    struct stream_pending found[AT_ONCE];
    size_t n = 0, i = 0;
    keyspace_pending_walk(&a->claim.s, &a->claim.g, NULL, a->next, &walk);
    while (n < AT_ONCE && keyspace_pending_next(&a->claim.s, &walk, &found[n])) n++;
    for (; i < n && a->count && a->attempts; i++, a->attempts--) auto_claim_one(a, &found[i]);
    if (i < n) {
        a->next = found[i].id;
        return false;
    }
    a->next = n ? found[n - 1].id : STREAM_ID_MAX;
    if (n == AT_ONCE && stream_id_next(&a->next) && !a->claim.w.out->failed && !a->gone.failed) return true;
    a->next = (struct stream_id){0, 0};
    return false;
}

static void command_stream_xautoclaim(struct command_call *c)
{
    struct auto_claim a;
    if (!parse_auto(c, &a) || !command_group_need(c, &a.claim.s, &a.claim.g) || !command_group_name_fits(c, c->argv[3])) return;
    a.gone_count = 0;
    buffer_init(&a.gone, c->engine->scratch.max);
    while (auto_claim_some(&a)) {
    }
    keyspace_stream_close(&a.claim.s);
    resp_array(c->reply, 3);
    command_stream_reply_id(c, a.next);
    resp_array(c->reply, a.claim.claimed);
    command_reply_aside(c);
    resp_array(c->reply, a.gone_count);
    resp_raw(c->reply, buffer_bytes(&a.gone));
    c->reply->out->failed |= a.gone.failed;
    buffer_release(&a.gone);
}

/* ---- the rows ---- */

const struct command_row command_stream_claim_rows[] = {
    {"XCLAIM", -6, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_STREAM, command_stream_xclaim,
     "Makes entries that are pending another consumer's, as if they had been delivered to it.",
     .syntax = "key group consumer min-idle-time id... [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID "
               "id]",
     .since = "5.0.0", .complexity = "O(log N) with N being the number of messages in the PEL of the consumer group.",
     .tips = "nondeterministic_output"},
    {"XAUTOCLAIM", -6, WRITE | FAST, KEYS(1, 1, 1, KEY_RW | KEY_DELETE), ACL_STREAM, command_stream_xautoclaim,
     "The same with whatever has been pending for long enough, from an id on; returns where to go on, too, and what has been deleted meanwhile.",
     .syntax = "key group consumer min-idle-time start:string [COUNT count] [JUSTID]", .since = "6.2.0", .complexity = "O(1) if COUNT is small.",
     .tips = "nondeterministic_output"},
    {0},
};
