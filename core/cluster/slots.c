#include "cluster/slots.h"

#include <stdlib.h>

/* Ranges neither overlap nor adjoin, so there is a slot between any two. */
#define RANGES_MAX (CLUSTER_SLOTS / 2)

/* By blocks first: stretches are long, and slots that equal those one further on all have one owner. */
unsigned cluster_stretch_end(const uint32_t owner[CLUSTER_SLOTS], unsigned from)
{
    const unsigned block = 128;
    unsigned end = from + 1;
    while (end + block <= CLUSTER_SLOTS && memcmp(owner + end - 1, owner + end, block * sizeof *owner) == 0)
        end += block;
    while (end < CLUSTER_SLOTS && owner[end] == owner[from]) end++;
    return end;
}

void cluster_ranges_release(struct cluster_ranges *r)
{
    free(r->list);
    *r = (struct cluster_ranges){0};
}

int cluster_ranges_copy(struct cluster_ranges *out, const struct cluster_ranges *from)
{
    *out = (struct cluster_ranges){0};
    if (from->count == 0) return 0;
    out->list = malloc(from->count * sizeof *from->list);
    if (!out->list) return ERROR_OOM;
    memcpy(out->list, from->list, from->count * sizeof *from->list);
    out->count = from->count;
    return 0;
}

int cluster_ranges_add(struct cluster_ranges *r, unsigned from, unsigned to, struct error *e)
{
    if (to >= CLUSTER_SLOTS || from > to)
        return error_set(e, ERROR_SYNTAX, "slots %u-%u: a range goes up and lies within 0 to %d", from, to,
                         CLUSTER_SLOTS - 1);
    struct cluster_range *last = r->count ? &r->list[r->count - 1] : NULL;
    if (last && from <= last->to)
        return error_set(e, ERROR_SYNTAX, "slots %u-%u come after %d-%d: ranges must be in order and apart", from, to,
                         last->from, last->to);
    if (last && from == last->to + 1u) {
        last->to = (uint16_t)to;
        return 0;
    }
    struct cluster_range *list = realloc(r->list, (r->count + 1) * sizeof *list);
    if (!list) return error_set(e, ERROR_OOM, "no memory for slot ranges");
    list[r->count++] = (struct cluster_range){(uint16_t)from, (uint16_t)to};
    r->list = list;
    return 0;
}

size_t cluster_ranges_slots(const struct cluster_ranges *r)
{
    size_t slots = 0;
    for (size_t i = 0; i < r->count; i++) slots += r->list[i].to - r->list[i].from + 1u;
    return slots;
}

void cluster_ranges_write(struct buffer *b, const struct cluster_ranges *r)
{
    write_u32(b, (uint32_t)r->count);
    for (size_t i = 0; i < r->count; i++) {
        write_u16(b, r->list[i].from);
        write_u16(b, r->list[i].to);
    }
}

int cluster_ranges_read(struct reader *in, struct cluster_ranges *out, struct error *e)
{
    *out = (struct cluster_ranges){0};
    uint32_t count = read_count(in, RANGES_MAX, 4);
    for (uint32_t i = 0; i < count; i++) {
        unsigned from = read_u16(in), to = read_u16(in);
        int code = cluster_ranges_add(out, from, to, e);
        if (code == 0 && out->count != i + 1)
            code = error_set(e, ERROR_FORMAT, "slots %u-%u adjoin the range before", from, to);
        if (code != 0) {
            cluster_ranges_release(out);
            return code == ERROR_OOM ? code : error_set(e, ERROR_FORMAT, "slot ranges are not in order and apart");
        }
    }
    return in->failed ? error_set(e, ERROR_FORMAT, "slot ranges are cut short") : 0;
}
