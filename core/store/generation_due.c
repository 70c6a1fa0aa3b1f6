/* Rows of a generation that expire, in a binary heap: the earliest is the first, each one is not later than the two at 2i + 1 and 2i + 2. An entry
 * knows where its row is in the heap, so a row is in it once however often it changes. */
#include "store/generation.h"
#include "store/memory.h"

static uint32_t *due_at(const struct generation *g, uint32_t place)
{
    return &generation_entry_at(g, place)->due;
}

static void set(struct generation *g, uint32_t i, struct generation_due due)
{
    g->due[i] = due;
    *due_at(g, due.place) = i + 1;
}

static void sift_up(struct generation *g, uint32_t i)
{
    struct generation_due due = g->due[i];
    for (; i > 0 && g->due[(i - 1) / 2].ms > due.ms; i = (i - 1) / 2) set(g, i, g->due[(i - 1) / 2]);
    set(g, i, due);
}

static void sift_down(struct generation *g, uint32_t i)
{
    struct generation_due due = g->due[i];
    for (uint64_t child; (child = 2 * (uint64_t)i + 1) < g->due_count; i = (uint32_t)child) {
        if (child + 1 < g->due_count && g->due[child + 1].ms < g->due[child].ms) child++;
        if (g->due[child].ms >= due.ms) break;
        set(g, i, g->due[child]);
    }
    set(g, i, due);
}

static void add(struct generation *g, struct generation_due due)
{
    if (g->due_count == g->due_cap) {
        g->due_cap = g->due_cap ? 2 * g->due_cap : 1024;
        g->due = memory_resize(g->due, g->due_cap * sizeof *g->due);
    }
    g->due[g->due_count] = due;
    sift_up(g, g->due_count++);
}

/* The last one takes its place, and then its own. */
static void take(struct generation *g, uint32_t i)
{
    struct generation_due last = g->due[--g->due_count];
    *due_at(g, g->due[i].place) = 0;
    if (i == g->due_count) return;
    g->due[i] = last;
    sift_up(g, i);
    sift_down(g, *due_at(g, last.place) - 1);
}

void generation_set_due(struct generation *g, uint32_t place, int64_t due_ms)
{
    uint32_t at = *due_at(g, place);
    if (!at) {
        if (due_ms != STORE_NEVER) add(g, (struct generation_due){due_ms, place});
    } else if (due_ms == STORE_NEVER) {
        take(g, at - 1);
    } else if (due_ms != g->due[at - 1].ms) {
        g->due[at - 1].ms = due_ms;
        sift_up(g, at - 1);
        sift_down(g, *due_at(g, place) - 1);
    }
}

/* Those that are due are the upper part of the tree. */
static size_t gather(const struct generation *g, uint64_t i, int64_t now_ms, struct row **out, size_t max)
{
    if (!max || i >= g->due_count || g->due[i].ms > now_ms) return 0;
    *out = generation_at(g, g->due[i].place);
    size_t count = 1;
    count += gather(g, 2 * i + 1, now_ms, out + count, max - count);
    return count + gather(g, 2 * i + 2, now_ms, out + count, max - count);
}

size_t generation_find_due(const struct generation *g, int64_t now_ms, struct row **out, size_t max)
{
    return gather(g, 0, now_ms, out, max);
}

void generation_forget_due(struct generation *g)
{
    free(g->due);
    g->due = NULL;
    g->due_count = g->due_cap = 0;
}
