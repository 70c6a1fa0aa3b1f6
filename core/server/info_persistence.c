/* INFO persistence: Redis's RDB file is the checkpoint here, its AOF the log. (docs/reference/info.md) */
#include "base/clock.h"
#include "server/node.h"

static void write_checkpoint(struct buffer *out, const struct store_statistics *s, const struct error *failure)
{
    int64_t last_s = s->checkpoints ? (int64_t)(s->checkpoint_ms / 1000) : -1;
    int64_t current_s = s->checkpoint_running ? (int64_t)((clock_monotonic_ms() - s->checkpoint_began_ms) / 1000) : -1;
    buffer_printf(out,
                  "rdb_changes_since_last_save:%llu\r\nrdb_bgsave_in_progress:%d\r\nrdb_last_save_time:%lld\r\nrdb_"
                  "last_bgsave_status:%s\r\n",
                  (unsigned long long)(s->last.sequence - s->checkpoint.sequence), s->checkpoint_running,
                  (long long)(s->checkpoint_saved_ms / 1000), failure ? "err" : "ok");
    buffer_printf(out, "rdb_last_bgsave_time_sec:%lld\r\nrdb_current_bgsave_time_sec:%lld\r\nrdb_saves:%llu\r\n",
                  (long long)last_s, (long long)current_s, (unsigned long long)s->checkpoints);
    buffer_printf(out,
                  "aikv_checkpoint_in_progress:%d\r\naikv_checkpoint_status:%s\r\naikv_checkpoints:%llu\r\naikv_"
                  "checkpoint_sequence:%llu\r\naikv_checkpoint_rows:%llu\r\naikv_checkpoint_last_ms:%llu\r\n",
                  s->checkpoint_running, failure ? "err" : "ok", (unsigned long long)s->checkpoints,
                  (unsigned long long)s->checkpoint.sequence, (unsigned long long)s->rows_durable,
                  (unsigned long long)s->checkpoint_ms);
    if (failure) buffer_printf(out, "aikv_checkpoint_error:%s\r\n", failure->text);
}

static void write_log(struct buffer *out, const struct node *n, const struct store_statistics *s)
{
    struct error why;
    bool failed = store_failed(n->store, NULL), writable = store_writable(n->store, &why);
    buffer_printf(out,
                  "aof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\naof_last_write_status:%s\r\naof_current_size:%llu\r\naof_buffer_length:%"
                  "llu\r\naikv_durability:%s\r\n",
                  writable ? "ok" : "err", (unsigned long long)s->log_bytes, (unsigned long long)s->log_unwritten,
                  config_text(n->config, SETTING_DURABILITY));
    buffer_printf(out, "aikv_log_status:%s\r\naikv_writes:%s\r\n", failed ? "failed" : "ok",
                  writable ? "taken" : "refused");
    if (!writable) buffer_printf(out, "aikv_write_error:%s\r\n", why.text);
    buffer_printf(out, "aikv_reading_paused:%d\r\naikv_last_sequence:%llu\r\naikv_durable_sequence:%llu\r\n",
                  n->reading_paused, (unsigned long long)s->last.sequence,
                  (unsigned long long)store_durable(n->store).sequence);
    buffer_printf(out, "aikv_batches:%llu\r\naikv_log_writes:%llu\r\naikv_log_syncs:%llu\r\n",
                  (unsigned long long)s->batches, (unsigned long long)s->flushes, (unsigned long long)s->syncs);
}

void node_info_persistence(struct node *n, struct buffer *out)
{
    struct store_statistics s;
    struct error failure;
    store_statistics(n->store, &s);
    bool failing = store_checkpoint_failing(n->store, &failure);
    buffer_append_text(out, "loading:0\r\nasync_loading:0\r\n");
    write_checkpoint(out, &s, failing ? &failure : NULL);
    write_log(out, n, &s);
    buffer_printf(out, "aikv_dirty_rows:%llu\r\naikv_bytes_on_disk:%llu\r\n", (unsigned long long)s.dirty_rows,
                  (unsigned long long)s.bytes_on_disk);
    buffer_printf(out, "aikv_cold_reads:%llu\r\naikv_cold_reads_waiting:%llu\r\naikv_disk_reads_wait:%d\r\n", (unsigned long long)s.cold_reads,
                  (unsigned long long)s.cold_waiting, s.cold_suspected);
}
