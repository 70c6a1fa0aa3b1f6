/* LATENCY HISTOGRAM. */
#include "command/call.h"
#include "command/engine.h"
#include "command/latency.h"

/* The ends of Redis's buckets, in microseconds: powers of two of nanoseconds, from 1,024 on, each rounded up to the end of a bucket of the
 * histogram that Redis has. */
static uint64_t bucket_end(unsigned i)
{
    return ((UINT64_C(1032) << i) - 1) / 1000;
}

static unsigned count_buckets(const struct histogram *h)
{
    unsigned n = 0;
    uint64_t before = 0;
    for (unsigned i = 0; before < h->count; i++) {
        uint64_t seen = histogram_up_to(h, bucket_end(i));
        n += seen > before;
        before = seen;
    }
    return n;
}

/* Each bucket with all before it; those that add nothing are left out. */
static void reply_histogram(struct resp_writer *w, const char *name, const struct histogram *h)
{
    resp_bulk_text(w, name);
    resp_map(w, 2);
    resp_bulk_text(w, "calls");
    resp_integer(w, (int64_t)h->count);
    resp_bulk_text(w, "histogram_usec");
    resp_map(w, count_buckets(h));
    uint64_t before = 0;
    for (unsigned i = 0; before < h->count; i++) {
        uint64_t seen = histogram_up_to(h, bucket_end(i));
        if (seen > before) {
            resp_integer(w, (int64_t)bucket_end(i));
            resp_integer(w, (int64_t)seen);
        }
        before = seen;
    }
}

struct telling {
    struct resp_writer reply;
    const struct command_counts *counts;
    bool *told; /* by entry number: each is told once, however often it is named */
    size_t count;
};

/* Replies one command's, if it was called. */
static void tell(struct telling *t, const struct command_entry *e)
{
    const struct histogram *h = t->counts->each[e->number].latency;
    if (!h || t->told[e->number]) return;
    reply_histogram(&t->reply, e->name, h);
    t->told[e->number] = true;
    t->count++;
}

void command_latency_histogram(struct command_call *c)
{
    const struct command_table *t = &c->engine->table;
    struct telling telling = {.reply = command_writer_aside(c),
                              .counts = &c->engine->statistics,
                              .told = arena_alloc(c->arena, t->count * sizeof(bool))};
    memset(telling.told, 0, t->count * sizeof(bool));
    for (size_t i = 0; c->argc == 2 && i < t->count; i++) tell(&telling, &t->entries[i]);
    for (int i = 2; i < c->argc; i++) {
        const struct command_entry *e = command_table_named(t, c->argv[i]);
        if (!e) continue;
        tell(&telling, e);
        for (size_t s = 0; s < e->subcommand_count; s++) tell(&telling, &e->subcommands[s]);
    }
    resp_map(c->reply, telling.count);
    command_reply_aside(c);
}
