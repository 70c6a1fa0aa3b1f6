/* A dry run as a reply: to people, who read lines, and to programs. */
#include <math.h>

#include "resp/write.h"
#include "script/dry_run.h"
#include "script/view.h"

static void put_text(struct resp_writer *w, const char *name, const char *value)
{
    resp_bulk_text(w, name);
    resp_bulk_text(w, value);
}

static void put_integer(struct resp_writer *w, const char *name, int64_t value)
{
    resp_bulk_text(w, name);
    resp_integer(w, value);
}

static void put_shard(struct resp_writer *w, const char *name, uint32_t number)
{
    char text[VIEW_SHARD_NAME_MAX];
    view_shard_name(number, text);
    put_text(w, name, text);
}

static void put_double(struct resp_writer *w, const char *name, double value)
{
    resp_bulk_text(w, name);
    if (isnan(value))
        resp_null(w);
    else
        resp_double(w, value);
}

/* ---- steps ---- */

static void put_slots(struct resp_writer *w, const struct cluster_ranges *slots)
{
    resp_bulk_text(w, "slots");
    resp_array(w, slots->count);
    for (size_t i = 0; i < slots->count; i++) {
        resp_array(w, 2);
        resp_integer(w, slots->list[i].from);
        resp_integer(w, slots->list[i].to);
    }
}

/* The fields of the op, as a policy writes them. */
static void put_fields(struct resp_writer *w, const struct cluster_step *s)
{
    const unsigned has = cluster_op_info(s->op)->fields;
    if (has & CLUSTER_FIELD_NODE) put_text(w, "node", s->node);
    if (has & CLUSTER_FIELD_SHARD) put_shard(w, "shard", s->shard);
    if (has & CLUSTER_FIELD_FROM) put_shard(w, "from", s->shard);
    if (has & CLUSTER_FIELD_TO) put_shard(w, "to", s->to);
    if (has & CLUSTER_FIELD_SLOTS) put_slots(w, &s->slots);
    if (has & CLUSTER_FIELD_MS) put_integer(w, "ms", s->ms);
    if (has & CLUSTER_FIELD_KEY) put_text(w, "key", cluster_setting_info(s->key)->name);
    if (has & CLUSTER_FIELD_VALUE) put_integer(w, "value", s->value);
    if (has & CLUSTER_FIELD_LABELS) put_text(w, "labels", s->labels);
    if (!(has & CLUSTER_FIELD_ON)) return;
    resp_bulk_text(w, "on");
    resp_bool(w, s->on);
}

static void write_step(struct resp_writer *w, const struct script_dry_step *s)
{
    const struct cluster_op_info *op = cluster_op_info(s->step.op);
    resp_map(w, (size_t)__builtin_popcount(op->fields) + 4);
    put_text(w, "becomes", s->becomes);
    put_text(w, "op", op->name);
    put_fields(w, &s->step);
    put_text(w, "why", s->step.why);
    put_text(w, "error", s->error);
}

static void write_rounds(const struct script_dry_result *r, bool data, struct resp_writer *w)
{
    resp_bulk_text(w, "rounds");
    resp_array(w, r->round_count);
    for (uint32_t i = 0; i < r->round_count; i++) {
        resp_array(w, r->rounds[i].count);
        for (uint32_t k = 0; k < r->rounds[i].count; k++) {
            const struct script_dry_step *step = &r->rounds[i].steps[k];
            data ? write_step(w, step) : resp_bulk_text(w, step->line);
        }
    }
}

/* ---- shards ---- */

static void put_totals(struct resp_writer *w, const char *name, const struct shard_totals *t)
{
    resp_bulk_text(w, name);
    resp_map(w, 4);
    put_integer(w, "slots", (int64_t)t->slot_count);
    put_integer(w, "keys", (int64_t)t->keys);
    put_integer(w, "bytes", (int64_t)t->bytes);
    put_double(w, "ops", (double)t->milliops / 1000);
}

static void write_shards(const struct script_dry_result *r, struct resp_writer *w)
{
    resp_bulk_text(w, "shards");
    resp_array(w, r->shard_count);
    for (uint32_t i = 0; i < r->shard_count; i++) {
        resp_map(w, 3);
        put_shard(w, "shard", r->shards[i].number);
        put_totals(w, "before", &r->shards[i].before);
        put_totals(w, "after", &r->shards[i].after);
    }
}

void script_dry_run_write(const struct script_dry_result *r, bool data, const char *note, struct resp_writer *w)
{
    resp_map(w, 12);
    put_text(w, "script", r->script);
    put_text(w, "version", r->version);
    put_text(w, "outcome", script_outcome_name(r->outcome));
    put_text(w, "error", r->error);
    put_text(w, "why", r->why);
    write_rounds(r, data, w);
    put_integer(w, "steps_left_out", r->steps_left_out);
    put_double(w, "score_before", r->score_before);
    put_double(w, "score_after", r->score_after);
    put_integer(w, "slots_moved", r->slots_moved);
    write_shards(r, w);
    resp_bulk_text(w, "note");
    resp_bulk_printf(w, "%s%s%s", r->moves_slots ? SCRIPT_MOVES_NOTE : "", r->moves_slots && *note ? "; " : "", note);
}
