#include "alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *require(void *memory)
{
    if (memory) return memory;
    fputs("aikv: no memory for the cluster's metadata\n", stderr);
    abort();
}

void cluster_alloc_require(int code)
{
    if (code != 0) require(NULL);
}

void *cluster_alloc_resize(void *old, size_t count, size_t size)
{
    return require(reallocarray(old, count, size));
}

void *cluster_alloc_array(size_t count, size_t size)
{
    return count ? require(calloc(count, size)) : NULL;
}

char *cluster_alloc_copy(const void *data, size_t len)
{
    if (!data) return NULL;
    char *copy = require(malloc(len + 1));
    memcpy(copy, data, len);
    copy[len] = 0;
    return copy;
}
