/* SWAPDB: rows carry ids, so two databases change places in the map, and no row is touched. */
#include <assert.h>

#include "keyspace/keyspace_state.h"

void keyspace_swap(struct keyspace *ks, unsigned a, unsigned b)
{
    assert(a < ks->usable && b < ks->usable);
    const struct database *list = ks->databases.list;
    keyspace_note(ks, ks->written); /* that nothing need be done may be so because of it */
    if (a == b || (!list[a].size && !list[b].size)) return;
    databases_swap(&ks->databases, a, b);
    keyspace_write_meta(ks);
    ks->flushes = true;
    ks->place.known = false;
}
