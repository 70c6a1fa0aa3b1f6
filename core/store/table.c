#include "store/table.h"

#include "base/random.h"
#include "base/siphash.h"
#include "store/memory.h"

#define SEGMENT_SLOTS 504u /* with the head: 4 KiB */
#define SPLIT_AT      430u /* rows: 85 % */
#define MERGE_BELOW   64u  /* rows of one of two neighbours ... */
#define MERGED_MAX    250u /* ... and of both */
#define TAG_SHIFT     48
#define TAG_MASK      (~(uint64_t)0 << TAG_SHIFT)
#define SAMPLED       ((uint64_t)1)  /* in a slot: the row's flag */
#define POINTER_MASK  (~TAG_MASK & ~(uint64_t)15) /* the allocator's addresses are multiples of 16 */

struct segment {
    uint32_t rows;
    uint32_t depth; /* so many upper bits of the hash all its rows share */
    uint8_t unused[56];
    uint64_t slots[SEGMENT_SLOTS]; /* 0: empty */
};

_Static_assert(sizeof(struct segment) == 4096, "a segment is a page");

static struct row *row_at(uint64_t slot)
{
    return (struct row *)(uintptr_t)(slot & POINTER_MASK);
}

static uint64_t make_slot(uint64_t hash, const struct row *r)
{
    return hash << TAG_SHIFT | (uint64_t)(uintptr_t)r | (r->flags & ROW_SAMPLED ? SAMPLED : 0);
}

/* Where the search for a tag begins. */
static unsigned home_of(uint64_t slot)
{
    return (unsigned)((slot >> TAG_SHIFT) * SEGMENT_SLOTS >> 16);
}

static unsigned next_slot(unsigned at)
{
    return at + 1 == SEGMENT_SLOTS ? 0 : at + 1;
}

static size_t directory_index(const struct table *t, uint64_t hash)
{
    return t->depth ? hash >> (64 - t->depth) : 0;
}

/* ---- life ---- */

static struct segment *segment_new(struct table *t, uint32_t depth)
{
    struct segment *g = memory_zeroed(1, sizeof *g);
    g->depth = depth;
    t->memory += sizeof *g;
    return g;
}

void table_init(struct table *t)
{
    *t = (struct table){.memory = sizeof(struct segment *)};
    random_bytes(t->seed, sizeof t->seed);
    t->directory = memory_resize(NULL, sizeof(struct segment *));
    t->directory[0] = segment_new(t, 0);
}

/* How many entries of the directory point to this segment. */
static size_t span_of(const struct table *t, const struct segment *g)
{
    return (size_t)1 << (t->depth - g->depth);
}

void table_release(struct table *t)
{
    if (!t->directory) return;
    for (size_t i = 0, span; i < (size_t)1 << t->depth; i += span) {
        span = span_of(t, t->directory[i]);
        free(t->directory[i]);
    }
    free(t->directory);
    *t = (struct table){0};
}

/* ---- finding ---- */

uint64_t table_hash(const struct table *t, struct bytes key)
{
    return siphash(t->seed, key.data, key.len);
}

/* The slot of the key, or the empty one where it would go. */
static unsigned locate(const struct segment *g, uint64_t hash, struct bytes key)
{
    uint64_t wanted = hash << TAG_SHIFT;
    unsigned at = home_of(wanted);
    for (;; at = next_slot(at)) {
        uint64_t slot = g->slots[at];
        if (!slot) return at;
        if ((slot & TAG_MASK) == wanted && bytes_equal(row_key(row_at(slot)), key)) return at;
    }
}

struct row *table_find(const struct table *t, uint64_t hash, struct bytes key)
{
    const struct segment *g = t->directory[directory_index(t, hash)];
    return row_at(g->slots[locate(g, hash, key)]);
}

void table_prefetch_slots(const struct table *t, uint64_t hash)
{
    const struct segment *g = t->directory[directory_index(t, hash)];
    __builtin_prefetch(&g->slots[home_of(hash << TAG_SHIFT)]);
}

void table_prefetch_row(const struct table *t, uint64_t hash)
{
    const struct segment *g = t->directory[directory_index(t, hash)];
    uint64_t wanted = hash << TAG_SHIFT;
    for (unsigned at = home_of(wanted); g->slots[at]; at = next_slot(at)) {
        if ((g->slots[at] & TAG_MASK) != wanted) continue;
        const struct row *r = row_at(g->slots[at]);
        __builtin_prefetch(r);
        __builtin_prefetch((const uint8_t *)r + 64);
        return;
    }
}

/* ---- growing and shrinking ---- */

static void segment_add(struct segment *g, uint64_t slot)
{
    unsigned at = home_of(slot);
    while (g->slots[at]) at = next_slot(at);
    g->slots[at] = slot;
    g->rows++;
}

static void double_directory(struct table *t)
{
    size_t entries = (size_t)1 << t->depth;
    struct segment **wide = memory_resize(NULL, 2 * entries * sizeof *wide);
    for (size_t i = 0; i < entries; i++) wide[2 * i] = wide[2 * i + 1] = t->directory[i];
    free(t->directory);
    t->directory = wide;
    t->depth++;
    t->memory += entries * sizeof *wide;
    t->hand.at *= 2;
    t->purge_at *= 2;
}

static void split(struct table *t, uint64_t hash)
{
    struct segment *low = t->directory[directory_index(t, hash)];
    if (low->depth == t->depth) double_directory(t);
    size_t span = span_of(t, low), first = directory_index(t, hash) & ~(span - 1);
    uint64_t old[SEGMENT_SLOTS];
    memcpy(old, low->slots, sizeof old);
    memset(low->slots, 0, sizeof low->slots);
    struct segment *high = segment_new(t, ++low->depth);
    low->rows = 0;
    for (size_t i = first + span / 2; i < first + span; i++) t->directory[i] = high;
    for (unsigned i = 0; i < SEGMENT_SLOTS; i++) {
        if (!old[i]) continue;
        bool up = table_hash(t, row_key(row_at(old[i]))) >> (64 - low->depth) & 1;
        segment_add(up ? high : low, old[i]);
    }
}

/* Makes one of the segment at `at` and the one it was split from, if both together are few. */
static void merge(struct table *t, size_t at)
{
    struct segment *g = t->directory[at];
    if (g->rows >= MERGE_BELOW || g->depth == 0) return;
    size_t span = span_of(t, g), first = at & ~(2 * span - 1);
    struct segment *low = t->directory[first], *high = t->directory[first + span];
    if (low->depth != high->depth || low->rows + high->rows > MERGED_MAX) return;
    for (unsigned i = 0; i < SEGMENT_SLOTS; i++)
        if (high->slots[i]) segment_add(low, high->slots[i]);
    for (size_t i = first + span; i < first + 2 * span; i++) t->directory[i] = low;
    low->depth--;
    free(high);
    t->memory -= sizeof *high;
}

/* ---- changing ---- */

struct row *table_put(struct table *t, uint64_t hash, struct row *r)
{
    struct segment *g = t->directory[directory_index(t, hash)];
    unsigned at = locate(g, hash, row_key(r));
    struct row *before = row_at(g->slots[at]);
    if (!before && g->rows >= SPLIT_AT) {
        split(t, hash);
        return table_put(t, hash, r);
    }
    g->slots[at] = make_slot(hash, r);
    if (before) return before;
    g->rows++;
    t->rows++;
    return NULL;
}

/* Empties a slot; each row behind it moves up unless that would put it in front of where its search begins. */
static void empty_slot(struct table *t, struct segment *g, unsigned hole)
{
    for (unsigned at = next_slot(hole); g->slots[at]; at = next_slot(at)) {
        unsigned from_home = (at + SEGMENT_SLOTS - home_of(g->slots[at])) % SEGMENT_SLOTS;
        unsigned from_hole = (at + SEGMENT_SLOTS - hole) % SEGMENT_SLOTS;
        if (from_home < from_hole) continue;
        g->slots[hole] = g->slots[at];
        hole = at;
    }
    g->slots[hole] = 0;
    g->rows--;
    t->rows--;
}

/* Where a row is that is in this segment. It may have been freed. */
static unsigned slot_of(const struct segment *g, uint64_t hash, const struct row *r)
{
    uint64_t slot = hash << TAG_SHIFT | (uint64_t)(uintptr_t)r;
    unsigned at = home_of(slot);
    while ((g->slots[at] & ~SAMPLED) != slot) at = next_slot(at);
    return at;
}

void table_move(struct table *t, uint64_t hash, const struct row *from, struct row *to)
{
    struct segment *g = t->directory[directory_index(t, hash)];
    g->slots[slot_of(g, hash, from)] = make_slot(hash, to);
}

void table_remove(struct table *t, uint64_t hash, const struct row *r)
{
    size_t index = directory_index(t, hash);
    struct segment *g = t->directory[index];
    empty_slot(t, g, slot_of(g, hash, r));
    merge(t, index);
}

/* ---- walking ---- */

void table_sweep(struct table *t, size_t slots, bool (*drop)(void *user, struct row *r), void *user)
{
    while (slots--) {
        size_t index = t->hand.at;
        struct segment *g = t->directory[index];
        struct row *r = row_at(g->slots[t->hand.slot]);
        if (r && drop(user, r)) {
            empty_slot(t, g, t->hand.slot); /* what moves up is looked at next */
            continue;
        }
        if (++t->hand.slot < SEGMENT_SLOTS) continue;
        t->hand.slot = 0;
        t->hand.at = (index & ~(span_of(t, g) - 1)) + span_of(t, g);
        merge(t, index);
        if (t->hand.at < (size_t)1 << t->depth) continue;
        t->hand.at = 0;
        return;
    }
}

/* Segments are passed whole: within one, rows move. When one that was passed becomes one with the next, that is passed again. */
bool table_purge(struct table *t, size_t segments, bool (*drop)(void *user, struct row *r), void *user)
{
    while (segments--) {
        size_t index = t->purge_at;
        struct segment *g = t->directory[index];
        for (unsigned at = 0; at < SEGMENT_SLOTS; at++)
            while (g->slots[at] && drop(user, row_at(g->slots[at]))) empty_slot(t, g, at);
        t->purge_at = (index & ~(span_of(t, g) - 1)) + span_of(t, g);
        merge(t, index);
        if (t->purge_at < (size_t)1 << t->depth) continue;
        t->purge_at = 0;
        return true;
    }
    return false;
}

size_t table_sample(const struct table *t, uint64_t random, struct row **out, size_t count)
{
    size_t index = directory_index(t, random), found = 0;
    unsigned at = (unsigned)((random & 0xffffffff) * SEGMENT_SLOTS >> 32);
    for (size_t looks = TABLE_SAMPLE_SLOTS; looks && found < count;) {
        const struct segment *g = t->directory[index];
        for (; looks && at < SEGMENT_SLOTS && found < count; at++, looks--)
            if (g->slots[at] & SAMPLED) out[found++] = row_at(g->slots[at]);
        at = 0;
        index = (index & ~(span_of(t, g) - 1)) + span_of(t, g);
        if (index == (size_t)1 << t->depth) index = 0;
    }
    return found;
}

void table_each(const struct table *t, void (*visit)(void *user, struct row *r), void *user)
{
    for (size_t i = 0, span; i < (size_t)1 << t->depth; i += span) {
        const struct segment *g = t->directory[i];
        span = span_of(t, g);
        for (unsigned at = 0; at < SEGMENT_SLOTS; at++)
            if (g->slots[at]) visit(user, row_at(g->slots[at]));
    }
}
