#include "keyspace/stream_names.h"

bool stream_names_get(struct bytes table, unsigned number, struct bytes *names)
{
    struct element list;
    do {
        if (!element_next(&table, &list)) return false;
    } while (number--);
    *names = list.value;
    return names->len > 0;
}

bool stream_names_read(struct bytes table, struct stream_names *out)
{
    out->count = 0;
    if (table.len > STREAM_NAMES_MAX) return false;
    while (out->count < STREAM_NAMES_LISTS && element_next(&table, &out->lists[out->count])) out->count++;
    return table.len == 0;
}

int stream_names_find(const struct stream_names *n, struct bytes names)
{
    for (unsigned i = 0; i < n->count; i++)
        if (bytes_equal(n->lists[i].value, names)) return (int)i;
    return -1;
}

/* What a list takes at most, whichever entry comes to be the last with it. */
static size_t size_of(struct bytes names)
{
    static const uint8_t longest[STREAM_KEY_MAX];
    return element_size(&(struct element){.key = bytes_of(longest, sizeof longest), .value = names});
}

int stream_names_add(struct stream_names *n, struct bytes names)
{
    unsigned free = n->count;
    size_t size = size_of(names);
    for (unsigned i = n->count; i-- > 0;) {
        size += size_of(n->lists[i].value);
        if (!n->lists[i].value.len) free = i;
    }
    if (free == STREAM_NAMES_LISTS || size > STREAM_NAMES_MAX) return -1;
    if (free == n->count) n->count++;
    n->lists[free] = (struct element){.value = names};
    return (int)free;
}

struct bytes stream_names_write(uint8_t out[STREAM_NAMES_MAX], const struct stream_names *n)
{
    uint8_t *end = out;
    for (unsigned i = 0; i < n->count; i++) end = element_write(end, &n->lists[i]);
    return bytes_of(out, (size_t)(end - out));
}
