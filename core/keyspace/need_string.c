/* Rows of strings. */
#include "keyspace/chunks.h"
#include "keyspace/need_row.h"

void need_of_string(struct keyspace_ahead *a, const struct keyspace_need *need)
{
    struct chunks c;
    struct need_range r;
    chunks_parse(a->entry.payload, a->ks->databases.list[a->ks->current].id, &c);
    switch (need->kind) {
    case NEED_WHOLE: r = (struct need_range){0, c.len}; break;
    case NEED_BYTES: r = need_ranks(need, c.len); break;
    case NEED_END: r = (struct need_range){c.len % CHUNKS_BYTES ? c.len - 1 : c.len, c.len}; break;
    default: return;
    }
    if (r.from == r.end) return;
    uint32_t first = (uint32_t)(r.from / CHUNKS_BYTES), last = (uint32_t)((r.end - 1) / CHUNKS_BYTES);
    bool whole_first = need->change == NEED_PUTS && r.from % CHUNKS_BYTES == 0 && r.end - r.from >= CHUNKS_BYTES; /* written over unread */
    bool whole_last = need->change == NEED_PUTS && r.end % CHUNKS_BYTES == 0 && r.end - r.from >= CHUNKS_BYTES;
    if (need->change != NEED_PUTS) {
        need_nodes(a, NEED_DEPTH, &c.object, first, last + 1);
        return;
    }
    if (!whole_first) need_nodes(a, NEED_DEPTH, &c.object, first, first + 1);
    if (last > first && !whole_last) need_nodes(a, NEED_DEPTH, &c.object, last, last + 1);
}
