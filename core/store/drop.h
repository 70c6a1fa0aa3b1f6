/* Drops that are not carried out everywhere yet. What one covers was gone when its batch came, so of two versions of a row, or of a version and
 * a drop, the one with the greater sequence says what is there. Pure. */
#ifndef AIKV_STORE_DROP_H
#define AIKV_STORE_DROP_H

#include "store/row.h"
#include "store/store.h"

struct drop {
    struct store_range range;
    uint64_t sequence; /* of its batch: what is older is dead */
};

struct drop_list { /* few; in order of their sequences */
    struct drop *drops;
    size_t count, cap;
};

void drop_list_release(struct drop_list *l);
/* `sequence` is at least the last one's. Older drops of rows that this one covers as well are forgotten. */
void drop_list_add(struct drop_list *l, const struct store_range *range, uint64_t sequence);
/* Adds those of `from` that are newer than `sequence`. */
void drop_list_add_newer(struct drop_list *l, const struct drop_list *from, uint64_t sequence);
/* Forgets those up to `sequence`. */
void drop_list_forget(struct drop_list *l, uint64_t sequence);

/* The last one; 0: there is none. */
static inline uint64_t drop_list_last(const struct drop_list *l)
{
    return l->count ? l->drops[l->count - 1].sequence : 0;
}

/* The newest drop that covers a key; NULL: none. */
const struct drop *drop_find(const struct drop_list *l, struct bytes key);
/* Its sequence, 0: none. */
static inline uint64_t drop_sequence(const struct drop_list *l, struct bytes key)
{
    const struct drop *d = l->count ? drop_find(l, key) : NULL;
    return d ? d->sequence : 0;
}

/* Groups (row.h). The first one from `group` on that is covered by a drop of the list; ROW_GROUPS: none. */
uint64_t drop_next_group(const struct drop_list *l, uint64_t group);
/* Up to where all groups from `group`, which the drop covers, are covered by it. */
uint64_t drop_end(const struct drop *d, uint64_t group);

#endif
