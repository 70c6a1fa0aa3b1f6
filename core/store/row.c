#include "store/row.h"

#include <malloc.h>

#include "store/memory.h"

static size_t size_of(size_t key_len, size_t value_len)
{
    size_t size = offsetof(struct row, bytes) + key_len + value_len;
    return size < sizeof(struct row) ? sizeof(struct row) : size;
}

struct row *row_new(struct bytes key, size_t value_len, uint64_t sequence)
{
    struct row *r = memory_resize(NULL, size_of(key.len, value_len));
    *r = (struct row){.sequence = sequence, .value_len = (uint32_t)value_len, .key_len = (uint16_t)key.len};
    memcpy(r->bytes, key.data, key.len);
    return r;
}

struct row *row_resize(struct row *r, size_t value_len)
{
    size_t has = malloc_usable_size(r), needs = size_of(r->key_len, value_len);
    if (needs > has || needs < has - has / 4) r = memory_resize(r, needs);
    r->value_len = (uint32_t)value_len;
    return r;
}

/* jemalloc gives sizes from 16 KiB on a page more, to begin them at a random cache line of it ("cache_oblivious"), and does not tell. */
#define UNTOLD_FROM ((size_t)16384)
#define UNTOLD      ((size_t)4096)

size_t row_memory(struct row *r)
{
    size_t told = malloc_usable_size(r);
    return told < UNTOLD_FROM ? told : told + UNTOLD;
}

uint64_t row_group(struct bytes key)
{
    uint64_t group = 0;
    for (size_t i = 0; i < ROW_GROUP_SIZE; i++) group = group << 8 | (i < key.len ? key.data[i] : 0);
    return group;
}

struct bytes row_group_begin(uint64_t group, uint8_t out[ROW_GROUP_SIZE])
{
    size_t len = ROW_GROUP_SIZE;
    for (size_t i = len; i--; group >>= 8) out[i] = (uint8_t)group;
    while (len && out[len - 1] == 0) len--; /* shorter keys come first */
    return bytes_of(out, len);
}

int row_compare(const struct row *a, const struct row *b)
{
    int order = bytes_compare(row_key(a), row_key(b));
    return order ? order : a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int compare_places(const void *a, const void *b)
{
    return row_compare(*(struct row *const *)a, *(struct row *const *)b);
}

void row_sort(struct row **rows, size_t count)
{
    if (count > 1) qsort(rows, count, sizeof(struct row *), compare_places);
}

size_t row_keep_newest(struct row **rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && bytes_equal(row_key(rows[i]), row_key(rows[i + 1]))) continue;
        rows[kept++] = rows[i];
    }
    return kept;
}
