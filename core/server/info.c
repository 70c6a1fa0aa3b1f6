/* The sections of INFO that the node itself knows. */
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/node.h"

static const char *role(const struct node *n)
{
    const struct cluster_routing *r = n->routing;
    if (r && r->self && r->self->shard && !cluster_node_is_primary(r->state, r->self)) return "slave";
    return "master";
}

/* CLUSTER RESET HARD makes another one, on the control thread. */
static const char *node_id(const struct node *n)
{
    return n->routing ? n->routing->my_id : n->identity.node_id;
}

static void server_section(struct node *n, struct buffer *out)
{
    struct utsname os;
    uname(&os);
    uint64_t uptime_s = (clock_monotonic_ms() - n->started_ms) / 1000;
    buffer_printf(out, "redis_version:" COMMAND_REDIS_VERSION "\r\naikv_version:%s\r\nredis_mode:%s\r\nos:%s %s %s\r\narch_bits:%zu\r\n", AIKV_VERSION,
                  n->control ? "cluster" : "standalone", os.sysname, os.release, os.machine, sizeof(void *) * 8);
    buffer_printf(out, "multiplexing_api:libuv %s\r\nprocess_id:%d\r\nrun_id:%s\r\nnode_id:%s\r\nincarnation:%llu\r\ntcp_port:%u\r\n",
                  uv_version_string(), (int)getpid(), n->run_id, node_id(n), (unsigned long long)n->identity.incarnation, n->port);
    char executable[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", executable, sizeof executable);
    buffer_append_text(out, "monotonic_clock:POSIX clock_gettime\r\ngcc_version:" __VERSION__ "\r\nprocess_supervised:no\r\nhz:10\r\nconfigured_hz:10\r\n"
                            "io_threads_active:0\r\n");
    buffer_printf(out, "executable:%.*s\r\n", len > 0 ? (int)len : 0, executable);
    buffer_printf(out, "server_time_usec:%lld\r\nuptime_in_seconds:%llu\r\nuptime_in_days:%llu\r\nconfig_file:%s\r\n",
                  (long long)clock_wall_us(), (unsigned long long)uptime_s, (unsigned long long)uptime_s / 86400,
                  n->config_file ? n->config_file : "");
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
    buffer_append_text(out, "master_failover_state:no-failover\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:0\r\n");
    buffer_printf(out, "connected_slaves:0\r\naikv_assigned_replicas:%u\r\nmaster_replid:%s\r\nmaster_repl_offset:%llu\r\n", replicas,
                  node_id(n), (unsigned long long)store_durable(n->store).sequence);
}

/* `of`: all threads, the data thread, which this is, or children, of which there are none. */
static void write_cpu(struct buffer *out, const char *suffix, int of)
{
    struct rusage u;
    getrusage(of, &u);
    buffer_printf(out, "used_cpu_sys%s:%lld.%06lld\r\nused_cpu_user%s:%lld.%06lld\r\n", suffix, (long long)u.ru_stime.tv_sec,
                  (long long)u.ru_stime.tv_usec, suffix, (long long)u.ru_utime.tv_sec, (long long)u.ru_utime.tv_usec);
}

static void cpu_section(struct buffer *out)
{
    write_cpu(out, "", RUSAGE_SELF);
    write_cpu(out, "_children", RUSAGE_CHILDREN);
    write_cpu(out, "_main_thread", RUSAGE_THREAD);
}

void node_info(void *user, const char *section, struct buffer *out)
{
    struct node *n = user;
    if (strcmp(section, "server") == 0) server_section(n, out);
    if (strcmp(section, "memory") == 0) node_info_memory(n, out);
    if (strcmp(section, "persistence") == 0) node_info_persistence(n, out);
    if (strcmp(section, "replication") == 0) replication_section(n, out);
    if (strcmp(section, "cpu") == 0) cpu_section(out);
    if (strcmp(section, "cluster") == 0) buffer_printf(out, "cluster_enabled:%d\r\n", n->control != NULL);
    if (strcmp(section, "cluster") == 0 && n->control)
        buffer_printf(out, "aikv_messages_lost:%llu\r\n", (unsigned long long)control_messages_lost(n->control));
}
