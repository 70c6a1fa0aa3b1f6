/* INFO. What commands count is told here; what the server around them knows, it tells itself (command_host.info). */
#include "command/call.h"
#include "command/engine.h"

static void info_clients(const struct command_engine *e, struct buffer *out)
{
    struct net_statistics n;
    net_server_statistics(e->server, &n);
    buffer_printf(out,
                  "connected_clients:%llu\r\ncluster_connections:0\r\nmaxclients:%zu\r\nblocked_clients:%zu\r\n"
                  "tracking_clients:0\r\nclients_in_timeout_table:%zu\r\naikv_waiting_clients:%llu\r\n",
                  (unsigned long long)n.clients, net_server_limits(e->server)->clients_max, e->blocked.count + e->pause.clients, e->blocked.timed,
                  (unsigned long long)n.suspended);
}

static void info_traffic(const struct command_counts *s, const struct net_statistics *now, struct buffer *out)
{
    const struct net_statistics *before = &s->net_before;
    buffer_printf(out,
                  "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\ninstantaneous_ops_per_sec:%llu\r\n",
                  (unsigned long long)(now->accepted - before->accepted), (unsigned long long)s->commands,
                  (unsigned long long)command_rate_per_second(&s->commands_rate));
    buffer_printf(out, "total_net_input_bytes:%llu\r\ntotal_net_output_bytes:%llu\r\n",
                  (unsigned long long)(now->bytes_in - before->bytes_in), (unsigned long long)(now->bytes_out - before->bytes_out));
    buffer_printf(out, "instantaneous_input_kbps:%.2f\r\ninstantaneous_output_kbps:%.2f\r\nrejected_connections:%llu\r\n",
                  (double)command_rate_per_second(&s->bytes_in_rate) / 1024, (double)command_rate_per_second(&s->bytes_out_rate) / 1024,
                  (unsigned long long)(now->refused - before->refused));
}

static void info_stats(const struct command_engine *e, struct buffer *out)
{
    struct net_statistics n;
    const struct command_counts *s = &e->statistics;
    net_server_statistics(e->server, &n);
    uint64_t exceeding_us, exceeded_us;
    command_evictions_exceeded(e, &exceeding_us, &exceeded_us);
    info_traffic(s, &n, out);
    buffer_append_text(out, "sync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n");
    buffer_printf(out,
                  "expired_keys:%llu\r\nevicted_keys:%llu\r\ntotal_eviction_exceeded_time:%llu\r\ncurrent_eviction_exceeded_time:%llu\r\nkeyspace_hits:%llu\r\nkeyspace_misses:%llu\r\n"
                  "pubsub_channels:%zu\r\npubsub_patterns:%zu\r\npubsubshard_channels:%zu\r\naikv_messages_unsent:%llu\r\nlatest_fork_usec:0\r\ntotal_forks:0\r\n",
                  (unsigned long long)(keyspace_expired_total(e->keyspace) - s->expired_before),
                  (unsigned long long)(keyspace_evicted_total(e->keyspace) - s->evicted_before), (unsigned long long)exceeded_us / 1000,
                  (unsigned long long)exceeding_us / 1000, (unsigned long long)s->hits,
                  (unsigned long long)s->misses, e->pubsub.channels[PUBSUB_CHANNEL].count, e->pubsub.channels[PUBSUB_PATTERN].count,
                  e->pubsub.channels[PUBSUB_SHARD].count, (unsigned long long)e->forwards.lost);
    buffer_printf(out,
                  "tracking_total_keys:0\r\ntracking_total_items:0\r\ntracking_total_prefixes:0\r\ntotal_error_replies:%llu\r\n"
                  "rejected_requests:%llu\r\n",
                  (unsigned long long)s->errors, (unsigned long long)s->rejected_requests);
}

static void info_commandstats(const struct command_engine *e, struct buffer *out)
{
    for (size_t i = 0; i < e->table.count; i++) {
        const struct command_counters *k = &e->statistics.each[i];
        if (!k->calls && !k->rejected) continue;
        buffer_printf(out,
                      "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%llu\r\n",
                      e->table.entries[i].name, (unsigned long long)k->calls, (unsigned long long)k->usec,
                      k->calls ? (double)k->usec / (double)k->calls : 0.0, (unsigned long long)k->rejected,
                      (unsigned long long)k->failed);
    }
}

static void info_latencystats(const struct command_engine *e, struct buffer *out)
{
    const struct command_tuning *t = &e->tuning;
    for (size_t i = 0; t->latency_tracking && i < e->table.count; i++) {
        const struct histogram *h = e->statistics.each[i].latency;
        if (!h) continue;
        buffer_printf(out, "latency_percentiles_usec_%s:", e->table.entries[i].name);
        for (size_t p = 0; p < t->percentile_count; p++)
            buffer_printf(out, "%sp%.9g=%.3f", p ? "," : "", t->percentiles[p], (double)histogram_percentile(h, t->percentiles[p]));
        buffer_append_text(out, "\r\n");
    }
}

static void info_errorstats(const struct command_engine *e, struct buffer *out)
{
    for (size_t i = 0; i < e->statistics.kind_count; i++) {
        buffer_printf(out, "errorstat_%s:count=%llu\r\n", e->statistics.kinds[i].prefix,
                      (unsigned long long)e->statistics.kinds[i].count);
    }
}

static void info_keyspace(const struct command_engine *e, struct buffer *out)
{
    for (unsigned db = 0; db < e->databases; db++) {
        uint64_t keys = keyspace_size(e->keyspace, db);
        if (!keys) continue;
        buffer_printf(out, "db%u:keys=%llu,expires=%llu,avg_ttl=0\r\n", db, (unsigned long long)keys,
                      (unsigned long long)keyspace_expiring(e->keyspace, db));
    }
}

static void info_none(const struct command_engine *e, struct buffer *out)
{
    (void)e;
    (void)out;
}

/* In the order of the reply. `tell` NULL: the server's. */
static const struct section {
    const char *name, *title;
    void (*tell)(const struct command_engine *e, struct buffer *out);
    bool by_default;
} sections[] = {
    {"server", "Server", NULL, true},
    {"clients", "Clients", info_clients, true},
    {"memory", "Memory", NULL, true},
    {"persistence", "Persistence", NULL, true},
    {"stats", "Stats", info_stats, true},
    {"replication", "Replication", NULL, true},
    {"cpu", "CPU", NULL, true},
    {"modules", "Modules", info_none, true},
    {"commandstats", "Commandstats", info_commandstats, false},
    {"errorstats", "Errorstats", info_errorstats, true},
    {"latencystats", "Latencystats", info_latencystats, false},
    {"cluster", "Cluster", NULL, true},
    {"keyspace", "Keyspace", info_keyspace, true},
};
#define SECTIONS (sizeof sections / sizeof *sections)

static bool is_asked_for(const struct command_call *c, const struct section *s)
{
    if (c->argc == 1) return s->by_default;
    for (int i = 1; i < c->argc; i++) {
        if (command_is(c, i, s->name) || command_is(c, i, "everything")) return true;
        if (command_is(c, i, "all") && strcmp(s->name, "modules") != 0) return true;
        if (command_is(c, i, "default") && s->by_default) return true;
    }
    return false;
}

static void command_info_info(struct command_call *c)
{
    const struct command_engine *e = c->engine;
    struct buffer *out = &c->engine->scratch;
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct section *s = &sections[i];
        if (!is_asked_for(c, s)) continue;
        buffer_printf(out, "%s# %s\r\n", out->len ? "\r\n" : "", s->title);
        if (s->tell) {
            s->tell(e, out);
        } else {
            e->host->info(e->host->user, s->name, out);
        }
    }
    resp_verbatim(c->reply, buffer_bytes(out));
}

const struct command_row command_info_rows[] = {
    {"INFO", -1, LOADING | STALE, NO_KEYS, ACL_DANGEROUS, command_info_info,
     "What the node knows of itself, by section.",
     .syntax = "[section...]", .since = "1.0.0", .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {0},
};
