#include "script/dry_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define SLICE_MS 100

struct script_dry_run {
    struct cluster_state *state;
    struct cluster_live live;
    uint64_t run, time_ms, deadline_ms;
    struct script_steps steps;   /* of the round under way */
    uint32_t next;               /* of them */
    struct shard_totals *totals; /* of the state as it was, by shard; `numbers` of them */
    uint32_t *numbers, number_count;
    struct buffer encoded;
    struct script_dry_result result;
};

const char *script_outcome_name(enum script_outcome outcome)
{
    static const char *const names[] = {"", "done", "waits", "refused", "circles", "error"};
    return names[outcome];
}

static void *resize(void *old, size_t count, size_t size)
{
    void *p = reallocarray(old, count, size);
    if (!p) abort();
    return p;
}

/* ---- the copy ---- */

static int apply(struct script_dry_run *d, const struct cluster_command *c, struct error *e)
{
    struct cluster_result result;
    buffer_clear(&d->encoded);
    cluster_command_encode(c, &d->encoded);
    if (d->encoded.failed)
        return error_set(e, ERROR_LIMIT, "%s is larger than %zu bytes", cluster_command_name(c->type), d->encoded.max);
    cluster_apply(d->state, buffer_bytes(&d->encoded), &result);
    *e = result.error;
    return e->code;
}

static const struct cluster_run *run_of(const struct script_dry_run *d)
{
    return cluster_run_find(d->state, d->run);
}

/* A leader that votes no more hands over to one that does. */
static void elect(struct script_dry_run *d)
{
    const struct cluster_node *leader = cluster_node_find(d->state, d->live.leader);
    if (leader && leader->up && leader->role == CLUSTER_ROLE_VOTER) return;
    d->live.leader[0] = 0;
    for (uint32_t i = 0; i < d->state->node_count && !d->live.leader[0]; i++) {
        const struct cluster_node *n = &d->state->nodes[i];
        if (n->up && n->role == CLUSTER_ROLE_VOTER) memcpy(d->live.leader, n->info.id, sizeof d->live.leader);
    }
}

static struct cluster_live_node live_node(const struct script_dry_run *d, const struct cluster_node *n)
{
    const struct cluster_live_node *known = cluster_live_find(&d->live, n->info.id);
    struct cluster_live_node l = known ? *known : (struct cluster_live_node){0};
    memcpy(l.id, n->info.id, sizeof l.id);
    l.role = n->role;
    if (n->up) l.metadata_version = d->state->version;
    return l;
}

/* What the leader would see now that the steps of a round have had their effect. */
static void look(struct script_dry_run *d)
{
    struct cluster_live *live = &d->live;
    struct cluster_live_node *nodes = resize(NULL, d->state->node_count + 1u, sizeof *nodes);
    for (uint32_t i = 0; i < d->state->node_count; i++) nodes[i] = live_node(d, &d->state->nodes[i]);
    free(live->nodes);
    live->nodes = nodes;
    live->node_count = d->state->node_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < live->candidate_count; i++)
        if (!cluster_node_find(d->state, live->candidates[i].id)) live->candidates[kept++] = live->candidates[i];
    live->candidate_count = kept;
    elect(d);
}

/* ---- what came out ---- */

__attribute__((format(printf, 3, 4))) static void end(struct script_dry_run *d, enum script_outcome outcome,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->result.error, sizeof d->result.error, format, args);
    va_end(args);
    d->result.outcome = outcome;
}

static const struct cluster_node_info *info_of(const struct script_dry_run *d, const char *id)
{
    const struct cluster_node *n = cluster_node_find(d->state, id);
    if (n) return &n->info;
    for (uint32_t i = 0; i < d->live.candidate_count; i++)
        if (strcmp(d->live.candidates[i].id, id) == 0) return &d->live.candidates[i];
    return NULL;
}

/* "promote 3f07ab12 [5 aikv5]", of the cluster as it is before the step. */
static void describe(const struct script_dry_run *d, const struct cluster_step *step, struct buffer *out)
{
    char what[400];
    cluster_step_text(step, what, sizeof what);
    cluster_step_label(what, step->node[0] ? info_of(d, step->node) : NULL, out);
}

static void begin_round_lines(struct script_dry_run *d)
{
    struct script_dry_result *r = &d->result;
    r->rounds = resize(r->rounds, r->round_count + 1u, sizeof *r->rounds);
    r->rounds[r->round_count++] = (struct script_dry_round){0};
}

static char *line_of(const struct script_dry_run *d, const char *becomes, const struct buffer *label, const char *error)
{
    const char *why = d->steps.list[d->next].why;
    struct buffer b;
    buffer_init(&b, 4096);
    buffer_printf(&b, "%u.%u %s %.*s", d->result.round_count, d->next + 1, becomes, (int)label->len,
                  (const char *)label->data);
    if (why[0]) buffer_printf(&b, " (%s)", why);
    if (error[0]) buffer_printf(&b, ": %s", error);
    buffer_append(&b, "", 1);
    if (b.failed) abort(); /* of memory: every part of it is bounded below that */
    size_t len;
    return (char *)buffer_detach(&b, &len);
}

/* Keeps the step that is next; `label` is what `describe` gave, `error` "" for none. */
static void add_step(struct script_dry_run *d, const char *becomes, const struct buffer *label, const char *error)
{
    struct script_dry_result *r = &d->result;
    const struct cluster_step *step = &d->steps.list[d->next];
    if (r->steps == SCRIPT_DRY_RUN_STEPS_MAX || r->ranges + step->slots.count > SCRIPT_DRY_RUN_RANGES_MAX) {
        r->steps_left_out++;
        return;
    }
    struct script_dry_round *round = &r->rounds[r->round_count - 1];
    round->steps = resize(round->steps, round->count + 1u, sizeof *round->steps);
    struct script_dry_step *kept = &round->steps[round->count++];
    *kept = (struct script_dry_step){
        .becomes = becomes, .line = line_of(d, becomes, label, error), .error = strdup(error)};
    if (!kept->error || cluster_step_copy(&kept->step, step) != 0) abort();
    r->steps++;
    r->ranges += step->slots.count;
}

/* ---- shards, before and after ---- */

static void note_totals(struct script_dry_run *d)
{
    const struct cluster_state *s = d->state;
    d->totals = resize(NULL, s->shard_count + 1u, sizeof *d->totals);
    d->numbers = resize(NULL, s->shard_count + 1u, sizeof *d->numbers);
    d->number_count = s->shard_count + 1u;
    shard_totals(s, d->live.load, d->totals);
    d->numbers[0] = 0;
    for (uint32_t i = 0; i < s->shard_count; i++) d->numbers[i + 1] = s->shards[i].number;
}

static void add_shard(struct script_dry_run *d, uint32_t number, const struct shard_totals *before,
                      const struct shard_totals *after)
{
    static const struct shard_totals none;
    struct script_dry_result *r = &d->result;
    if (!before) before = &none;
    if (!after) after = &none;
    if (number == 0 || memcmp(before, after, sizeof *before) == 0) return;
    r->shards = resize(r->shards, r->shard_count + 1u, sizeof *r->shards);
    r->shards[r->shard_count++] = (struct script_dry_shard){number, *before, *after};
}

/* Both lists are in the order of numbers, and new ones are last. */
static void compare_totals(struct script_dry_run *d)
{
    const struct cluster_state *s = d->state;
    struct shard_totals *now = resize(NULL, s->shard_count + 1u, sizeof *now);
    shard_totals(s, d->live.load, now);
    uint32_t next = 1;
    for (uint32_t i = 1; i < d->number_count; i++) {
        bool stays = next <= s->shard_count && s->shards[next - 1].number == d->numbers[i];
        add_shard(d, d->numbers[i], &d->totals[i], stays ? &now[next] : NULL);
        next += stays;
    }
    for (; next <= s->shard_count; next++) add_shard(d, s->shards[next - 1].number, NULL, &now[next]);
    free(now);
}

/* ---- steps ---- */

static int carry_out(struct script_dry_run *d, const struct cluster_step *step, struct error *e)
{
    struct cluster_command command;
    int code = cluster_step_command(d->state, d->live.candidates, d->live.candidate_count, step, &command, e);
    if (code == 0 && command.type != CLUSTER_NOTHING) code = apply(d, &command, e);
    if (code == 0 && step->op == CLUSTER_OP_transfer_leader) memcpy(d->live.leader, step->node, sizeof d->live.leader);
    cluster_command_release(&command);
    return code;
}

/* The run has it too: what it completed is how circles are found, and what its policy sees. */
static int record(struct script_dry_run *d, enum cluster_step_status status, struct error *e)
{
    const struct cluster_command command = {.type = CLUSTER_RUN_STEP,
                                            .run = d->run,
                                            .round = d->result.round_count,
                                            .index = d->next,
                                            .step_status = status};
    return apply(d, &command, e);
}

static void drop_rest(struct script_dry_run *d)
{
    struct buffer label;
    buffer_init(&label, 1024);
    while (++d->next < d->steps.count) {
        buffer_clear(&label);
        describe(d, &d->steps.list[d->next], &label);
        add_step(d, "dropped", &label, "");
    }
    buffer_release(&label);
}

static void advance_step(struct script_dry_run *d)
{
    const struct cluster_step *step = &d->steps.list[d->next];
    struct buffer label;
    struct error e = {0};
    buffer_init(&label, 1024);
    describe(d, step, &label);
    d->result.moves_slots |= step->op == CLUSTER_OP_move_slots;
    bool fails = record(d, CLUSTER_STEP_STARTED, &e) != 0 || carry_out(d, step, &e) != 0 ||
                 record(d, CLUSTER_STEP_DONE, &e) != 0;
    add_step(d, fails ? "refused" : step->op == CLUSTER_OP_wait ? "waits" : "planned", &label, fails ? e.text : "");
    if (fails) {
        end(d, SCRIPT_REFUSED, "%u.%u %.*s: %s", d->result.round_count, d->next + 1, (int)label.len,
            (const char *)label.data, e.text);
        drop_rest(d);
    } else {
        d->next++;
        d->result.slots_moved = run_of(d)->slots_moved;
    }
    buffer_release(&label);
}

/* ---- rounds ---- */

static void end_if_circling(struct script_dry_run *d)
{
    for (uint32_t i = 0; i < d->steps.count; i++) {
        const struct cluster_step *step = &d->steps.list[i];
        if (step->op == CLUSTER_OP_wait || cluster_run_completed(run_of(d), step) < CLUSTER_EQUAL_STEPS_MAX) continue;
        struct buffer label;
        buffer_init(&label, 1024);
        describe(d, step, &label);
        end(d, SCRIPT_CIRCLES, "goes in circles: %.*s", (int)label.len, (const char *)label.data);
        buffer_release(&label);
        return;
    }
}

static void end_round(struct script_dry_run *d)
{
    end_if_circling(d);
    if (d->result.outcome != SCRIPT_GOES_ON) return;
    if (cluster_steps_only_wait(d->steps.list, d->steps.count)) {
        const char *why = d->steps.list[0].why;
        if (!d->result.why[0]) snprintf(d->result.why, sizeof d->result.why, "%s", why[0] ? why : "no reason given");
        end(d, SCRIPT_WAITS, "%s", "");
    } else if (d->result.round_count == CLUSTER_ROUNDS_MAX) {
        end(d, SCRIPT_ERROR, "not done after %d rounds", CLUSTER_ROUNDS_MAX);
    }
}

/* Puts the new steps into the run. */
static int begin_round(struct script_dry_run *d, double score, struct error *e)
{
    const struct cluster_command command = {.type = CLUSTER_RUN_ROUND,
                                            .run = d->run,
                                            .round = d->result.round_count + 1,
                                            .steps = d->steps.list,
                                            .step_count = d->steps.count,
                                            .score = score};
    int code = apply(d, &command, e);
    if (code == 0) begin_round_lines(d);
    return code;
}

static bool is_late(const struct script_dry_run *d)
{
    return clock_monotonic_ms() >= d->deadline_ms;
}

/* The limits of a call, and what is left of the whole time. */
static struct script_limits limit(const struct script_dry_run *d, const struct script_limits *limits)
{
    struct script_limits l = limits ? *limits : script_limits_default;
    uint64_t now = clock_monotonic_ms(), left = now < d->deadline_ms ? d->deadline_ms - now : 1;
    if (l.time_ms > left) l.time_ms = left;
    return l;
}

static void plan(struct script_dry_run *d, const struct script_limits *limits)
{
    const struct cluster_run *run = run_of(d);
    const struct script_source source = {run->script, run->version, bytes_of(run->source, run->source_len)};
    const struct script_limits within = limit(d, limits);
    struct script_dry_result *r = &d->result;
    double score = NAN;
    struct error e;
    script_steps_release(&d->steps);
    d->next = 0;
    look(d);
    const struct script_world world = {d->state, &d->live, run};
    int code = script_plan(&source, run->params, run->param_count, &world, &within, &d->steps, &score, &e);
    if (code == 0) r->score_after = score;
    if (code == 0) memcpy(r->why, d->steps.why, sizeof r->why);
    if (code == 0 && r->round_count == 0) r->score_before = score;
    if (code == 0 && d->steps.count == 0)
        end(d, SCRIPT_DONE, "%s", "");
    else if (code != 0 || begin_round(d, score, &e) != 0)
        end(d, SCRIPT_ERROR, "%s", e.text);
}

static void advance(struct script_dry_run *d, const struct script_limits *limits)
{
    if (d->next == d->steps.count) {
        plan(d, limits);
        return;
    }
    const uint64_t until_ms = clock_monotonic_ms() + SLICE_MS;
    while (d->result.outcome == SCRIPT_GOES_ON && d->next < d->steps.count && clock_monotonic_ms() < until_ms)
        advance_step(d);
    if (d->result.outcome == SCRIPT_GOES_ON && d->next == d->steps.count) end_round(d);
}

bool script_dry_run_advance(struct script_dry_run *d, const struct script_limits *limits)
{
    struct script_dry_result *r = &d->result;
    if (r->outcome == SCRIPT_GOES_ON && !is_late(d)) advance(d, limits);
    /* A script that met the time left would speak of its own limit. */
    bool is_cut = r->outcome == SCRIPT_GOES_ON || r->outcome == SCRIPT_ERROR;
    if (is_cut && is_late(d))
        end(d, SCRIPT_ERROR, "planning takes more than %" PRIu64 " ms: ended in round %u", d->time_ms,
            r->round_count + (d->next == d->steps.count));
    if (r->outcome == SCRIPT_GOES_ON) return true;
    compare_totals(d);
    return false;
}

/* ---- life ---- */

static void start_run(struct script_dry_run *d, const struct script_source *source, const struct cluster_param *params,
                      uint32_t param_count)
{
    struct cluster_command c = {.type = CLUSTER_RUN_START,
                                .source = (char *)source->text.data, /* only encoded */
                                .source_len = source->text.len,
                                .params = (struct cluster_param *)params,
                                .param_count = param_count};
    snprintf(c.name, sizeof c.name, "%s", source->name);
    snprintf(c.version, sizeof c.version, "%s", source->version);
    struct error e;
    d->run = d->state->next_run;
    if (apply(d, &c, &e) != 0) end(d, SCRIPT_ERROR, "%s", e.text);
}

struct script_dry_run *script_dry_run_new(const struct script_source *source, const struct cluster_param *params,
                                          uint32_t param_count, struct cluster_state *state, struct cluster_live *live,
                                          uint64_t time_ms)
{
    struct script_dry_run *d = resize(NULL, 1, sizeof *d);
    *d = (struct script_dry_run){
        .state = state, .live = *live, .time_ms = time_ms, .deadline_ms = clock_monotonic_ms() + time_ms};
    *live = (struct cluster_live){0};
    d->result.score_before = d->result.score_after = NAN;
    snprintf(d->result.script, sizeof d->result.script, "%s", source->name);
    snprintf(d->result.version, sizeof d->result.version, "%s", source->version);
    buffer_init(&d->encoded, CLUSTER_ENCODED_MAX);
    note_totals(d);
    start_run(d, source, params, param_count);
    return d;
}

void script_dry_run_free(struct script_dry_run *d)
{
    if (!d) return;
    for (uint32_t i = 0; i < d->result.round_count; i++) {
        struct script_dry_round *round = &d->result.rounds[i];
        for (uint32_t k = 0; k < round->count; k++) {
            cluster_step_release(&round->steps[k].step);
            free(round->steps[k].line);
            free(round->steps[k].error);
        }
        free(round->steps);
    }
    free(d->result.rounds);
    free(d->result.shards);
    free(d->totals);
    free(d->numbers);
    script_steps_release(&d->steps);
    buffer_release(&d->encoded);
    cluster_state_free(d->state);
    cluster_live_release(&d->live);
    free(d);
}

const struct script_dry_result *script_dry_run_result(const struct script_dry_run *d)
{
    return &d->result;
}
