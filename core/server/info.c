/* The sections of INFO that the node itself knows. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef AIKV_ALLOCATOR
#include <jemalloc/jemalloc.h>
#else
#include <malloc.h>
#define AIKV_ALLOCATOR "libc"
#endif

#include "base/clock.h"
#include "server/node.h"

static const char *role(const struct node *n)
{
    const struct cluster_routing *r = n->routing;
    if (r && r->self && r->self->shard && !cluster_node_is_primary(r->state, r->self)) return "slave";
    return "master";
}

static void server_section(struct node *n, struct buffer *out)
{
    struct utsname os;
    uname(&os);
    uint64_t uptime_s = (clock_monotonic_ms() - n->started_ms) / 1000;
    buffer_printf(out, "redis_version:" COMMAND_REDIS_VERSION "\r\naikv_version:%s\r\nredis_mode:%s\r\nos:%s %s %s\r\narch_bits:%zu\r\n", AIKV_VERSION,
                  n->control ? "cluster" : "standalone", os.sysname, os.release, os.machine, sizeof(void *) * 8);
    buffer_printf(out, "multiplexing_api:libuv %s\r\nprocess_id:%d\r\nrun_id:%s\r\nnode_id:%s\r\nincarnation:%llu\r\ntcp_port:%u\r\n",
                  uv_version_string(), (int)getpid(), n->run_id, n->identity.node_id, (unsigned long long)n->identity.incarnation, n->port);
    buffer_printf(out, "server_time_usec:%lld\r\nuptime_in_seconds:%llu\r\nuptime_in_days:%llu\r\nconfig_file:%s\r\n",
                  (long long)clock_wall_us(), (unsigned long long)uptime_s, (unsigned long long)uptime_s / 86400,
                  n->config_file ? n->config_file : "");
}

static uint64_t memory_used(void)
{
#ifdef JEMALLOC_VERSION
    uint64_t epoch = 1;
    size_t size = sizeof epoch, allocated = 0, allocated_size = sizeof allocated;
    mallctl("epoch", &epoch, &size, &epoch, size);
    return mallctl("stats.allocated", &allocated, &allocated_size, NULL, 0) == 0 ? allocated : 0;
#else
    return mallinfo2().uordblks;
#endif
}

static uint64_t memory_resident(void)
{
    size_t bytes = 0;
    return uv_resident_set_memory(&bytes) == 0 ? bytes : 0;
}

static void memory_section(struct node *n, struct buffer *out)
{
    uint64_t limit = uv_get_constrained_memory(), total = uv_get_total_memory();
    struct store_statistics s;
    store_statistics(n->store, &s);
    buffer_printf(out, "used_memory:%llu\r\nused_memory_rss:%llu\r\ntotal_system_memory:%llu\r\nmaxmemory:%lld\r\nmaxmemory_policy:noeviction\r\n",
                  (unsigned long long)memory_used(), (unsigned long long)memory_resident(),
                  (unsigned long long)(limit && limit < total ? limit : total), (long long)config_number(n->config, SETTING_MAXMEMORY));
    buffer_printf(out, "mem_allocator:%s\r\naikv_rows_memory:%llu\r\naikv_rows_memory_max:%llu\r\naikv_dirty_bytes:%llu\r\n", AIKV_ALLOCATOR,
                  (unsigned long long)s.memory_bytes, (unsigned long long)s.memory_max, (unsigned long long)s.dirty_bytes);
    buffer_printf(out, "aikv_cached_rows:%llu\r\naikv_cached_bytes:%llu\r\naikv_evicted_rows:%llu\r\n", (unsigned long long)s.cached_rows,
                  (unsigned long long)s.cached_bytes, (unsigned long long)s.evictions);
}

static void persistence_section(struct node *n, struct buffer *out)
{
    struct store_statistics s;
    store_statistics(n->store, &s);
    struct error e = {0};
    bool writable = store_writable(n->store, &e);
    buffer_printf(out, "loading:0\r\naof_enabled:1\r\naof_last_write_status:%s\r\naof_current_size:%llu\r\naof_buffer_length:%llu\r\naikv_durability:%s\r\n",
                  writable ? "ok" : "err", (unsigned long long)s.log_bytes, (unsigned long long)s.log_unwritten,
                  config_text(n->config, SETTING_DURABILITY));
    if (!writable) buffer_printf(out, "aikv_write_error:%s\r\n", e.text);
    buffer_printf(out, "aikv_last_sequence:%llu\r\naikv_durable_sequence:%llu\r\naikv_batches:%llu\r\naikv_log_writes:%llu\r\naikv_log_syncs:%llu\r\n",
                  (unsigned long long)s.last.sequence, (unsigned long long)store_durable(n->store).sequence, (unsigned long long)s.batches,
                  (unsigned long long)s.flushes, (unsigned long long)s.syncs);
    buffer_printf(out, "aikv_checkpoint_sequence:%llu\r\naikv_checkpoint_in_progress:%d\r\naikv_checkpoint_status:%s\r\naikv_checkpoint_last_ms:%llu\r\naikv_checkpoints:%llu\r\n",
                  (unsigned long long)s.checkpoint.sequence, s.checkpoint_running, s.checkpoint_stuck ? "err" : "ok",
                  (unsigned long long)s.checkpoint_ms, (unsigned long long)s.checkpoints);
    buffer_printf(out, "aikv_checkpoint_rows:%llu\r\naikv_dirty_rows:%llu\r\naikv_bytes_on_disk:%llu\r\n", (unsigned long long)s.rows_durable,
                  (unsigned long long)s.dirty_rows, (unsigned long long)s.bytes_on_disk);
    buffer_printf(out, "aikv_cold_reads:%llu\r\naikv_cold_reads_waiting:%llu\r\naikv_disk_reads_wait:%d\r\n", (unsigned long long)s.cold_reads,
                  (unsigned long long)s.cold_waiting, s.cold_suspected);
}

static void replication_section(struct node *n, struct buffer *out)
{
    const struct cluster_routing *r = n->routing;
    buffer_printf(out, "role:%s\r\n", role(n));
    if (r && r->self && strcmp(role(n), "slave") == 0) {
        const struct cluster_shard *shard = cluster_shard_find(r->state, r->self->shard);
        const struct cluster_node *primary = shard ? cluster_node_find(r->state, shard->primary) : NULL;
        if (primary) {
            const struct cluster_endpoint *any = &primary->info.endpoints[primary->info.endpoint_count - 1];
            buffer_printf(out, "master_host:%s\r\nmaster_port:%u\r\nmaster_link_status:down\r\n", any->host, any->port);
        }
    }
    uint32_t replicas = 0;
    if (r && r->self && r->self->shard && strcmp(role(n), "master") == 0)
        for (uint32_t i = 0; i < r->state->node_count; i++)
            replicas += r->state->nodes[i].shard == r->self->shard && &r->state->nodes[i] != r->self;
    /* Replicas hold metadata only in this version: none is connected for data. */
    buffer_printf(out, "connected_slaves:0\r\naikv_assigned_replicas:%u\r\nmaster_replid:%s\r\nmaster_repl_offset:%llu\r\n", replicas,
                  n->identity.node_id, (unsigned long long)store_durable(n->store).sequence);
}

static void cpu_section(struct buffer *out)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    buffer_printf(out, "used_cpu_sys:%lld.%06lld\r\nused_cpu_user:%lld.%06lld\r\n", (long long)u.ru_stime.tv_sec, (long long)u.ru_stime.tv_usec,
                  (long long)u.ru_utime.tv_sec, (long long)u.ru_utime.tv_usec);
}

void node_info(void *user, const char *section, struct buffer *out)
{
    struct node *n = user;
    if (strcmp(section, "server") == 0) server_section(n, out);
    if (strcmp(section, "memory") == 0) memory_section(n, out);
    if (strcmp(section, "persistence") == 0) persistence_section(n, out);
    if (strcmp(section, "replication") == 0) replication_section(n, out);
    if (strcmp(section, "cpu") == 0) cpu_section(out);
    if (strcmp(section, "cluster") == 0) buffer_printf(out, "cluster_enabled:%d\r\n", n->control != NULL);
}
