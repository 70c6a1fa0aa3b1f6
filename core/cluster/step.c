#include "cluster/step.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "alloc.h"
#include "cluster/state.h"
#include "record.h"
#include "text.h"

static const struct cluster_op_info ops[CLUSTER_OPS] = {
#define STEP(name, fields, touches, doc) [CLUSTER_OP_##name] = {#name, fields, touches, doc},
#include "cluster/step.def"
#undef STEP
};

const struct cluster_op_info *cluster_op_info(enum cluster_op op)
{
    assert(op < CLUSTER_OPS);
    return &ops[op];
}

enum cluster_op cluster_op_find(struct bytes name)
{
    for (enum cluster_op op = 0; op < CLUSTER_OPS; op++)
        if (bytes_equal(name, bytes_text(ops[op].name))) return op;
    return CLUSTER_OPS;
}

void cluster_step_release(struct cluster_step *s)
{
    cluster_ranges_release(&s->slots);
    *s = (struct cluster_step){0};
}

int cluster_step_copy(struct cluster_step *out, const struct cluster_step *from)
{
    *out = *from;
    return cluster_ranges_copy(&out->slots, &from->slots);
}

/* Only the fields its op has: so equal steps have equal bytes, whatever else a caller left in the struct. */
static void write_fields(struct buffer *b, const struct cluster_step *s)
{
    unsigned fields = cluster_op_info(s->op)->fields;
    write_u8(b, (uint8_t)s->op);
    if (fields & CLUSTER_FIELD_NODE) write_text(b, s->node);
    if (fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) write_u32(b, s->shard);
    if (fields & CLUSTER_FIELD_TO) write_u32(b, s->to);
    if (fields & CLUSTER_FIELD_SLOTS) cluster_ranges_write(b, &s->slots);
    if (fields & CLUSTER_FIELD_MS) write_u32(b, s->ms);
    if (fields & CLUSTER_FIELD_KEY) write_u8(b, (uint8_t)s->key);
    if (fields & CLUSTER_FIELD_VALUE) write_u64(b, (uint64_t)s->value);
    if (fields & CLUSTER_FIELD_ON) write_u8(b, s->on);
    if (fields & CLUSTER_FIELD_LABELS) write_text(b, s->labels);
}

void cluster_step_write(struct buffer *b, const struct cluster_step *s)
{
    write_fields(b, s);
    write_text(b, s->why);
}

static int read_slots(struct reader *in, struct cluster_step *out, unsigned fields, struct error *e)
{
    if (!(fields & CLUSTER_FIELD_SLOTS)) return 0;
    return cluster_ranges_read(in, &out->slots, e);
}

/* What its type does not say of a field yet. */
static int check_step(const struct cluster_step *s, const struct cluster_op_info *op, struct error *e)
{
    struct error why;
    if ((op->fields & CLUSTER_FIELD_NODE) && !cluster_text_is_hex(s->node, CLUSTER_ID_LEN))
        return error_set(e, ERROR_FORMAT, "step %s: node must be 40 lower-case hex digits", op->name);
    if ((op->fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) && s->shard == 0)
        return error_set(e, ERROR_FORMAT, "step %s: shard is 0", op->name);
    if ((op->fields & CLUSTER_FIELD_TO) && (s->to == 0 || s->to == s->shard))
        return error_set(e, ERROR_FORMAT, "step %s: from s%u to s%u", op->name, s->shard, s->to);
    if (s->ms > CLUSTER_WAIT_MAX_MS)
        return error_set(e, ERROR_FORMAT, "step %s: %u ms; at most %d", op->name, s->ms, CLUSTER_WAIT_MAX_MS);
    if ((op->fields & CLUSTER_FIELD_KEY) && cluster_setting_check(s->key, s->value, &why) != 0)
        return error_set(e, ERROR_FORMAT, "step %s: %s", op->name, why.text);
    if (!cluster_text_is_line(s->labels)) return error_set(e, ERROR_FORMAT, "step %s: labels holds a control character", op->name);
    if (!cluster_text_is_line(s->why)) return error_set(e, ERROR_FORMAT, "step %s: why holds a control character", op->name);
    return 0;
}

static int read_fields(struct reader *in, struct cluster_step *out, struct error *e)
{
    const struct cluster_op_info *op = cluster_op_info(out->op);
    if (op->fields & CLUSTER_FIELD_NODE) read_text(in, out->node, sizeof out->node);
    if (op->fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) out->shard = read_u32(in);
    if (op->fields & CLUSTER_FIELD_TO) out->to = read_u32(in);
    int code = read_slots(in, out, op->fields, e);
    if (code != 0) return code;
    if (op->fields & CLUSTER_FIELD_MS) out->ms = read_u32(in);
    if (op->fields & CLUSTER_FIELD_KEY) out->key = (enum cluster_setting)cluster_record_enum(in, CLUSTER_SETTINGS);
    if (op->fields & CLUSTER_FIELD_VALUE) out->value = (int64_t)read_u64(in);
    if (op->fields & CLUSTER_FIELD_ON) out->on = cluster_record_flag(in);
    if (op->fields & CLUSTER_FIELD_LABELS) read_text(in, out->labels, sizeof out->labels);
    read_text(in, out->why, sizeof out->why);
    if (in->failed) return error_set(e, ERROR_FORMAT, "step %s is cut short, or something in it is out of range", op->name);
    return check_step(out, op, e);
}

int cluster_step_read(struct reader *in, struct cluster_step *out, struct error *e)
{
    *out = (struct cluster_step){0};
    uint8_t op = read_u8(in);
    if (in->failed) return error_set(e, ERROR_FORMAT, "step is cut short");
    if (op >= CLUSTER_OPS) return error_set(e, ERROR_FORMAT, "step with op %u, which this version does not know", op);
    out->op = (enum cluster_op)op;
    int code = read_fields(in, out, e);
    if (code != 0) cluster_step_release(out);
    return code;
}

bool cluster_steps_only_wait(const struct cluster_step *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (steps[i].op != CLUSTER_OP_wait) return false;
    return true;
}

uint64_t cluster_step_digest(const struct cluster_step *s)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    write_fields(&b, s);
    cluster_alloc_require(b.failed ? ERROR_OOM : 0);
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < b.len; i++) hash = (hash ^ b.data[i]) * 0x100000001b3u;
    buffer_release(&b);
    return hash;
}

/* Appends to the text at `*at`; what does not fit is cut. */
__attribute__((format(printf, 4, 5))) static void put(char *out, size_t size, size_t *at, const char *format, ...)
{
    const size_t left = *at < size ? size - *at : 0;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(left ? out + *at : NULL, left, format, args);
    va_end(args);
    *at = len < 0 ? size : *at + (size_t)len;
}

static void put_slots(char *out, size_t size, size_t *at, const struct cluster_ranges *slots)
{
    const size_t shown = slots->count > 4 ? 4 : slots->count;
    for (size_t i = 0; i < shown; i++) {
        const struct cluster_range *r = &slots->list[i];
        put(out, size, at, r->from == r->to ? "%s%d" : "%s%d-%d", i ? "," : " ", r->from, r->to);
    }
    size_t total = cluster_ranges_slots(slots);
    put(out, size, at, "%s (%zu slot%s)", shown < slots->count ? "..." : "", total, total == 1 ? "" : "s");
}

void cluster_step_text(const struct cluster_step *s, char *out, size_t size)
{
    const struct cluster_op_info *op = cluster_op_info(s->op);
    size_t at = 0;
    put(out, size, &at, "%s", op->name);
    if (op->fields & CLUSTER_FIELD_NODE) put(out, size, &at, " %.8s", s->node);
    if (op->fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) put(out, size, &at, " s%u", s->shard);
    if (op->fields & CLUSTER_FIELD_TO) put(out, size, &at, " to s%u", s->to);
    if ((op->fields & CLUSTER_FIELD_SLOTS) && s->slots.count) put_slots(out, size, &at, &s->slots);
    if (op->fields & CLUSTER_FIELD_MS) put(out, size, &at, " %u ms", s->ms);
    if (op->fields & CLUSTER_FIELD_KEY) put(out, size, &at, " %s %lld", cluster_setting_info(s->key)->name, (long long)s->value);
    if (op->fields & CLUSTER_FIELD_ON) put(out, size, &at, " %s", s->on ? "on" : "off");
    if (op->fields & CLUSTER_FIELD_LABELS) put(out, size, &at, " '%s'", s->labels);
}

void cluster_step_label(const char *line, const struct cluster_node_info *n, struct buffer *out)
{
    buffer_append_text(out, line);
    if (n && n->alias)
        buffer_printf(out, " [%u %s]", n->alias, n->name);
    else if (n && n->name[0])
        buffer_printf(out, " [%s]", n->name);
}

/* ---- which steps meet ---- */

struct touched {
    unsigned touches;
    const char *node;   /* "" for none */
    uint32_t shards[3]; /* 0 for none */
};

/* Shards that are not there yet count as one: which of them a create_shard makes depends on those before it. */
static uint32_t shard_or_next(const struct cluster_state *s, uint32_t number)
{
    return number < s->next_shard ? number : s->next_shard;
}

static struct touched touched_by(const struct cluster_state *s, const struct cluster_step *step)
{
    struct touched t = {cluster_op_info(step->op)->touches, step->node, {0}};
    const struct cluster_node *n = step->node[0] ? cluster_node_find(s, step->node) : NULL;
    t.shards[0] = shard_or_next(s, step->op == CLUSTER_OP_create_shard ? s->next_shard : step->shard);
    t.shards[1] = shard_or_next(s, step->to);
    t.shards[2] = n ? n->shard : 0;
    return t;
}

static bool share_shard(const struct touched *a, const struct touched *b)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (a->shards[i] && a->shards[i] == b->shards[j]) return true;
    return false;
}

/* A wiped node comes back as another one, under the alias of the one it was: that must have gone before. */
static bool may_take_over_alias(const struct cluster_step *a, const struct cluster_step *b)
{
    return (a->op == CLUSTER_OP_remove_node && b->op == CLUSTER_OP_admit) ||
           (a->op == CLUSTER_OP_admit && b->op == CLUSTER_OP_remove_node);
}

bool cluster_steps_meet(const struct cluster_state *s, const struct cluster_step *a, const struct cluster_step *b)
{
    const struct touched x = touched_by(s, a), y = touched_by(s, b);
    const unsigned both = x.touches & y.touches;
    if (((x.touches | y.touches) & CLUSTER_TOUCH_ALL) || may_take_over_alias(a, b)) return true;
    if (both & (CLUSTER_TOUCH_VOTERS | CLUSTER_TOUCH_SETTINGS)) return true;
    if ((both & CLUSTER_TOUCH_NODE) && strcmp(x.node, y.node) == 0) return true;
    return (both & CLUSTER_TOUCH_SHARD) && share_shard(&x, &y);
}
