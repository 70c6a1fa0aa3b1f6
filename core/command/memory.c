/* MEMORY: what keys and the process take. */
#include "command/call.h"
#include "command/engine.h"

/* Every row of the value is counted already, so SAMPLES makes no difference. */
static void command_memory_usage(struct command_call *c)
{
    int64_t samples;
    for (int i = 3; i < c->argc; i += 2) {
        if (!command_is(c, i, "SAMPLES") || i + 1 == c->argc) {
            command_reply_syntax_error(c);
            return;
        }
        if (!command_integer(c, i + 1, &samples, NULL)) return;
        if (samples < 0) {
            command_reply_syntax_error(c);
            return;
        }
    }
    uint64_t bytes = keyspace_key_bytes(c->keyspace, c->argv[2]);
    if (bytes) {
        resp_integer(c->reply, (int64_t)bytes);
    } else {
        resp_null(c->reply);
    }
}

static void ask(const struct command_call *c, struct command_memory *out)
{
    const struct command_host *h = c->engine->host;
    h->memory(h->user, out);
}

static uint64_t count_keys(const struct command_engine *e)
{
    uint64_t keys = 0;
    for (unsigned db = 0; db < e->databases; db++) keys += keyspace_size(e->keyspace, db);
    return keys;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

/* ---- STATS ---- */

static void reply_bytes(struct resp_writer *w, const char *name, uint64_t bytes)
{
    resp_bulk_text(w, name);
    resp_integer(w, (int64_t)bytes);
}

/* How far `a` is above `b`, as a quotient and in bytes, which may be less than none. */
static void reply_ratio(struct resp_writer *w, const char *name, const char *bytes_name, uint64_t a, uint64_t b)
{
    resp_bulk_text(w, name);
    resp_double(w, ratio(a, b));
    resp_bulk_text(w, bytes_name);
    resp_integer(w, (int64_t)(a - b));
}

static void command_memory_stats(struct command_call *c)
{
    struct command_memory m;
    struct resp_writer *w = c->reply;
    uint64_t keys = count_keys(c->engine);
    ask(c, &m);
    uint64_t own = m.resident - m.mapped, net = m.used > m.at_start ? m.used - m.at_start : 0;
    resp_map(w, m.active ? 21 : 14);
    reply_bytes(w, "peak.allocated", m.peak);
    reply_bytes(w, "total.allocated", m.used);
    reply_bytes(w, "startup.allocated", m.at_start);
    reply_bytes(w, "replication.backlog", 0);
    reply_bytes(w, "clients.slaves", 0);
    reply_bytes(w, "clients.normal", m.clients);
    reply_bytes(w, "aof.buffer", m.log);
    reply_bytes(w, "overhead.total", m.used > m.rows ? m.used - m.rows : 0);
    reply_bytes(w, "keys.count", keys);
    reply_bytes(w, "keys.bytes-per-key", keys ? net / keys : 0);
    reply_bytes(w, "dataset.bytes", m.rows);
    resp_bulk_text(w, "peak.percentage");
    resp_double(w, 100 * ratio(m.used, m.peak));
    if (m.active) {
        reply_bytes(w, "allocator.allocated", m.used);
        reply_bytes(w, "allocator.active", m.active);
        reply_bytes(w, "allocator.resident", m.allocator_resident);
        reply_ratio(w, "allocator-fragmentation.ratio", "allocator-fragmentation.bytes", m.active, m.used);
        reply_ratio(w, "allocator-rss.ratio", "allocator-rss.bytes", m.allocator_resident, m.active);
    }
    reply_ratio(w, "fragmentation", "fragmentation.bytes", own, m.used);
}

/* ---- DOCTOR ---- */

#define MIB(bytes) ((double)(bytes) / (1 << 20))

/* Differences below this are of no account: 10 MiB. */
#define MATTERS ((uint64_t)10 << 20)

static bool exceeds(uint64_t a, uint64_t b, double times)
{
    return a > b && a - b > MATTERS && (double)a > times * (double)b;
}

static void command_memory_doctor(struct command_call *c)
{
    struct command_memory m;
    struct buffer *out = &c->engine->scratch;
    ask(c, &m);
    uint64_t own = m.resident - m.mapped, a_client = m.client_count ? m.clients / m.client_count : 0;
    if (exceeds(m.peak, m.used, 1.5))
        buffer_printf(out, "- Peak: %.0f MiB were in use once, %.0f MiB are now. What the process keeps of that shows in used_memory_rss; MEMORY PURGE gives pages that hold "
                           "nothing back to the system.\n", MIB(m.peak), MIB(m.used));
    if (m.active && exceeds(m.active, m.used, 1.1))
        buffer_printf(out, "- Fragmentation: the allocator's pages take %.0f MiB for %.0f MiB in use. It goes down as rows come and go.\n", MIB(m.active), MIB(m.used));
    if (m.active && exceeds(m.allocator_resident, m.active, 1.1))
        buffer_printf(out, "- Allocator: it keeps %.0f MiB, of which %.0f MiB hold something. MEMORY PURGE gives the rest back to the system.\n",
                      MIB(m.allocator_resident), MIB(m.active));
    if (exceeds(own, m.active ? m.allocator_resident : m.used, 1.4))
        buffer_printf(out, "- Others: the process has %.0f MiB beside what the allocator keeps.\n", MIB(own - (m.active ? m.allocator_resident : m.used)));
    if (a_client > 200 << 10)
        buffer_printf(out, "- Clients: requests and replies under way take %.0f MiB, %llu KiB a client. CLIENT LIST tells which: qbuf and omem.\n", MIB(m.clients),
                      (unsigned long long)(a_client >> 10));
    if (c->engine->evictions.refusing && keyspace_data_bytes(c->keyspace) > c->engine->tuning.data_max)
        buffer_printf(out, "- Eviction: the data take %.0f MiB of %.0f MiB, and of the keys that are left the maxmemory-policy lets none be evicted: commands that "
                           "need memory are refused.\n", MIB(keyspace_data_bytes(c->keyspace)), MIB(c->engine->tuning.data_max));
    if (out->len == 0) buffer_append_text(out, "There is nothing unusual about this node's memory.\n");
    resp_verbatim(c->reply, buffer_bytes(out));
}

/* ---- the allocator ---- */

static void command_memory_purge(struct command_call *c)
{
    if (c->engine->host->purge_memory()) {
        command_reply_ok(c);
    } else {
        resp_error(c->reply, ERROR_GENERIC, "Error purging dirty pages");
    }
}

static void command_memory_malloc_stats(struct command_call *c)
{
    struct buffer *out = &c->engine->scratch;
    if (c->engine->host->describe_allocator(out)) {
        resp_verbatim(c->reply, buffer_bytes(out));
    } else {
        resp_bulk_text(c->reply, "Stats not supported for the current allocator");
    }
}

#define ALL_SHARDS "request_policy:all_shards response_policy:"
#define TIPS       "nondeterministic_output " ALL_SHARDS "special"

static const struct command_row subcommands[] = {
    {"USAGE", -3, READ, KEYS(2, 2, 1, KEY_RO), 0, command_memory_usage,
     "The bytes of a key's rows: names and values, in memory or on disk.",
     .syntax = "key [SAMPLES count]", .since = "4.0.0", .complexity = "O(1)", .only_looks = true},
    {"STATS", 2, 0, NO_KEYS, 0, command_memory_stats,
     "What takes the process's memory.",
     .since = "4.0.0", .complexity = "O(1)", .tips = TIPS},
    {"DOCTOR", 2, 0, NO_KEYS, 0, command_memory_doctor,
     "What is unusual about the process's memory.",
     .since = "4.0.0", .complexity = "O(1)", .tips = TIPS},
    {"PURGE", 2, 0, NO_KEYS, 0, command_memory_purge,
     "Has the allocator give back pages that hold nothing.",
     .since = "4.0.0", .complexity = "Depends on how much memory is allocated, could be slow",
     .tips = ALL_SHARDS "all_succeeded"},
    {"MALLOC-STATS", 2, 0, NO_KEYS, 0, command_memory_malloc_stats,
     "What the allocator tells of itself.",
     .since = "4.0.0", .complexity = "Depends on how much memory is allocated, could be slow", .tips = TIPS},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "4.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_memory_rows[] = {
    {"MEMORY", -2, 0, NO_KEYS, 0, NULL,
     "What keys and the process take.",
     .since = "4.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
