/* From what is on disk to rows in memory: LMDB holds them as of some position, the log has what came after.
 *
 * If a checkpoint was being written when the process ended, LMDB's rows up to some key are those of its end already: what the log says of them up
 * to there is skipped (a splice must not be applied twice), and the rest of that checkpoint is frozen again as it was, to be finished as if
 * nothing had happened. */
#include "store/reader.h"
#include "store/store_state.h"

struct recovery {
    struct store *store;
    const struct disk_state *state;
    bool interrupted; /* a checkpoint is to be finished, and its end was not reached yet */
};

static void freeze_again(struct store *s, const struct disk_state *state)
{
    store_freeze(s, (struct store_position){state->epochs.next, state->next});
}

static int change(struct store *s, const struct store_operation *o, struct error *e)
{
    uint64_t hash = table_hash(&s->table, o->key);
    struct row *r;
    if (o->code == STORE_OPERATION_SPLICE) {
        r = store_spliced(s, o->key, table_find(&s->table, hash, o->key), o->offset, o->removed, o->value, o->sequence);
        if (!r)
            return error_set(e, ERROR_FORMAT, "batch %llu of the log changes a part of a row that the row does not have",
                             (unsigned long long)o->sequence);
    } else {
        r = row_new(o->key, o->value.len, o->sequence);
        if (o->value.len) memcpy(r->bytes + r->key_len, o->value.data, o->value.len);
        r->deleted = o->code == STORE_OPERATION_DELETE;
    }
    store_install(s, hash, r);
    store_note_expiry(s, r);
    store_drop_replaced(s);
    return 0;
}

static int apply(void *user, const struct store_operation *o, struct error *e)
{
    struct recovery *rc = user;
    struct store *s = rc->store;
    if (o->sequence <= rc->state->at) return 0;
    if (rc->interrupted && o->sequence > rc->state->next) {
        rc->interrupted = false;
        freeze_again(s, rc->state);
    }
    s->sequence = o->sequence;
    if (o->code == STORE_OPERATION_DROP_SLOTS || o->code == STORE_OPERATION_DROP_DATABASE) {
        drop_list_add(&s->drops, &o->range, o->sequence);
        return 0;
    }
    if (rc->interrupted && bytes_compare(o->key, bytes_of(rc->state->done, rc->state->done_len)) <= 0) return 0;
    return change(s, o, e);
}

static int replay(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    (void)last;
    history_add(&((struct recovery *)user)->store->history, first.epoch, first.sequence);
    return store_read_record(batches, apply, user, e);
}

int store_recover(struct store *s, const struct wal_options *options, bool expected, const struct disk_state *state, struct store_report *report,
                  struct error *e)
{
    struct recovery recovery = {s, state, state->next > state->at};
    struct wal_report found = {0};
    s->at = s->sequence = state->at;
    s->at_epoch = state->epochs.at;
    s->resumed_len = state->done_len;
    memcpy(s->resumed, state->done, state->done_len);
    if (options->truncate_to.sequence && options->truncate_to.sequence < state->next)
        return error_set(e, ERROR_NOT_FOUND, "the log in %s cannot be cut off behind batch %llu: the checkpoint holds %s of batch %llu", options->dir,
                         (unsigned long long)options->truncate_to.sequence, state->next > state->at ? "rows" : "the rows",
                         (unsigned long long)state->next);
    s->history = state->epochs.history;
    int rc = s->read_only ? wal_look(options->dir, store_checkpoint_position(s), replay, &recovery, &found, e)
                          : wal_open(options, store_checkpoint_position(s), replay, &recovery, &s->wal, &found, e);
    if (rc) return rc;
    if (expected && found.segments == 0)
        return error_set(e, ERROR_FORMAT,
                         "the log in %s is missing, but this node has kept data there: restore it from a backup; to begin "
                         "anew, remove the whole data directory",
                         options->dir);
    if (s->sequence < state->next)
        return error_set(e, ERROR_FORMAT, "the log in %s ends at batch %llu, but the checkpoint holds rows of batch %llu", options->dir,
                         (unsigned long long)s->sequence, (unsigned long long)state->next);
    if (found.segments == 0 && (rc = wal_begin(s->wal, e))) return rc;
    if (recovery.interrupted) freeze_again(s, state);
    s->written = s->history.last = s->sequence;
    s->epoch = s->history.count ? s->history.epochs[s->history.count - 1].epoch : 1;
    if (s->committed_by_owner) store_set_committed(s, (struct store_position){state->epochs.next, state->next});
    s->log_bytes = found.bytes;
    *report = (struct store_report){.rows = disk_row_count(&s->disk),
                                    .checkpoint = store_checkpoint_position(s),
                                    .position = store_position_of(s, s->sequence),
                                    .records = found.records,
                                    .bytes = found.bytes,
                                    .changed_rows = s->active->count + s->frozen->count,
                                    .dropped_bytes = found.dropped_bytes,
                                    .truncated_bytes = found.truncated_bytes};
    return 0;
}
