#include "store/pending.h"

#include "base/random.h"
#include "base/siphash.h"
#include "store/memory.h"

#define SMALLEST 64

void pending_init(struct pending *p)
{
    *p = (struct pending){.cap = SMALLEST};
    random_bytes(p->seed, sizeof p->seed);
    p->slots = memory_zeroed(p->cap, sizeof *p->slots);
    p->chains = memory_zeroed(PENDING_PREFIXES, sizeof(struct row *));
}

void pending_release(struct pending *p)
{
    free(p->slots);
    free(p->chains);
    *p = (struct pending){0};
}

/* Where the key is, or the empty slot where it would go. */
static size_t locate(const struct pending *p, struct bytes key, uint64_t hash)
{
    size_t at = hash & (p->cap - 1);
    while (p->slots[at].row && (p->slots[at].hash != hash || !bytes_equal(row_key(p->slots[at].row), key)))
        at = (at + 1) & (p->cap - 1);
    return at;
}

static void resize(struct pending *p, size_t cap)
{
    struct pending_slot *old = p->slots, *end = old + p->cap;
    p->slots = memory_zeroed(cap, sizeof *p->slots);
    p->cap = cap;
    for (struct pending_slot *s = old; s != end; s++) {
        if (!s->row) continue;
        size_t at = s->hash & (cap - 1);
        while (p->slots[at].row) at = (at + 1) & (cap - 1);
        p->slots[at] = *s;
    }
    free(old);
}

static void chain_add(struct pending *p, struct row *r)
{
    unsigned prefix = row_prefix(row_key(r));
    r->prev = NULL;
    r->next = p->chains[prefix];
    if (r->next) r->next->prev = r;
    p->chains[prefix] = r;
    p->in_use[prefix / 64] |= (uint64_t)1 << prefix % 64;
}

static void chain_remove(struct pending *p, struct row *r)
{
    unsigned prefix = row_prefix(row_key(r));
    if (r->next) r->next->prev = r->prev;
    if (r->prev)
        r->prev->next = r->next;
    else
        p->chains[prefix] = r->next;
    if (!p->chains[prefix]) p->in_use[prefix / 64] &= ~((uint64_t)1 << prefix % 64);
}

struct row *pending_find(const struct pending *p, struct bytes key)
{
    if (!p->count) return NULL; /* the common case of a node that is only read: no hash either */
    return p->slots[locate(p, key, siphash(p->seed, key.data, key.len))].row;
}

struct row *pending_put(struct pending *p, struct row *r)
{
    if (4 * (p->count + 1) > 3 * p->cap) resize(p, 2 * p->cap);
    r->hash = siphash(p->seed, r->bytes, r->key_len);
    size_t at = locate(p, row_key(r), r->hash);
    struct row *before = p->slots[at].row;
    if (before)
        chain_remove(p, before);
    else
        p->count++;
    p->slots[at] = (struct pending_slot){r->hash, r};
    chain_add(p, r);
    return before;
}

void pending_remove(struct pending *p, struct row *r)
{
    size_t hole = locate(p, row_key(r), r->hash), mask = p->cap - 1;
    if (p->slots[hole].row != r) return;
    chain_remove(p, r);
    p->count--;
    /* Close the hole: each slot behind it moves up unless that would put it in front of where its search begins. */
    for (size_t at = (hole + 1) & mask; p->slots[at].row; at = (at + 1) & mask) {
        size_t home = p->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        p->slots[hole] = p->slots[at];
        hole = at;
    }
    p->slots[hole].row = NULL;
    if (p->cap > SMALLEST && p->count < p->cap / 16) resize(p, p->cap / 4);
}

unsigned pending_next_prefix(const struct pending *p, unsigned from)
{
    if (!p->count || from >= PENDING_PREFIXES) return PENDING_PREFIXES;
    uint64_t bits = p->in_use[from / 64] >> from % 64 << from % 64;
    for (unsigned word = from / 64;; bits = p->in_use[word]) {
        if (bits) return word * 64 + (unsigned)__builtin_ctzll(bits);
        if (++word == PENDING_PREFIXES / 64) return PENDING_PREFIXES;
    }
}
