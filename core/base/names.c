#include "base/names.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/siphash.h"

#define BUCKETS_MIN 8

void names_init(struct names *n, const uint64_t seed[2])
{
    *n = (struct names){.seed = {seed[0], seed[1]}};
}

void names_release(struct names *n)
{
    free(n->buckets);
    names_init(n, n->seed);
}

static struct names_entry **bucket_of(const struct names *n, uint64_t hash)
{
    return &n->buckets[hash & (n->bucket_count - 1)];
}

static void resize(struct names *n, size_t bucket_count)
{
    struct names old = *n;
    n->buckets = calloc(bucket_count, sizeof *n->buckets);
    if (!n->buckets) {
        fprintf(stderr, "out of memory: a table of names\n");
        abort();
    }
    n->bucket_count = bucket_count;
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct names_entry *entry = old.buckets[i], *next; entry; entry = next) {
            struct names_entry **bucket = bucket_of(n, entry->hash);
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(old.buckets);
}

struct names_entry *names_find(const struct names *n, struct bytes name)
{
    if (!n->count) return NULL;
    uint64_t hash = siphash(n->seed, name.data, name.len);
    struct names_entry *entry = *bucket_of(n, hash);
    while (entry && (entry->hash != hash || !bytes_equal(entry->name, name))) entry = entry->next;
    return entry;
}

void names_add(struct names *n, struct names_entry *entry)
{
    if (n->count == n->bucket_count) resize(n, n->count ? 2 * n->count : BUCKETS_MIN);
    entry->hash = siphash(n->seed, entry->name.data, entry->name.len);
    struct names_entry **bucket = bucket_of(n, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    n->count++;
}

void names_remove(struct names *n, struct names_entry *entry)
{
    struct names_entry **at = bucket_of(n, entry->hash);
    while (*at != entry) at = &(*at)->next;
    *at = entry->next;
    if (!--n->count)
        names_release(n);
    else if (n->bucket_count > BUCKETS_MIN && n->count < n->bucket_count / 8)
        resize(n, n->bucket_count / 4);
}

struct names_entry *names_next(const struct names *n, const struct names_entry *entry)
{
    if (entry && entry->next) return entry->next;
    size_t bucket = entry ? (entry->hash & (n->bucket_count - 1)) + 1 : 0;
    while (bucket < n->bucket_count && !n->buckets[bucket]) bucket++;
    return bucket < n->bucket_count ? n->buckets[bucket] : NULL;
}
