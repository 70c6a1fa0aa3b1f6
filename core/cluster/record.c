#include "record.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "text.h"

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

#define NO_SCORE UINT64_C(0x7ff8000000000000)

void cluster_record_write_score(struct buffer *b, double score)
{
    uint64_t bits = NO_SCORE;
    if (!isnan(score)) memcpy(&bits, &score, sizeof bits);
    write_u64(b, bits);
}

double cluster_record_score(struct reader *in)
{
    double score;
    uint64_t bits = read_u64(in);
    memcpy(&score, &bits, sizeof score);
    if (isnan(score) && bits != NO_SCORE) in->failed = true;
    return in->failed ? NAN : score;
}

size_t cluster_record_take_size(struct buffer *b)
{
    cluster_alloc_require(b->failed ? ERROR_OOM : 0);
    size_t size = b->len;
    buffer_clear(b);
    return size;
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

void cluster_trigger_write(struct buffer *b, const struct cluster_trigger *t)
{
    write_text(b, t->name);
    write_text(b, t->script);
    write_u8(b, (uint8_t)t->event);
    write_u32(b, t->every_s);
    write_u32(b, t->cooldown_s);
    cluster_params_write(b, t->params, t->param_count);
    write_u64(b, t->last_run);
    write_u64(b, (uint64_t)t->fired_ms);
}

void cluster_trigger_read(struct reader *in, struct cluster_trigger *out)
{
    read_text(in, out->name, sizeof out->name);
    read_text(in, out->script, sizeof out->script);
    out->event = (enum cluster_event)cluster_record_enum(in, CLUSTER_EVENTS);
    out->every_s = read_u32(in);
    out->cooldown_s = read_u32(in);
    cluster_params_read(in, &out->params, &out->param_count);
    out->last_run = read_u64(in);
    out->fired_ms = (int64_t)read_u64(in);
}

int cluster_trigger_check(const struct cluster_trigger *t, struct error *e)
{
    if (!cluster_text_is_word(t->name) || !cluster_text_is_word(t->script))
        return error_set(e, ERROR_FORMAT, "the names of a trigger and its script must be printable, without blanks, and not empty");
    if (t->event >= CLUSTER_EVENTS) return error_set(e, ERROR_FORMAT, "trigger %s has an unknown event", t->name);
    if (t->event != CLUSTER_EVENT_SCHEDULE && t->every_s)
        return error_set(e, ERROR_FORMAT, "trigger %s comes on %s: not every %u s too", t->name, cluster_event_name(t->event), t->every_s);
    if (t->event == CLUSTER_EVENT_SCHEDULE && (t->every_s == 0 || t->every_s > CLUSTER_EVERY_MAX_S))
        return error_set(e, ERROR_FORMAT, "trigger %s must come every 1 to %u s, not %u", t->name, CLUSTER_EVERY_MAX_S, t->every_s);
    if (t->cooldown_s > CLUSTER_COOLDOWN_MAX_S)
        return error_set(e, ERROR_FORMAT, "trigger %s has a cool-down of %u s; at most %u", t->name, t->cooldown_s, CLUSTER_COOLDOWN_MAX_S);
    for (uint32_t i = 0; i < t->param_count; i++)
        if (!cluster_text_is_word(t->params[i].name))
            return error_set(e, ERROR_FORMAT, "trigger %s has a malformed parameter", t->name);
    return 0;
}
