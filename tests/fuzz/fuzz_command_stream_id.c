/* Ids of streams, and ends of ranges, as requests write them: refused, or what is read lies where it must and is read again as the same from its own
 * text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/stream_id.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void check_id(struct bytes text)
{
    struct stream_id id, other, again;
    bool any_seq = false;
    if (!command_stream_id_parse(text, 0, &id, &any_seq)) {
        must(!command_stream_id_parse(text, 7, &other, NULL), "what is no id is none");
        return;
    }
    must(text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9', "an id begins with a digit");
    must(!any_seq || id.seq == 0, "of any sequence it is 0");
    char written[64];
    int len = snprintf(written, sizeof written, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    must(command_stream_id_parse(bytes_of(written, (size_t)len), 7, &again, NULL) && stream_id_compare(id, again) == 0, "it is read again as the same");
    bool is_whole = memchr(text.data, '-', text.len) != NULL;
    if (any_seq) return;
    must(command_stream_id_parse(text, UINT64_MAX, &other, NULL) && other.ms == id.ms && other.seq == (is_whole ? id.seq : UINT64_MAX),
         "a sequence that is missing is the one given");
}

static void check_ends(struct bytes text)
{
    struct stream_id start, end;
    enum command_stream_end a = command_stream_end_parse(text, false, &start), b = command_stream_end_parse(text, true, &end);
    must((a == STREAM_END_INVALID) == (b == STREAM_END_INVALID), "it is an end, on whichever side");
    if (a != STREAM_END_READ || b != STREAM_END_READ) return;
    bool is_left_out = text.data[0] == '(';
    must(is_left_out || stream_id_compare(start, end) <= 0, "one id as both ends is a range");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = malloc(size ? size : 1); /* of its exact size */
    if (size) memcpy(text, data, size);
    check_id(bytes_of(text, size));
    check_ends(bytes_of(text, size));
    free(text);
    return 0;
}
