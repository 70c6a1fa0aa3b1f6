/* Drops, as the owner sees them. A drop is no more than a line in a list: what it covers and is older is passed over wherever rows are read.
 * Memory comes back as a hand passes the table and as frozen rows settle, LMDB's pages by the next checkpoint; then the line goes. */
#include <assert.h>
#include <stdlib.h>

#include "store/store_state.h"

#define PURGE_SEGMENTS 2 /* a turn: some 800 rows */

void store_drop(struct store *s, const struct store_range *range)
{
    store_begin_drop(s);
    record_drop(&s->record, range);
    drop_list_add(&s->drops, range, s->sequence + 1);
}

/* Whether LMDB's row of this key is one that the drop left or that was put after it. */
static bool is_carried_out(const struct store *s, const struct drop *d, struct bytes key)
{
    if (d->sequence <= s->at) return true;
    return s->phase == PHASE_RUNNING && d->sequence <= s->frozen_to && bytes_compare(key, bytes_of(s->resumed, s->resumed_len)) <= 0;
}

const struct drop *store_dead_on_disk(const struct store *s, struct bytes key)
{
    const struct drop *d = s->drops.count ? drop_find(&s->drops, key) : NULL;
    return d && !is_carried_out(s, d, key) ? d : NULL;
}

/* ---- memory ---- */

static bool free_dead(void *user, struct row *r)
{
    struct store *s = user;
    if (r->generation || !store_is_dead(s, r)) return false; /* a dirty one is freed when it settles */
    size_t memory = row_memory(r);
    s->rows_memory -= memory;
    s->clean_memory -= memory;
    s->clean_rows--;
    free(r);
    return true;
}

/* Nothing dead comes into the table any more: what is read from LMDB was looked at, and a dead row that settles goes. So once the hand has
 * passed all of it, and no dirty row is older, the drop is not needed in memory. */
void store_purge(struct store *s)
{
    if (!s->drops.count) return;
    if (s->purged_to < drop_list_last(&s->drops)) {
        if (s->table.purge_at == 0) s->purging_to = drop_list_last(&s->drops);
        if (table_purge(&s->table, PURGE_SEGMENTS, free_dead, s)) s->purged_to = s->purging_to;
        if (s->purged_to < drop_list_last(&s->drops)) s->on_durable(s->user); /* and again in the next turn */
    }
    uint64_t settled = s->phase == PHASE_SETTLING ? 0 : s->at;
    drop_list_forget(&s->drops, settled < s->purged_to ? settled : s->purged_to);
}
