/* Ids of streams (stream_id.h). */
#include "command/stream_id.h"

#include <string.h>

bool command_stream_id_parse(struct bytes text, uint64_t missing_seq, struct stream_id *out, bool *any_seq)
{
    const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
    if (any_seq) *any_seq = false;
    out->seq = missing_seq;
    if (!dash) return number_parse_unsigned(text, &out->ms);
    size_t len = (size_t)(dash - text.data);
    struct bytes seq = bytes_of(dash + 1, text.len - len - 1);
    if (!number_parse_unsigned(bytes_of(text.data, len), &out->ms)) return false;
    if (!any_seq || !bytes_is(seq, "*")) return number_parse_unsigned(seq, &out->seq);
    *any_seq = true;
    out->seq = 0;
    return true;
}

enum command_stream_end command_stream_end_parse(struct bytes text, bool is_end, struct stream_id *out)
{
    bool excluded = text.len > 1 && text.data[0] == '(';
    if (bytes_is(text, "-") || bytes_is(text, "+")) {
        *out = text.data[0] == '-' ? (struct stream_id){0, 0} : STREAM_ID_MAX;
        return STREAM_END_READ;
    }
    if (excluded) text = bytes_of(text.data + 1, text.len - 1);
    if (!command_stream_id_parse(text, is_end ? UINT64_MAX : 0, out, NULL)) return STREAM_END_INVALID;
    return !excluded || (is_end ? stream_id_previous(out) : stream_id_next(out)) ? STREAM_END_READ : STREAM_END_BEYOND;
}

size_t command_stream_id_format(char out[COMMAND_STREAM_ID_MAX], struct stream_id id)
{
    size_t len = number_format_unsigned(out, id.ms);
    out[len++] = '-';
    return len + number_format_unsigned(out + len, id.seq);
}
