#include "control/step_log.h"

#include <stdio.h>
#include <stdlib.h>

void step_log_release(struct step_log *l)
{
    free(l->lines);
    *l = (struct step_log){0};
}

uint32_t step_log_count(const struct step_log *l)
{
    return l->count;
}

static struct step_log_line *at(const struct step_log *l, uint32_t i)
{
    return &l->lines[(l->oldest + i) % l->room];
}

const struct step_log_line *step_log_at(const struct step_log *l, uint32_t i)
{
    return at(l, i);
}

static int compare_lines(const void *a, const void *b)
{
    const struct step_log_line *x = *(const struct step_log_line *const *)a;
    const struct step_log_line *y = *(const struct step_log_line *const *)b;
    if (x->round != y->round) return x->round < y->round ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

uint32_t step_log_of_run(const struct step_log *l, uint64_t run, const struct step_log_line *out[STEP_LOG_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->count; i++)
        if (at(l, i)->run == run) out[count++] = at(l, i);
    if (count > 0) qsort(out, count, sizeof *out, compare_lines);
    return count;
}

/* Room for one more line; the oldest gives way when there are STEP_LOG_MAX. It grows only before it becomes a ring. */
static struct step_log_line *append(struct step_log *l)
{
    if (l->count == STEP_LOG_MAX) {
        l->oldest = (l->oldest + 1) % l->room;
        l->count--;
    } else if (l->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 64;
        if (room > STEP_LOG_MAX) room = STEP_LOG_MAX;
        struct step_log_line *lines = realloc(l->lines, room * sizeof *lines);
        if (!lines) abort();
        l->lines = lines;
        l->room = room;
    }
    struct step_log_line *line = at(l, l->count++);
    *line = (struct step_log_line){0};
    return line;
}

static void add_step(struct step_log *l, uint64_t run, uint32_t round, uint32_t index, const struct cluster_step *step)
{
    struct step_log_line *line = append(l);
    line->run = run;
    line->round = round;
    line->index = index;
    cluster_step_text(step, line->what, sizeof line->what);
    snprintf(line->why, sizeof line->why, "%s", step->why);
    snprintf(line->node, sizeof line->node, "%s", step->node);
}

static struct step_log_line *find(struct step_log *l, uint64_t run, uint32_t round, uint32_t index)
{
    for (uint32_t i = l->count; i-- > 0;) {
        struct step_log_line *line = at(l, i);
        if (line->run == run && line->round == round && line->index == index) return line;
    }
    return NULL;
}

/* Its outcome comes too late: the run has ended. */
static void cut(struct step_log_line *line)
{
    if (line->status == CLUSTER_STEP_STARTED && !line->error[0])
        snprintf(line->error, sizeof line->error, "the run ended before this step had an outcome");
}

/* A run goes on to `round`, or ends: what has not begun in those before it never will. The log may hold later rounds
 * already: of a member that learns late, from libraft, how the run began. */
static void drop_pending(struct step_log *l, uint64_t run, uint32_t round)
{
    for (uint32_t i = 0; i < l->count; i++) {
        struct step_log_line *line = at(l, i);
        if (line->run != run || line->round >= round) continue;
        if (line->status == CLUSTER_STEP_PENDING) line->dropped = true;
        if (round == UINT32_MAX) cut(line);
    }
}

void step_log_applied(struct step_log *l, struct bytes command)
{
    uint8_t type = command.len > 1 ? command.data[1] : CLUSTER_NOTHING; /* format · type */
    if (type != CLUSTER_RUN_ROUND && type != CLUSTER_RUN_STEP && type != CLUSTER_RUN_END) return;
    struct cluster_command c;
    struct error e;
    if (cluster_command_decode(command, &c, &e) != 0) return;
    bool is_known = c.type == CLUSTER_RUN_ROUND && find(l, c.run, c.round, 0);
    if (c.type == CLUSTER_RUN_END || (c.type == CLUSTER_RUN_ROUND && !is_known))
        drop_pending(l, c.run, c.type == CLUSTER_RUN_END ? UINT32_MAX : c.round);
    for (uint32_t i = 0; c.type == CLUSTER_RUN_ROUND && !is_known && i < c.step_count; i++)
        add_step(l, c.run, c.round, i, &c.steps[i]);
    struct step_log_line *line = c.type == CLUSTER_RUN_STEP ? find(l, c.run, c.round, c.index) : NULL;
    /* What is told a second time, and late, takes nothing back. */
    if (line && line->status < CLUSTER_STEP_DONE && c.step_status > line->status) {
        line->status = c.step_status;
        snprintf(line->error, sizeof line->error, "%.*s", (int)sizeof line->error - 1, c.text);
    }
    cluster_command_release(&c);
}

void step_log_seed(struct step_log *l, const struct cluster_state *s)
{
    for (uint32_t i = 0; i < s->run_count; i++) {
        const struct cluster_run *run = &s->runs[i];
        if (run->step_count == 0 || find(l, run->id, run->round, 0)) continue;
        for (uint32_t k = 0; k < run->step_count; k++) {
            add_step(l, run->id, run->round, k, &run->steps[k].step);
            struct step_log_line *line = at(l, l->count - 1);
            line->status = run->steps[k].status;
            line->dropped = run->status != CLUSTER_RUN_RUNNING && line->status == CLUSTER_STEP_PENDING;
            memcpy(line->error, run->steps[k].error, sizeof line->error);
            if (run->status != CLUSTER_RUN_RUNNING) cut(line);
        }
    }
}

void step_log_text(const struct step_log_line *line, const struct cluster_node_info *n, struct buffer *out)
{
    const char *status = line->dropped ? "dropped" : cluster_step_status_name(line->status);
    buffer_printf(out, "%u.%u %s ", line->round, line->index + 1, status);
    cluster_step_label(line->what, n, out);
    if (line->why[0]) buffer_printf(out, " (%s)", line->why);
    if (line->error[0]) buffer_printf(out, ": %s", line->error);
}
