/* What is done for requests before they run: their rows are brought near. Those in memory are fetched for a whole pipeline at once. Those on
 * disk are read by the store's threads; the client waits meanwhile, and nobody else. */
#include "command/call.h"
#include "command/engine.h"
#include "command/keys.h"

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

static bool is_served_here(const struct command_engine *e, struct bytes key)
{
    return !e->cluster_enabled || (e->routing && e->routing->slot_mine[keyspace_slot(key)]);
}

static void add_cold_keys(struct command_engine *e, unsigned database, const struct command_request *r, struct key_list *out)
{
    for (struct command_keys k = command_keys(r->entry->row, r->argc, r->argv); command_keys_next(&k);) {
        struct bytes key = r->argv[k.at];
        if (is_served_here(e, key) && keyspace_is_cold(e->keyspace, database, key)) out->keys[out->count++] = key;
    }
}

static struct key_list room_for(struct command_engine *e, size_t keys)
{
    return (struct key_list){.keys = arena_alloc(&e->arena, keys * sizeof(struct bytes)), .max = keys};
}

/* Has the rows read; the next `requests` of the client wait for them. False: they are to be read as they are. */
static bool begin_warming(struct command_engine *e, struct command_session *s, const struct key_list *cold, size_t requests)
{
    if (!cold->count || !keyspace_warm(e->keyspace, s->database, cold->keys, cold->count, net_client_id(s->client))) return false;
    s->warming = requests;
    net_client_suspend(s->client);
    return true;
}

static size_t count_arguments(const struct resp_request *requests, size_t count)
{
    size_t args = 0;
    for (size_t i = 0; i < count; i++) args += (size_t)requests[i].argc;
    return args;
}

/* How many of these requests may run. 0: the first must wait for rows, and those that the others need are read with them.
 *
 * A request that is not about keys ends what is looked at: it may change what those behind it mean. */
static size_t wait_for_rows(struct command_engine *e, struct command_session *session, const struct resp_request *requests, size_t count)
{
    struct key_list cold = room_for(e, count_arguments(requests, count));
    bool waits = false;
    size_t i = 0;
    for (bool more = true; more && i < count; i++) {
        struct command_request r = look_at(e, &requests[i]);
        more = is_about_keys(&r);
        if (more) add_cold_keys(e, session->database, &r, &cold);
        if (i > 0 && !waits && cold.count > 0) return i;
        waits = cold.count > 0;
    }
    return begin_warming(e, session, &cold, i) ? 0 : i;
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

/* 0: EXEC must wait for rows. */
static size_t wait_for_queue(struct command_engine *e, struct command_session *s)
{
    const struct command_transaction *t = &s->transaction;
    size_t count = leading_about_keys(t), args = 0;
    for (size_t i = 0; i < count; i++) args += (size_t)t->queue[i].argc;
    struct key_list cold = room_for(e, args);
    for (size_t i = 0; i < count; i++) add_cold_keys(e, s->database, &t->queue[i], &cold);
    return begin_warming(e, s, &cold, 1) ? 0 : 1;
}

/* How many may run; 0: EXEC, which is the first, must wait. */
static size_t ahead_in_transaction(struct command_engine *e, struct command_session *s, const struct resp_request *requests, size_t count)
{
    size_t may_run = 1;
    if (!is_exec(e, requests)) return count_queued(e, requests, count);
    if (s->warm > 0)
        s->warm--;
    else if (keyspace_reads_wait(e->keyspace))
        may_run = wait_for_queue(e, s);
    arena_reset(&e->arena);
    if (may_run) prefetch_queue(e, s);
    return may_run;
}

void command_warmed(struct command_engine *e, uint64_t client_id)
{
    struct net_client *client = net_server_find(e->server, client_id);
    if (!client) return; /* gone meanwhile */
    struct command_session *session = net_client_session(client);
    session->warm = session->warming;
    session->warming = 0;
    net_client_resume(client);
}

size_t command_ahead(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count)
{
    struct command_session *session = net_client_session(client);
    if (!session->authenticated && command_password_needed(e)) return count;
    if (e->pause.until_ms && !(count = command_pause_admits(e, client, requests, count))) return 0;
    if (session->transaction.open) return ahead_in_transaction(e, session, requests, count);
    size_t may_run = count;
    if (session->warm > 0) {
        if (may_run > session->warm) may_run = session->warm;
        session->warm -= may_run;
    } else if (keyspace_reads_wait(e->keyspace)) {
        may_run = wait_for_rows(e, session, requests, count);
        arena_reset(&e->arena);
    }
    return prefetch(e, session->database, requests, may_run);
}
