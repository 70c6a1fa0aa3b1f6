#include "command/blocked.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/random.h"
#include "command/call.h"
#include "command/engine.h"

#define NEVER UINT64_MAX

TAILQ_HEAD(wait_list, wait);

/* A key that somebody waits for. */
struct waited_key {
    struct names_entry entry; /* first: names_find gives it */
    unsigned database;
    bool ready;             /* in the list of those */
    size_t until_gone;      /* of those in the queue, how many must hear of its end */
    struct wait_list queue; /* the first to come first */
    TAILQ_ENTRY(waited_key) in_ready;
    uint8_t name[];
};

/* A client in the queue of one key. */
struct wait {
    struct waited_key *key;
    struct blocked_client *client;
    TAILQ_ENTRY(wait) in_queue;
};

struct blocked_client {
    struct net_client *client;
    struct command_session *session;
    struct command_request request; /* its arguments live as long as it is suspended */
    enum keyspace_type type;
    bool until_gone, gets_zero, alike;
    command_serve *serve;
    uint64_t until_ms; /* monotonic */
    void *kept;        /* of command_block, a copy */
    size_t kept_len;
    size_t memory;     /* what its keys are taken to cost, though others may share them */
    TAILQ_ENTRY(blocked_client) in_list;
    size_t wait_count;
    struct wait waits[];
};

static void *need(void *memory)
{
    if (!memory) abort();
    return memory;
}

void command_blocked_init(struct command_blocked *b, unsigned databases)
{
    uint64_t seed[2];
    random_bytes(seed, sizeof seed);
    *b = (struct command_blocked){.keys = need(calloc(databases, sizeof *b->keys)), .next_ms = NEVER};
    for (unsigned i = 0; i < databases; i++) names_init(&b->keys[i], seed);
    TAILQ_INIT(&b->list);
    TAILQ_INIT(&b->ready);
}

void command_blocked_release(struct command_blocked *b)
{
    free(b->keys);
}

/* ---- beginning to wait ---- */

static struct waited_key *need_key(struct command_blocked *b, unsigned database, struct bytes name)
{
    struct waited_key *key = (struct waited_key *)names_find(&b->keys[database], name);
    if (key) return key;
    key = need(malloc(sizeof *key + name.len));
    *key = (struct waited_key){.entry.name = bytes_of(key->name, name.len), .database = database};
    if (name.len) memcpy(key->name, name.data, name.len);
    TAILQ_INIT(&key->queue);
    names_add(&b->keys[database], &key->entry);
    return key;
}

static void wait_in_queue(struct command_blocked *b, struct blocked_client *c, struct bytes name)
{
    struct waited_key *key = need_key(b, c->session->database, name);
    struct wait *last = TAILQ_LAST(&key->queue, wait_list);
    if (last && last->client == c) return;
    struct wait *w = &c->waits[c->wait_count++];
    *w = (struct wait){.key = key, .client = c};
    TAILQ_INSERT_TAIL(&key->queue, w, in_queue);
    key->until_gone += c->until_gone;
    c->memory += sizeof *w + sizeof *key + name.len;
}

static void reply_nothing(struct resp_writer *w, bool zero)
{
    if (zero)
        resp_integer(w, 0);
    else
        resp_null_array(w);
}

void command_block(struct command_call *c, const struct command_block *b)
{
    struct command_blocked *all = &c->engine->blocked;
    if (c->in_transaction) {
        reply_nothing(c->reply, b->gets_zero);
        return;
    }
    struct blocked_client *new = need(malloc(sizeof *new + b->key_count * sizeof *new->waits));
    *new = (struct blocked_client){.client = c->client,
                                   .session = c->session,
                                   .request = {c->entry, c->argc, c->argv},
                                   .type = b->type,
                                   .until_gone = b->until_gone,
                                   .gets_zero = b->gets_zero,
                                   .alike = b->alike,
                                   .serve = b->serve,
                                   .kept = need(malloc(b->kept.len + 1)),
                                   .kept_len = b->kept.len,
                                   .memory = b->kept.len,
                                   .until_ms = b->timeout_ms ? clock_monotonic_ms() + (uint64_t)b->timeout_ms : NEVER};
    if (b->kept.len) memcpy(new->kept, b->kept.data, b->kept.len);
    for (size_t i = 0; i < b->key_count; i++) wait_in_queue(all, new, b->keys[i]);
    TAILQ_INSERT_TAIL(&all->list, new, in_list);
    all->count++;
    all->timed += new->until_ms != NEVER;
    if (new->until_ms < all->next_ms) all->next_ms = new->until_ms;
    command_session_keep(c->session, new->memory);
    c->session->blocked = new;
    c->session->waiting = true;
    net_client_suspend(c->client);
}

bool command_timeout(struct command_call *c, int i, int64_t *timeout_ms)
{
    long double seconds;
    if (!number_parse_real(c->argv[i], &seconds)) {
        resp_error(c->reply, ERROR_SYNTAX, "timeout is not a float or out of range");
        return false;
    }
    long double ms = ceill(seconds * 1000);
    if (ms < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "timeout is negative");
        return false;
    }
    if (ms > (long double)(INT64_MAX - c->now_ms)) {
        resp_error(c->reply, ERROR_SYNTAX, "timeout is out of range");
        return false;
    }
    *timeout_ms = (int64_t)ms;
    return true;
}

bool command_timeout_ms(struct command_call *c, int i, int64_t *timeout_ms)
{
    if (!command_integer(c, i, timeout_ms, "timeout is not an integer or out of range")) return false;
    if (*timeout_ms >= 0 && *timeout_ms <= INT64_MAX - c->now_ms) return true;
    resp_error(c->reply, ERROR_SYNTAX, *timeout_ms < 0 ? "timeout is negative" : "timeout is out of range");
    return false;
}

/* ---- ending it ---- */

static void leave_queue(struct command_blocked *b, struct wait *w)
{
    struct waited_key *key = w->key;
    TAILQ_REMOVE(&key->queue, w, in_queue);
    key->until_gone -= w->client->until_gone;
    if (!TAILQ_EMPTY(&key->queue)) return;
    if (key->ready) TAILQ_REMOVE(&b->ready, key, in_ready);
    names_remove(&b->keys[key->database], &key->entry);
    free(key);
}

static void end(struct command_engine *e, struct blocked_client *c)
{
    struct command_blocked *b = &e->blocked;
    for (size_t i = 0; i < c->wait_count; i++) leave_queue(b, &c->waits[i]);
    TAILQ_REMOVE(&b->list, c, in_list);
    b->count--;
    b->timed -= c->until_ms != NEVER;
    command_session_let_go(c->session, c->memory);
    c->session->blocked = NULL;
    c->session->waiting = false;
    free(c->kept);
    free(c);
}

void command_blocked_forget(struct command_engine *e, struct command_session *s)
{
    if (s->blocked) end(e, s->blocked);
}

/* The reply, or so much of it as is known, has been written from `reply_at` on. */
static void resume(struct command_engine *e, struct blocked_client *c, size_t reply_at, struct store_position position)
{
    struct net_client *client = c->client;
    const struct buffer *reply = net_client_reply(client);
    if (reply->len > reply_at && reply->data[reply_at] == '-') {
        command_counts_error(&e->statistics, bytes_of(reply->data + reply_at, reply->len - reply_at));
        e->statistics.each[c->request.entry->number].failed++;
    }
    end(e, c);
    command_bring_own_messages(e, client);
    command_gate(e, client, position);
    net_client_resume(client);
}

static void give_up(struct command_engine *e, struct blocked_client *c, bool with_error)
{
    struct resp_writer reply = {.out = net_client_reply(c->client), .protocol = c->session->protocol};
    size_t reply_at = reply.out->len;
    if (with_error)
        resp_error(&reply, ERROR_UNBLOCKED, "client unblocked via CLIENT UNBLOCK");
    else
        reply_nothing(&reply, c->gets_zero);
    resume(e, c, reply_at, (struct store_position){0, 0});
}

bool command_unblock(struct command_engine *e, struct command_session *s, bool with_error)
{
    if (!s->blocked) return false;
    give_up(e, s->blocked, with_error);
    return true;
}

void command_blocked_expire(struct command_engine *e)
{
    struct command_blocked *b = &e->blocked;
    uint64_t now_ms = clock_monotonic_ms();
    if (now_ms < b->next_ms) return;
    b->next_ms = NEVER;
    for (struct blocked_client *c = TAILQ_FIRST(&b->list), *next; c; c = next) {
        next = TAILQ_NEXT(c, in_list);
        if (c->until_ms <= now_ms)
            give_up(e, c, false);
        else if (c->until_ms < b->next_ms)
            b->next_ms = c->until_ms;
    }
}

void command_blocked_reroute(struct command_engine *e)
{
    for (struct blocked_client *c = TAILQ_FIRST(&e->blocked.list), *next; c; c = next) {
        struct resp_writer reply = {.out = net_client_reply(c->client), .protocol = c->session->protocol};
        size_t reply_at = reply.out->len;
        next = TAILQ_NEXT(c, in_list);
        bool stays = !e->cluster_enabled || command_slot_check(e, c->client, &c->request, &reply);
        if (!stays) resume(e, c, reply_at, (struct store_position){0, 0});
    }
}

/* ---- serving ---- */

static void make_ready(struct command_blocked *b, struct waited_key *key)
{
    if (key->ready) return;
    key->ready = true;
    TAILQ_INSERT_TAIL(&b->ready, key, in_ready);
}

void command_blocked_touch(struct command_engine *e, unsigned database, struct bytes key)
{
    if (!e->blocked.count) return;
    struct waited_key *found = (struct waited_key *)names_find(&e->blocked.keys[database], key);
    if (found) make_ready(&e->blocked, found);
}

void command_blocked_touch_gone(struct command_engine *e, unsigned database, struct bytes key)
{
    if (!e->blocked.count) return;
    struct waited_key *found = (struct waited_key *)names_find(&e->blocked.keys[database], key);
    if (found && found->until_gone) make_ready(&e->blocked, found);
}

void command_blocked_touch_all(struct command_engine *e, unsigned database)
{
    const struct names *keys = &e->blocked.keys[database];
    for (struct names_entry *at = names_next(keys, NULL); at; at = names_next(keys, at)) make_ready(&e->blocked, (struct waited_key *)at);
}

/* As a command that took from then on; the time that it waited is not its own. */
static void note_served(struct command_engine *e, const struct command_call *c, uint64_t since_us)
{
    uint64_t took_us = clock_monotonic_us() - since_us;
    e->statistics.each[c->entry->number].usec += took_us;
    if (took_us >= e->attention_us) command_note_slow(e, c, took_us);
}

/* Serves a client from a key, if that is of its type or the client waits for its end too. False: there is no such key (any more). */
static bool serve(struct command_engine *e, struct blocked_client *c, struct bytes key, uint64_t now_us, bool *found)
{
    struct resp_writer reply = {.out = net_client_reply(c->client), .protocol = c->session->protocol};
    size_t reply_at = reply.out->len;
    struct command_call call = {.argc = c->request.argc,
                                .argv = c->request.argv,
                                .reply = &reply,
                                .keyspace = e->keyspace,
                                .now_ms = ((int64_t)now_us + e->wall_offset_us) / 1000,
                                .arena = &e->arena,
                                .entry = c->request.entry,
                                .kept = bytes_of(c->kept, c->kept_len),
                                .engine = e,
                                .client = c->client,
                                .session = c->session};
    uint64_t began_us = clock_monotonic_us();
    keyspace_begin(e->keyspace, c->session->database, call.now_ms);
    e->running = c->session;
    enum keyspace_type type = keyspace_find(e->keyspace, key).type;
    bool served = (type == c->type || c->until_gone) && c->serve(&call, key);
    e->running = NULL;
    struct store_position position = keyspace_end(e->keyspace);
    if (served) note_served(e, &call, began_us);
    if (served) resume(e, c, reply_at, position);
    *found = served;
    arena_reset(&e->arena); /* others are served in the same turn */
    return type != KEYSPACE_NONE;
}

/* Whether `c` finds nothing either. */
static bool is_like(const struct blocked_client *missed, const struct blocked_client *c)
{
    return missed && missed->alike && c->alike && missed->serve == c->serve &&
           bytes_equal(bytes_of(missed->kept, missed->kept_len), bytes_of(c->kept, c->kept_len));
}

/* Those that wait when it begins: who is served ends his wait, and the key goes with its last. */
static void serve_queue(struct command_engine *e, struct waited_key *key, uint64_t now_us)
{
    const struct wait *last = TAILQ_LAST(&key->queue, wait_list);
    uint8_t *copy = need(malloc(key->entry.name.len + 1));
    struct bytes name = bytes_of(copy, key->entry.name.len);
    memcpy(copy, key->name, name.len);
    bool all = key->until_gone > 0; /* else nobody can be served once it is gone */
    const struct blocked_client *missed = NULL; /* the last that found nothing */
    bool more = true, found;
    for (struct wait *w = TAILQ_FIRST(&key->queue), *next; more; w = next) {
        more = w != last;
        next = TAILQ_NEXT(w, in_queue);
        if (is_like(missed, w->client)) continue;
        more = (serve(e, w->client, name, now_us, &found) || all) && more;
        if (!found) missed = w->client;
    }
    free(copy);
}

void command_blocked_serve(struct command_engine *e)
{
    struct waited_key *key;
    if (TAILQ_EMPTY(&e->blocked.ready)) return;
    uint64_t now_us = clock_monotonic_us();
    while ((key = TAILQ_FIRST(&e->blocked.ready))) {
        TAILQ_REMOVE(&e->blocked.ready, key, in_ready);
        key->ready = false;
        serve_queue(e, key, now_us);
    }
}
