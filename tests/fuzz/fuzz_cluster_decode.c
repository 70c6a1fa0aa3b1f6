/* Any bytes as a whole state (a snapshot, a push): what is accepted keeps the invariants, has one encoded form (a longer one
 * if there are settings its writer did not know), and can be copied. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/state.h"

static void require(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_cluster_decode: %s\n", what);
    abort();
}

static struct buffer encoded(const struct cluster_state *s)
{
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX + 1024);
    cluster_state_encode(s, &b);
    require(!b.failed, "a state is longer than it was");
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cluster_state *s;
    struct error e = {0};
    int code = cluster_state_decode(bytes_of(data, size), &s, &e);
    require(code == e.code, "the error is not the one that was returned");
    if (code != 0) return 0;
    require(cluster_state_check(s, &e) == 0, e.text);
    struct buffer form = encoded(s);
    require(form.len > size || bytes_equal(buffer_bytes(&form), bytes_of(data, size)), "a state has two encoded forms");
    struct cluster_state *copy = cluster_state_clone(s, true);
    cluster_state_free(s);
    struct buffer again = encoded(copy);
    require(bytes_equal(buffer_bytes(&form), buffer_bytes(&again)), "a clone is not equal");
    cluster_state_free(copy);
    buffer_release(&form);
    buffer_release(&again);
    return 0;
}
