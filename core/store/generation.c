#include "store/generation.h"

#include <assert.h>

#include "store/memory.h"

#define CHUNK 8192u

void generation_init(struct generation *g, uint8_t id)
{
    *g = (struct generation){.id = id};
    g->heads = memory_zeroed(GENERATION_PREFIXES, sizeof *g->heads);
}

void generation_release(struct generation *g)
{
    for (size_t i = 0; i < g->chunk_count; i++) free(g->chunks[i]);
    free(g->chunks);
    free(g->heads);
    drop_list_release(&g->drops);
    generation_forget_due(g);
    *g = (struct generation){0};
}

void generation_clear(struct generation *g)
{
    uint8_t id = g->id;
    generation_release(g);
    generation_init(g, id);
}

struct generation_entry *generation_entry_at(const struct generation *g, uint32_t place)
{
    return &g->chunks[place / CHUNK][place % CHUNK];
}

static void make_chunk(struct generation *g)
{
    g->chunks = memory_resize(g->chunks, (g->chunk_count + 1) * sizeof *g->chunks);
    g->chunks[g->chunk_count++] = memory_resize(NULL, CHUNK * sizeof(struct generation_entry));
}

void generation_add(struct generation *g, struct row *r)
{
    assert(g->count < UINT32_MAX - 1);
    if (g->count == g->chunk_count * CHUNK) make_chunk(g);
    unsigned prefix = row_prefix(row_key(r));
    r->generation = g->id & 3u;
    r->place = g->count++;
    *generation_entry_at(g, r->place) = (struct generation_entry){r, g->heads[prefix], 0};
    g->heads[prefix] = r->place + 1;
    g->in_use[prefix / 64] |= (uint64_t)1 << prefix % 64;
}

void generation_replace(struct generation *g, const struct row *old, struct row *fresh)
{
    fresh->generation = g->id & 3u;
    fresh->place = old->place;
    generation_entry_at(g, fresh->place)->row = fresh;
}

size_t generation_overhead(const struct generation *g)
{
    return g->chunk_count * CHUNK * sizeof(struct generation_entry) + g->due_cap * sizeof *g->due;
}

unsigned generation_next_prefix(const struct generation *g, unsigned from)
{
    if (!g->count || from >= GENERATION_PREFIXES) return GENERATION_PREFIXES;
    uint64_t bits = g->in_use[from / 64] >> from % 64 << from % 64;
    for (unsigned word = from / 64;; bits = g->in_use[word]) {
        if (bits) return word * 64 + (unsigned)__builtin_ctzll(bits);
        if (++word == GENERATION_PREFIXES / 64) return GENERATION_PREFIXES;
    }
}

static struct row *row_of(const struct generation *g, uint32_t link)
{
    return link ? generation_entry_at(g, link - 1)->row : NULL;
}

struct row *generation_first(const struct generation *g, unsigned prefix)
{
    return row_of(g, g->heads[prefix]);
}

struct row *generation_next(const struct generation *g, const struct row *r)
{
    return row_of(g, generation_entry_at(g, r->place)->next);
}
