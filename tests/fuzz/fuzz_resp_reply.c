/* Replies: found whole at the same place whatever the pieces, and every part of one that is whole can be read. */
#include <stdio.h>
#include <stdlib.h>

#include "resp/reply.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static enum resp_status scan_in_pieces(struct bytes input, size_t piece, size_t *end)
{
    struct resp_scan s = {0};
    struct error e = {.code = ERROR_NONE};
    enum resp_status status = RESP_MORE;
    for (size_t there = 0; status == RESP_MORE && there < input.len;) {
        there = input.len - there > piece ? there + piece : input.len;
        uint8_t *moved = malloc(there);
        memcpy(moved, input.data, there);
        status = resp_reply_scan(&s, bytes_of(moved, there), 1 << 20, &e);
        free(moved);
    }
    must(status != RESP_BAD || e.text[0], "an error says what it is");
    *end = s.at;
    return status;
}

/* Reads the parts up to `end` and counts those that are still to come. */
static void read_parts(struct bytes input, size_t end)
{
    size_t at = 0, left = 1;
    while (left) {
        struct resp_part part;
        must(resp_part_read(input, &at, &part, NULL) == RESP_READY && at <= end, "parts of a whole reply can be read");
        left += part.count * (part.type == RESP_PART_MAP ? 2 : 1) - 1;
    }
    must(at == end, "parts end where the reply does");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    size_t end, end_in_pieces;
    if (size > 4096) return 0;
    enum resp_status status = scan_in_pieces(input, size, &end);
    enum resp_status in_pieces = scan_in_pieces(input, 1, &end_in_pieces);
    if (status == RESP_READY) must(in_pieces == RESP_READY && end == end_in_pieces, "pieces do not matter");
    if (status == RESP_MORE) must(in_pieces == RESP_MORE, "pieces do not matter");
    if (status == RESP_READY) read_parts(input, end);
    return 0;
}
