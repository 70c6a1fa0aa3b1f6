/* What is done for requests before they run: their rows are brought near. Those in memory are fetched for a whole pipeline at once. Those on
 * disk are read by the store's threads; the client waits meanwhile, and nobody else. */
#include <assert.h>

#include "base/number.h"
#include "command/call.h"
#include "command/engine.h"
#include "command/keys.h"
#include "command/need.h"

struct key_list {
    struct bytes *keys;
    size_t count, max;
};

/* As a request of which nothing is known but its command; `entry` NULL: it will be refused. */
static struct command_request look_at(const struct command_engine *e, const struct resp_request *r)
{
    const struct command_entry *entry = command_table_resolve(&e->table, r->argc, r->argv);
    return (struct command_request){entry && command_arity_fits(entry->row, r->argc) ? entry : NULL, r->argc, r->argv};
}

/* One that only reads and writes keys: it changes nothing for those behind it, as SELECT does. */
static bool is_about_keys(const struct command_request *r)
{
    return r->entry && command_has_keys(r->entry->row);
}

/* How many of a transaction's requests, from the first on, are. */
static size_t leading_about_keys(const struct command_transaction *t)
{
    size_t n = 0;
    while (n < t->count && is_about_keys(&t->queue[n])) n++;
    return n;
}

/* ---- rows in memory ---- */

static void add_keys(const struct command_request *r, struct key_list *out)
{
    if (!is_about_keys(r)) return;
    for (struct command_keys k = command_keys(r->entry->row, r->argc, r->argv); out->count < out->max && command_keys_next(&k);)
        out->keys[out->count++] = r->argv[k.at];
}

/* Returns how many of the requests may run: an administrative command may change how those behind it are run, as CLIENT PAUSE does. */
static size_t prefetch(struct command_engine *e, unsigned database, const struct resp_request *requests, size_t count)
{
    struct bytes keys[STORE_AHEAD_MAX];
    struct key_list list = {.keys = keys, .max = STORE_AHEAD_MAX};
    if (count <= 1) return count;
    size_t i = 0;
    for (bool more = true; more && i < count; i++) {
        struct command_request r = look_at(e, &requests[i]);
        add_keys(&r, &list);
        more = !r.entry || !(r.entry->row->flags & ADMIN);
    }
    keyspace_prefetch(e->keyspace, database, keys, list.count);
    return i;
}

static void prefetch_queue(struct command_engine *e, const struct command_session *s)
{
    struct bytes keys[STORE_AHEAD_MAX];
    struct key_list list = {.keys = keys, .max = STORE_AHEAD_MAX};
    size_t count = leading_about_keys(&s->transaction);
    for (size_t i = 0; i < count; i++) add_keys(&s->transaction.queue[i], &list);
    keyspace_prefetch(e->keyspace, s->database, keys, list.count);
}

/* ---- rows on disk ---- */

#define ROWS_MAX     1048576u /* what requests need beyond so many rows they read themselves */
#define REQUESTS_MAX 64u      /* whose rows are read together */

/* Some requests, and the database they begin in. */
struct need_list {
    struct command_engine *engine;
    unsigned database;
    const struct command_request *requests;
    size_t count;
};

static bool is_served_here(const void *user, struct bytes key)
{
    const struct command_engine *e = user;
    return !e->cluster_enabled || (e->routing && e->routing->slot_mine[keyspace_slot(key)]);
}

/* The database of the requests behind this one. */
static unsigned database_behind(const struct command_engine *e, const struct command_request *r, unsigned database)
{
    int64_t n;
    if (!r->entry || strcmp(r->entry->name, "select") != 0 || !number_parse_integer(r->argv[1], &n)) return database;
    return n >= 0 && n < (int64_t)e->databases ? (unsigned)n : database;
}

/* Tells what they need, from a->at.from on. */
static void look(const struct need_list *l, struct keyspace_ahead *a)
{
    unsigned database = a->at.from.database;
    for (size_t i = a->at.from.request; i < l->count && !keyspace_ahead_is_done(a); i++) {
        const struct command_request *r = &l->requests[i];
        if (is_about_keys(r)) command_tell_needs(a, database, r, i, is_served_here, l->engine);
        database = database_behind(l->engine, r, database);
    }
}

static bool are_near(const struct need_list *l)
{
    struct keyspace_ahead_at at = {.from.database = l->database};
    struct keyspace_ahead a;
    do {
        keyspace_ahead_begin(&a, l->engine->keyspace, &l->engine->arena, &at, UINT64_MAX, 1);
        look(l, &a);
    } while (!a.count && keyspace_ahead_next(&a, &at));
    return !a.count;
}

/* `named`: so many were before. */
static size_t rows_at_once(const struct command_engine *e, uint64_t named)
{
    if (store_warm_is_busy(e->store)) return KEYSPACE_AHEAD_ROWS_FEW; /* some large requests leave room for all others' */
    uint64_t rows = KEYSPACE_AHEAD_ROWS + named;
    return rows < KEYSPACE_AHEAD_ROWS_MOST ? (size_t)rows : KEYSPACE_AHEAD_ROWS_MOST;
}

/* Has the next rows read that the requests need, and suspends the client. False: there are no more, or they are to be read as they are. */
static bool begin_warming(struct command_session *s, const struct need_list *l)
{
    struct keyspace_ahead a = {0};
    while (!a.count && s->ahead.more) {
        keyspace_ahead_begin(&a, l->engine->keyspace, &l->engine->arena, &s->ahead.at, KEYSPACE_AHEAD_ITEMS, rows_at_once(l->engine, s->ahead.rows));
        look(l, &a);
        s->ahead.more = keyspace_ahead_next(&a, &s->ahead.at);
    }
    if (!a.count || s->ahead.rows >= ROWS_MAX || !keyspace_ahead_warm(&a, net_client_id(s->client))) return false;
    s->ahead.rows += a.count;
    s->ahead.waiting = true;
    net_client_suspend(s->client);
    return true;
}

/* Whether the client is suspended since its next requests need rows. */
static bool wait_for_needs(struct command_session *s, const struct need_list *l)
{
    if (!s->ahead.requests) {
        s->ahead.requests = l->count;
        s->ahead.more = true;
        s->ahead.at.from.database = l->database;
    }
    if (begin_warming(s, l)) return true;
    memset(&s->ahead, 0, sizeof s->ahead);
    return false;
}

/* How many requests from the first on are about keys: up to `most` are looked at, and put into `out`. */
static size_t collect(struct command_engine *e, const struct resp_request *requests, size_t most, struct command_request *out)
{
    size_t n = 0;
    for (bool more = true; more && n < most; n += more) {
        out[n] = look_at(e, &requests[n]);
        more = is_about_keys(&out[n]);
    }
    return n;
}

/* How many of these requests may run. 0: the first must wait for rows, and those that the others need are read with them.
 *
 * A request that is not about keys ends what is looked at: it may change what those behind it mean. */
static size_t wait_for_rows(struct command_engine *e, struct command_session *s, const struct resp_request *requests, size_t count)
{
    struct command_request all[REQUESTS_MAX];
    size_t most = count < REQUESTS_MAX ? count : REQUESTS_MAX, n = collect(e, requests, most, all), near = 0;
    if (s->ahead.requests) {
        if (n > s->ahead.requests) n = s->ahead.requests;
    } else {
        while (near < n && are_near(&(struct need_list){e, s->database, &all[near], 1})) near++;
        if (near == n) return n < most ? n + 1 : n; /* with the one that is not about keys */
        if (near) return near;
    }
    assert(n > 0); /* it is the request that waited, or one that is not near */
    return wait_for_needs(s, &(struct need_list){e, s->database, all, n}) ? 0 : n;
}

/* ---- transactions: requests are queued, and their rows needed when EXEC comes ---- */

static bool is_exec(const struct command_engine *e, const struct resp_request *request)
{
    struct command_request r = look_at(e, request);
    return r.entry && r.entry->row->run == command_transaction_exec;
}

/* Those that will only be queued; or the first, if it is not about keys. */
static size_t count_queued(const struct command_engine *e, const struct resp_request *requests, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        struct command_request r = look_at(e, &requests[n]);
        if (!is_about_keys(&r)) return n > 0 ? n : 1;
    }
    return count;
}

/* How many may run; 0: EXEC, which is the first, must wait. */
static size_t ahead_in_transaction(struct command_engine *e, struct command_session *s, const struct resp_request *requests, size_t count)
{
    size_t may_run = 1;
    if (!is_exec(e, requests)) return count_queued(e, requests, count);
    if (s->ahead.requests || keyspace_reads_wait(e->keyspace))
        may_run = !wait_for_needs(s, &(struct need_list){e, s->database, s->transaction.queue, s->transaction.count});
    arena_reset(&e->arena);
    if (may_run) prefetch_queue(e, s);
    return may_run;
}

void command_warmed(struct command_engine *e, uint64_t client_id)
{
    struct net_client *client = net_server_find(e->server, client_id);
    if (!client) return; /* gone meanwhile */
    struct command_session *session = net_client_session(client);
    session->ahead.waiting = false;
    net_client_resume(client);
}

size_t command_ahead(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count)
{
    struct command_session *session = net_client_session(client);
    if (!session->authenticated && command_password_needed(e)) return count;
    if (e->pause.until_ms && !(count = command_pause_admits(e, client, requests, count))) return 0;
    if (session->transaction.open) return ahead_in_transaction(e, session, requests, count);
    size_t may_run = count;
    if (session->ahead.requests || keyspace_reads_wait(e->keyspace)) {
        may_run = wait_for_rows(e, session, requests, count);
        arena_reset(&e->arena);
    }
    return prefetch(e, session->database, requests, may_run);
}
