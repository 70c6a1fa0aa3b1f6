/* The key's row of a list. Private to the list's files.
 *
 * A small list's payload is its elements. A larger one's: counted_tree's root · head count(4) · head length(4) · head · tail · tail count(4); so that a push
 * at either side is one splice, of the element and the count beside it. */
#ifndef AIKV_KEYSPACE_LIST_ROW_H
#define AIKV_KEYSPACE_LIST_ROW_H

#include "keyspace/keyspace_state.h"
#include "keyspace/list.h"

#define LIST_HEAD_SIZE 8 /* the head's count and length */
#define LIST_HEAD_AT   (COUNTED_TREE_ROOT_SIZE + LIST_HEAD_SIZE)
#define LIST_TAIL_SIZE 4 /* the tail's count */

static inline bool list_is_large(const struct keyspace_list *l)
{
    return l->en.form == ENTRY_TREE;
}

static inline size_t list_head_at(const struct keyspace_list *l)
{
    return list_is_large(l) ? LIST_HEAD_AT : 0;
}

/* Reads the row as it is now, if it has changed since the last look. */
void list_look(struct keyspace_list *l);
/* The elements of an end, until the row is changed. */
struct bytes list_head(struct keyspace_list *l);
struct bytes list_tail(struct keyspace_list *l);

#endif
