/* Memory of a state. All sizes are bounded by the format's limits, so lack of memory is not an answer apply could give:
 * it aborts, as a node that applies less than the others would be worse than one that is gone. */
#ifndef AIKV_CLUSTER_ALLOC_H
#define AIKV_CLUSTER_ALLOC_H

#include <stddef.h>

/* As reallocarray, for 1 element or more; never fails. */
void *cluster_alloc_resize(void *old, size_t count, size_t size);
/* `count` cleared elements; NULL for 0. */
void *cluster_alloc_array(size_t count, size_t size);
/* A copy of `len` bytes with a NUL behind them; NULL stays NULL. */
char *cluster_alloc_copy(const void *data, size_t len);
/* Aborts unless `code`, as returned by what copies, is 0. */
void cluster_alloc_require(int code);

#endif
