#include "store/reader.h"

#include "store/memory.h"
#include "store/store_state.h"
#include "store/wal_reader.h"

struct store_reader {
    struct store *store;
    struct wal_reader *wal;
};

int store_reader_open(struct store *s, struct store_position from, struct store_reader **out, struct error *e)
{
    struct store_position held = history_position(&s->history, from.sequence);
    if (from.sequence <= s->written && from.epoch != held.epoch)
        return error_set(e, ERROR_NOT_FOUND, "batch %llu of the log is of epoch %llu, not %llu", (unsigned long long)from.sequence,
                         (unsigned long long)held.epoch, (unsigned long long)from.epoch);
    struct wal_reader *wal;
    int rc = wal_reader_open(s->wal, from, &wal, e);
    if (rc) return rc;
    *out = memory_zeroed(1, sizeof **out);
    **out = (struct store_reader){s, wal};
    return 0;
}

static uint64_t reach_of(const struct store *s, enum store_reach reach)
{
    switch (reach) {
    case STORE_WRITTEN: return wal_written(s->wal).sequence;
    case STORE_DURABLE: return wal_durable(s->wal).sequence;
    case STORE_COMMITTED: break;
    }
    return atomic_load(&s->committed_sequence);
}

int store_reader_next(struct store_reader *r, enum store_reach reach, struct store_record *out, struct error *e)
{
    *out = (struct store_record){.last = 0};
    return wal_reader_next(r->wal, reach_of(r->store, reach), out, e);
}

void store_reader_close(struct store_reader *r)
{
    if (!r) return;
    wal_reader_close(r->wal);
    free(r);
}
