#ifdef AIKV_ALLOCATOR
#include <jemalloc/jemalloc.h>
#else
#include <malloc.h>
#endif

#include "server/allocator.h"

#ifdef JEMALLOC_VERSION

static uint64_t ask(const char *name)
{
    size_t value = 0, size = sizeof value;
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

void allocator_statistics(struct allocator_statistics *out)
{
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size); /* else they are numbers of the last time */
    *out = (struct allocator_statistics){
        .used = ask("stats.allocated"), .active = ask("stats.active"), .resident = ask("stats.resident")};
}

#define TEXT_OF(number)  #number
#define VALUE_OF(number) TEXT_OF(number)

bool allocator_purge(void)
{
    return mallctl("arena." VALUE_OF(MALLCTL_ARENAS_ALL) ".purge", NULL, NULL, NULL, 0) == 0;
}

static void append(void *out, const char *text)
{
    buffer_append_text(out, text);
}

bool allocator_describe(struct buffer *out)
{
    malloc_stats_print(append, out, NULL);
    return true;
}

#else

void allocator_statistics(struct allocator_statistics *out)
{
    struct mallinfo2 info = mallinfo2();
    *out = (struct allocator_statistics){.used = info.uordblks + info.hblkhd};
}

bool allocator_purge(void)
{
    malloc_trim(0);
    return true;
}

bool allocator_describe(struct buffer *out)
{
    (void)out;
    return false;
}

#endif
