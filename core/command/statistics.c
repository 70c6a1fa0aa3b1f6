#include "command/statistics.h"

#include <stdlib.h>

void command_counts_init(struct command_counts *c, size_t entries)
{
    *c = (struct command_counts){.each = calloc(entries, sizeof *c->each), .each_count = entries};
    if (!c->each) abort();
}

static void drop_histograms(struct command_counts *c)
{
    for (size_t i = 0; i < c->each_count; i++) free(c->each[i].latency);
}

void command_counts_release(struct command_counts *c)
{
    drop_histograms(c);
    free(c->each);
    *c = (struct command_counts){0};
}

void command_counts_reset(struct command_counts *c, const struct net_statistics *net, uint64_t expired, uint64_t evicted)
{
    struct command_counters *each = c->each;
    size_t n = c->each_count;
    drop_histograms(c);
    memset(each, 0, n * sizeof *each);
    *c = (struct command_counts){.each = each, .each_count = n, .net_before = *net, .expired_before = expired, .evicted_before = evicted};
}

void command_counts_latency(struct command_counters *c, uint64_t took_us)
{
    if (!c->latency && !(c->latency = calloc(1, sizeof *c->latency))) abort();
    histogram_add(c->latency, took_us);
}

void command_counts_error(struct command_counts *c, struct bytes line)
{
    c->errors++;
    size_t len = 0;
    char prefix[sizeof c->kinds->prefix];
    while (len + 1 < line.len && len + 1 < sizeof prefix && line.data[len + 1] > ' ') {
        prefix[len] = (char)line.data[len + 1];
        len++;
    }
    prefix[len] = 0;
    size_t i = 0;
    while (i < c->kind_count && strcmp(c->kinds[i].prefix, prefix) != 0) i++;
    if (i == COMMAND_ERROR_KINDS_MAX) return;
    if (i == c->kind_count) {
        memcpy(c->kinds[i].prefix, prefix, len + 1);
        c->kind_count++;
    }
    c->kinds[i].count++;
}

static void sample(struct command_rate *r, uint64_t number, uint64_t now_us)
{
    if (r->last_us && now_us > r->last_us) {
        r->per_second[r->next] = (number - r->last) * 1000000 / (now_us - r->last_us);
        r->next = (r->next + 1) % COMMAND_RATE_SAMPLES;
    }
    r->last = number;
    r->last_us = now_us;
}

void command_counts_sample(struct command_counts *c, const struct net_statistics *net, uint64_t now_us)
{
    sample(&c->commands_rate, c->commands, now_us);
    sample(&c->bytes_in_rate, net->bytes_in, now_us);
    sample(&c->bytes_out_rate, net->bytes_out, now_us);
}

uint64_t command_rate_per_second(const struct command_rate *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COMMAND_RATE_SAMPLES; i++) sum += r->per_second[i];
    return sum / COMMAND_RATE_SAMPLES;
}
