/* Any bytes as a whole state (a snapshot, a push): what is accepted keeps the invariants, has one encoded form, and can
 * be copied. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/state.h"

static void require(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_cluster_decode: %s\n", what);
    abort();
}

static void check_form(const struct cluster_state *s, struct bytes form, const char *what)
{
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_state_encode(s, &b);
    require(bytes_equal(buffer_bytes(&b), form), what);
    buffer_release(&b);
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
    check_form(s, bytes_of(data, size), "a state has two encoded forms");
    struct cluster_state *copy = cluster_state_clone(s, true);
    cluster_state_free(s);
    check_form(copy, bytes_of(data, size), "a clone is not equal");
    cluster_state_free(copy);
    return 0;
}
