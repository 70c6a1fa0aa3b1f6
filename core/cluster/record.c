#include "record.h"

#include <stdlib.h>

#include "alloc.h"

bool cluster_record_flag(struct reader *in)
{
    return cluster_record_enum(in, 2) == 1;
}

uint8_t cluster_record_enum(struct reader *in, unsigned count)
{
    uint8_t v = read_u8(in);
    if (v >= count) in->failed = true;
    return in->failed ? 0 : v;
}

char *cluster_record_blob(struct reader *in, size_t max, size_t *len)
{
    struct bytes raw = read_bytes(in, max);
    *len = raw.len;
    return raw.len ? cluster_alloc_copy(raw.data, raw.len) : NULL;
}

char *cluster_record_string(struct reader *in, size_t max)
{
    struct bytes raw = read_bytes(in, max);
    if (raw.len && memchr(raw.data, 0, raw.len)) in->failed = true;
    return cluster_alloc_copy(raw.len ? raw.data : (const uint8_t *)"", raw.len);
}

void cluster_params_write(struct buffer *b, const struct cluster_param *params, uint32_t count)
{
    write_u32(b, count);
    for (uint32_t i = 0; i < count; i++) {
        write_text(b, params[i].name);
        write_text(b, params[i].value);
    }
}

void cluster_params_read(struct reader *in, struct cluster_param **out, uint32_t *count)
{
    *count = read_count(in, CLUSTER_PARAMS_MAX, CLUSTER_PARAM_MIN_SIZE);
    *out = cluster_alloc_array(*count, sizeof **out);
    for (uint32_t i = 0; i < *count; i++) {
        read_text(in, (*out)[i].name, sizeof(*out)[i].name);
        (*out)[i].value = cluster_record_string(in, CLUSTER_PARAM_VALUE_MAX);
    }
}

void cluster_params_release(struct cluster_param *params, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) free(params[i].value);
    free(params);
}
