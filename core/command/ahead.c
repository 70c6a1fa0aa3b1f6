/* What is done for requests before they run: the rows of a pipeline's keys are looked up together. */
#include "command/engine.h"
#include "command/keys.h"

struct announced {
    struct bytes keys[STORE_AHEAD_MAX];
    size_t count;
};

static void add_keys(struct announced *a, const struct command_row *row, const struct resp_request *r)
{
    for (int i = command_keys_first(row, r->argc); i && a->count < STORE_AHEAD_MAX; i = command_keys_next(row, r->argc, i))
        a->keys[a->count++] = r->argv[i];
}

size_t command_ahead(struct command_engine *e, const struct net_client *client, const struct resp_request *requests, size_t count)
{
    const struct command_session *session = net_client_session(client);
    if (count == 1 || (!session->authenticated && command_password_needed(e))) return count;
    struct announced a = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        const struct command_entry *entry = command_table_resolve(&e->table, requests[i].argc, requests[i].argv);
        if (entry) add_keys(&a, entry->row, &requests[i]);
    }
    keyspace_prefetch(e->keyspace, session->database, a.keys, a.count);
    return count;
}
