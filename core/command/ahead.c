/* What is done for requests before they run: their rows are brought near. Those in memory are fetched for a whole pipeline at once. Those on
 * disk are read by the store's threads; the client waits meanwhile, and nobody else. */
#include "command/call.h"
#include "command/engine.h"
#include "command/keys.h"

struct key_list {
    struct bytes *keys;
    size_t count, max;
};

static const struct command_entry *entry_of(const struct command_engine *e, const struct resp_request *r)
{
    const struct command_entry *entry = command_table_resolve(&e->table, r->argc, r->argv);
    return entry && command_arity_fits(entry->row, r->argc) ? entry : NULL;
}

/* ---- rows in memory ---- */

static void add_keys(const struct command_row *row, const struct resp_request *r, struct key_list *out)
{
    for (struct command_keys k = command_keys(row, r->argc, r->argv); out->count < out->max && command_keys_next(&k);)
        out->keys[out->count++] = r->argv[k.at];
}

static void prefetch(struct command_engine *e, unsigned database, const struct resp_request *requests, size_t count)
{
    struct bytes keys[STORE_AHEAD_MAX];
    struct key_list list = {.keys = keys, .max = STORE_AHEAD_MAX};
    if (count <= 1) return;
    for (size_t i = 0; i < count; i++) {
        const struct command_entry *entry = entry_of(e, &requests[i]);
        if (entry && command_has_keys(entry->row)) add_keys(entry->row, &requests[i], &list);
    }
    keyspace_prefetch(e->keyspace, database, keys, list.count);
}

/* ---- rows on disk ---- */

static bool is_served_here(const struct command_engine *e, struct bytes key)
{
    return !e->cluster_enabled || (e->routing && e->routing->slot_mine[keyspace_slot(key)]);
}

static void add_cold_keys(struct command_engine *e, unsigned database, const struct command_row *row, const struct resp_request *r,
                          struct key_list *out)
{
    for (struct command_keys k = command_keys(row, r->argc, r->argv); command_keys_next(&k);) {
        struct bytes key = r->argv[k.at];
        if (is_served_here(e, key) && keyspace_is_cold(e->keyspace, database, key)) out->keys[out->count++] = key;
    }
}

static size_t count_arguments(const struct resp_request *requests, size_t count)
{
    size_t args = 0;
    for (size_t i = 0; i < count; i++) args += (size_t)requests[i].argc;
    return args;
}

/* How many of these requests may run. 0: the first must wait for rows, and those that the others need are read with them.
 *
 * A request without keys ends what is looked at: it may change what those behind it mean, as SELECT does. */
static size_t wait_for_rows(struct command_engine *e, struct net_client *client, const struct resp_request *requests, size_t count)
{
    struct command_session *session = net_client_session(client);
    struct key_list cold = {.keys = arena_alloc(&e->arena, count_arguments(requests, count) * sizeof *cold.keys)};
    bool waits = false;
    size_t i = 0;
    for (bool more = true; more && i < count; i++) {
        const struct command_entry *entry = entry_of(e, &requests[i]);
        more = entry && command_has_keys(entry->row);
        if (more) add_cold_keys(e, session->database, entry->row, &requests[i], &cold);
        if (i > 0 && !waits && cold.count > 0) return i;
        waits = cold.count > 0;
    }
    if (!waits || !keyspace_warm(e->keyspace, session->database, cold.keys, cold.count, net_client_id(client))) return i;
    session->warming = i;
    net_client_suspend(client);
    return 0;
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
    size_t may_run = count;
    if (session->warm > 0) {
        if (may_run > session->warm) may_run = session->warm;
        session->warm -= may_run;
    } else if (keyspace_reads_wait(e->keyspace)) {
        may_run = wait_for_rows(e, client, requests, count);
        arena_reset(&e->arena);
    }
    prefetch(e, session->database, requests, may_run);
    return may_run;
}
