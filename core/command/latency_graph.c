/* LATENCY GRAPH: columns of characters, one a sample, the time since then below each, read downwards. */
#include "command/call.h"
#include "command/latency.h"

#define COLUMNS 80
#define ROWS    4

struct picture {
    const struct latency_series *series;
    uint32_t first, count; /* the samples in these columns */
    uint32_t min_ms, max_ms;
    char labels[COLUMNS][24];
};

/* How far back, in the largest unit that fits. */
static void write_label(char out[24], int64_t ago_s)
{
    if (ago_s < 60)
        snprintf(out, 24, "%llds", (long long)ago_s);
    else if (ago_s < 3600)
        snprintf(out, 24, "%lldm", (long long)ago_s / 60);
    else if (ago_s < 86400)
        snprintf(out, 24, "%lldh", (long long)ago_s / 3600);
    else
        snprintf(out, 24, "%lldd", (long long)ago_s / 86400);
}

/* A sample's character in a row, row 0 at the top: each row tells three steps apart, what is higher fills it. */
static char point(const struct picture *p, uint32_t column, int row)
{
    const int steps = 3 * ROWS;
    double range = p->max_ms > p->min_ms ? p->max_ms - p->min_ms : 1;
    uint32_t ms = command_latency_sample(p->series, p->first + column)->ms;
    int step = (int)((double)(ms - p->min_ms) * steps / range);
    if (step >= steps) step = steps - 1;
    int in_row = step - 3 * (ROWS - row - 1);
    return in_row < 0 ? ' ' : in_row < 3 ? "_o#"[in_row] : '|';
}

static void draw_part(struct picture *p, struct buffer *out)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        size_t len = strlen(p->labels[i]);
        if (len > longest) longest = len;
    }
    for (int row = 0; row < ROWS; row++) {
        for (uint32_t i = 0; i < p->count; i++) buffer_printf(out, "%c", point(p, i, row));
        buffer_append_text(out, "\n");
    }
    buffer_printf(out, "%*s\n", (int)p->count, "");
    for (size_t at = 0; at < longest; at++) {
        for (uint32_t i = 0; i < p->count; i++) buffer_printf(out, "%c", at < strlen(p->labels[i]) ? p->labels[i][at] : ' ');
        buffer_append_text(out, "\n");
    }
}

void command_latency_draw(const struct latency_series *s, enum latency_event event, int64_t now_s, struct buffer *out)
{
    struct picture p = {.series = s, .min_ms = UINT32_MAX};
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t ms = command_latency_sample(s, i)->ms;
        if (ms < p.min_ms) p.min_ms = ms;
        if (ms > p.max_ms) p.max_ms = ms;
    }
    buffer_printf(out, "%s - high %u ms, low %u ms (all time high %u ms)\n", command_latency_name(event), p.max_ms,
                  p.min_ms, s->max_ms);
    for (int i = 0; i < COLUMNS; i++) buffer_append_text(out, "-");
    buffer_append_text(out, "\n");
    for (; p.first < s->count; p.first += p.count) {
        if (p.first > 0) buffer_append_text(out, "\n");
        p.count = s->count - p.first < COLUMNS ? s->count - p.first : COLUMNS;
        for (uint32_t i = 0; i < p.count; i++) write_label(p.labels[i], now_s - command_latency_sample(s, p.first + i)->at_s);
        draw_part(&p, out);
    }
}
