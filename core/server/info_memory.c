/* INFO memory. Two kinds of memory hold rows: the node's own, which is bounded by maxmemory, and pages of LMDB's file
 * in the kernel's page cache, which go when somebody needs memory. Redis's fields tell of the first; of the second,
 * aikv_mapped_memory. (docs/reference/info.md) */
#include <stdio.h>
#include <unistd.h>

#include "server/allocator.h"
#include "server/node.h"

/* Bytes of the process that are in memory, and of these, pages of files. */
static void ask_kernel(uint64_t *all, uint64_t *mapped)
{
    unsigned long long size, resident, shared;
    *all = *mapped = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return;
    if (fscanf(f, "%llu %llu %llu", &size, &resident, &shared) == 3) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        *all = resident * page;
        *mapped = shared * page;
    }
    fclose(f);
}

void node_sample_memory(struct node *n)
{
    struct allocator_statistics a;
    allocator_statistics(&a);
    if (a.used > n->memory_peak) n->memory_peak = a.used;
    if (!n->memory_at_start) n->memory_at_start = a.used;
}

void node_memory(void *user, struct command_memory *out)
{
    struct node *n = user;
    struct allocator_statistics a;
    struct store_statistics s;
    struct net_statistics clients;
    node_sample_memory(n);
    allocator_statistics(&a);
    store_statistics(n->store, &s);
    net_server_statistics(n->server, &clients);
    *out = (struct command_memory){.used = a.used,
                                   .peak = n->memory_peak,
                                   .at_start = n->memory_at_start,
                                   .active = a.active,
                                   .allocator_resident = a.resident,
                                   .rows = s.memory_bytes,
                                   .clients = clients.query_memory + clients.output_memory,
                                   .client_count = clients.clients,
                                   .log = s.log_unwritten};
    ask_kernel(&out->resident, &out->mapped);
}

/* As Redis writes it: "917.30K". */
static void write_human(struct buffer *out, const char *name, uint64_t bytes)
{
    static const char units[] = "BKMGTP";
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024 && units[unit + 1]; unit++) value /= 1024;
    if (unit == 0)
        buffer_printf(out, "%s_human:%lluB\r\n", name, (unsigned long long)bytes);
    else
        buffer_printf(out, "%s_human:%.2f%c\r\n", name, value, units[unit]);
}

static void write_bytes_and_human(struct buffer *out, const char *name, uint64_t bytes)
{
    buffer_printf(out, "%s:%llu\r\n", name, (unsigned long long)bytes);
    write_human(out, name, bytes);
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static void write_allocator(struct buffer *out, const struct command_memory *m)
{
    if (!m->active) return;
    buffer_printf(out, "allocator_allocated:%llu\r\nallocator_active:%llu\r\nallocator_resident:%llu\r\n",
                  (unsigned long long)m->used, (unsigned long long)m->active,
                  (unsigned long long)m->allocator_resident);
    buffer_printf(out,
                  "allocator_frag_ratio:%.2f\r\nallocator_frag_bytes:%llu\r\nallocator_rss_ratio:%.2f\r\nallocator_rss_"
                  "bytes:%lld\r\n",
                  ratio(m->active, m->used), (unsigned long long)(m->active - m->used),
                  ratio(m->allocator_resident, m->active), (long long)m->allocator_resident - (long long)m->active);
}

static void write_rows(struct buffer *out, const struct store_statistics *s, const struct command_memory *m)
{
    buffer_printf(out, "aikv_rows_memory:%llu\r\naikv_rows_memory_max:%llu\r\naikv_dirty_bytes:%llu\r\n",
                  (unsigned long long)s->memory_bytes, (unsigned long long)s->memory_max,
                  (unsigned long long)s->dirty_bytes);
    buffer_printf(
        out, "aikv_cached_rows:%llu\r\naikv_cached_bytes:%llu\r\naikv_evicted_rows:%llu\r\naikv_mapped_memory:%llu\r\n",
        (unsigned long long)s->cached_rows, (unsigned long long)s->cached_bytes, (unsigned long long)s->evictions,
        (unsigned long long)m->mapped);
}

void node_info_memory(struct node *n, struct buffer *out)
{
    struct command_memory m;
    struct store_statistics s;
    node_memory(n, &m);
    store_statistics(n->store, &s);
    uint64_t own = m.resident - m.mapped;
    write_bytes_and_human(out, "used_memory", m.used);
    write_bytes_and_human(out, "used_memory_rss", m.resident);
    write_bytes_and_human(out, "used_memory_peak", m.peak);
    buffer_printf(out, "used_memory_peak_perc:%.2f%%\r\n", 100 * ratio(m.used, m.peak));
    buffer_printf(out, "used_memory_overhead:%llu\r\nused_memory_dataset:%llu\r\n",
                  (unsigned long long)(m.used > m.rows ? m.used - m.rows : 0), (unsigned long long)m.rows);
    buffer_printf(out, "used_memory_startup:%llu\r\nused_memory_dataset_perc:%.2f%%\r\n", (unsigned long long)m.at_start,
                  100 * ratio(m.rows, m.used > m.at_start ? m.used - m.at_start : 0));
    write_bytes_and_human(out, "total_system_memory", node_memory_limit());
    write_bytes_and_human(out, "maxmemory", (uint64_t)config_number(n->config, SETTING_MAXMEMORY));
    buffer_printf(out, "maxmemory_policy:%s\r\n", config_text(n->config, SETTING_MAXMEMORY_POLICY));
    write_allocator(out, &m);
    buffer_printf(out, "mem_fragmentation_ratio:%.2f\r\nmem_fragmentation_bytes:%lld\r\n", ratio(own, m.used),
                  (long long)own - (long long)m.used);
    buffer_append_text(out, "mem_replication_backlog:0\r\nmem_clients_slaves:0\r\nactive_defrag_running:0\r\n");
    buffer_printf(out, "mem_clients_normal:%llu\r\nmem_aof_buffer:%llu\r\nmem_allocator:%s\r\n",
                  (unsigned long long)m.clients, (unsigned long long)m.log, AIKV_ALLOCATOR);
    buffer_printf(out, "lazyfree_pending_objects:%zu\r\n", keyspace_reclaim_waiting(n->keyspace));
    buffer_printf(out, "aikv_data_bytes:%llu\r\n", (unsigned long long)keyspace_data_bytes(n->keyspace));
    write_rows(out, &s, &m);
}
