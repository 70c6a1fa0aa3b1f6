/* Saved views: what is accepted is a state that keeps every invariant, and comes out of a view again as it went in. */
#include <stdio.h>
#include <stdlib.h>

#include "script/saved_view.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static struct buffer view_of(const struct cluster_state *state, const struct cluster_live *live)
{
    struct script_world world = {.state = state, .live = live};
    struct buffer out;
    struct error e;
    buffer_init(&out, (size_t)64 << 20);
    must(script_view_json(&world, &out, &e) == 0, "a view can be made");
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cluster_state *state, *again;
    struct cluster_live live, live_again;
    struct error e;
    int code = script_saved_view_read(bytes_of(data, size), &state, &live, &e);
    must(!code == (state != NULL) && (!code || e.text[0]), "an error says what it is, and leaves no state");
    if (code) return 0;
    must(cluster_state_check(state, &e) == 0, "the state keeps every invariant");
    struct buffer once = view_of(state, &live), twice;
    must(script_saved_view_read(buffer_bytes(&once), &again, &live_again, &e) == 0, "its own view is accepted");
    twice = view_of(again, &live_again);
    must(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)), "its own view is the same");
    buffer_release(&once);
    buffer_release(&twice);
    cluster_state_free(state);
    cluster_state_free(again);
    cluster_live_release(&live);
    cluster_live_release(&live_again);
    return 0;
}
