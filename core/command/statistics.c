#include "command/statistics.h"

#include <stdlib.h>

void command_counts_init(struct command_counts *c, size_t entries)
{
    *c = (struct command_counts){.each = calloc(entries, sizeof *c->each), .each_count = entries};
    if (!c->each) abort();
}

void command_counts_release(struct command_counts *c)
{
    free(c->each);
    *c = (struct command_counts){0};
}

void command_counts_reset(struct command_counts *c)
{
    struct command_counters *each = c->each;
    size_t n = c->each_count;
    memset(each, 0, n * sizeof *each);
    *c = (struct command_counts){.each = each, .each_count = n};
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

void command_counts_sample(struct command_counts *c, uint64_t now_us)
{
    if (c->sampled_us && now_us > c->sampled_us) {
        c->rate[c->rate_next] = (c->commands - c->sampled_commands) * 1000000 / (now_us - c->sampled_us);
        c->rate_next = (c->rate_next + 1) % COMMAND_RATE_SAMPLES;
    }
    c->sampled_commands = c->commands;
    c->sampled_us = now_us;
}

uint64_t command_counts_per_second(const struct command_counts *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COMMAND_RATE_SAMPLES; i++) sum += c->rate[i];
    return sum / COMMAND_RATE_SAMPLES;
}
