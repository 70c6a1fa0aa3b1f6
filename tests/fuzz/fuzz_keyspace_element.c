/* Packed elements as damage would leave them: what is read lies within them, whether it is taken apart or passed by, and is written again in no more
 * bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/element.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void check(struct bytes packed)
{
    struct bytes rest = packed, passed = packed;
    struct element el, found;
    size_t at;
    while (element_next(&rest, &el)) {
        must(element_skip(&passed) && passed.data == rest.data && passed.len == rest.len, "passing by leads to the same place");
        must(el.key.data + el.key.len == el.value.data && el.value.data + el.value.len == rest.data, "key and value lie before the next");
        must(element_size(&el) <= packed.len - rest.len, "it takes no more bytes than there were");
        uint8_t *written = malloc(element_size(&el));
        must(element_write(written, &el) == written + element_size(&el), "it is written in as many as told");
        free(written);
        must(element_find(packed, el.key, &found, &at) && at < packed.len, "it is found");
    }
    must(!element_skip(&passed) && passed.len == rest.len, "both end where damage begins");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *packed = malloc(size ? size : 1); /* of its exact size */
    if (size) memcpy(packed, data, size);
    check(bytes_of(packed, size));
    free(packed);
    return 0;
}
