#include "command/slowlog.h"

#include <stdlib.h>

#include "command/engine.h"

/* Kept as the reply that tells of it, which is the same in both protocols. */
struct slow_command {
    TAILQ_ENTRY(slow_command) next;
    size_t len;
    uint8_t reply[];
};

void command_slowlog_init(struct command_slowlog *l)
{
    *l = (struct command_slowlog){0};
    TAILQ_INIT(&l->newest_first);
}

void command_slowlog_trim(struct command_slowlog *l, size_t max)
{
    while (l->count > max) {
        struct slow_command *oldest = TAILQ_LAST(&l->newest_first, slow_commands);
        TAILQ_REMOVE(&l->newest_first, oldest, next);
        free(oldest);
        l->count--;
    }
}

void command_slowlog_clear(struct command_slowlog *l)
{
    command_slowlog_trim(l, 0);
}

/* ---- an entry ---- */

static void write_argument(struct resp_writer *w, struct bytes argument)
{
    if (argument.len <= SLOWLOG_ARGUMENT_MAX) {
        resp_bulk(w, argument);
        return;
    }
    char tail[64];
    int len = snprintf(tail, sizeof tail, "... (%zu more bytes)", argument.len - SLOWLOG_ARGUMENT_MAX);
    uint8_t *to = resp_bulk_open(w, SLOWLOG_ARGUMENT_MAX + (size_t)len);
    if (!to) return;
    memcpy(to, argument.data, SLOWLOG_ARGUMENT_MAX);
    memcpy(to + SLOWLOG_ARGUMENT_MAX, tail, (size_t)len);
}

static void write_arguments(struct resp_writer *w, const struct command_call *c)
{
    int shown = c->argc <= SLOWLOG_ARGUMENTS_MAX ? c->argc : SLOWLOG_ARGUMENTS_MAX - 1;
    resp_array(w, (size_t)(shown < c->argc ? shown + 1 : shown));
    for (int i = 0; i < shown; i++) write_argument(w, command_shown(c->entry->row, c->argc, c->argv, i));
    if (shown < c->argc) resp_bulk_printf(w, "... (%d more arguments)", c->argc - shown);
}

void command_slowlog_add(struct command_slowlog *l, const struct command_call *c, uint64_t took_us)
{
    struct buffer text;
    buffer_init(&text, 64 << 10);
    struct resp_writer w = {.out = &text, .protocol = 2};
    resp_array(&w, 6);
    resp_integer(&w, (int64_t)l->next_id++);
    resp_integer(&w, c->now_ms / 1000);
    resp_integer(&w, (int64_t)took_us);
    write_arguments(&w, c);
    resp_bulk_text(&w, net_client_address(c->client));
    resp_bulk_text(&w, c->session->name ? c->session->name : "");
    struct slow_command *s = malloc(sizeof *s + text.len);
    if (!s || text.failed) abort();
    s->len = text.len;
    memcpy(s->reply, text.data, text.len);
    buffer_release(&text);
    TAILQ_INSERT_HEAD(&l->newest_first, s, next);
    l->count++;
}

/* ---- the commands ---- */

static void command_slowlog_get(struct command_call *c)
{
    struct command_slowlog *l = &c->engine->slowlog;
    int64_t wanted = 10;
    if (c->argc > 3) {
        command_reply_subcommand_error(c);
        return;
    }
    if (c->argc == 3 && !command_integer_within(c, 2, -1, INT64_MAX, &wanted, "count should be greater than or equal to -1")) return;
    size_t n = wanted < 0 || (uint64_t)wanted > l->count ? l->count : (size_t)wanted;
    resp_array(c->reply, n);
    const struct slow_command *s = TAILQ_FIRST(&l->newest_first);
    for (; n > 0; n--, s = TAILQ_NEXT(s, next)) resp_raw(c->reply, bytes_of(s->reply, s->len));
}

static void command_slowlog_len(struct command_call *c)
{
    resp_integer(c->reply, (int64_t)c->engine->slowlog.count);
}

static void command_slowlog_reset(struct command_call *c)
{
    command_slowlog_clear(&c->engine->slowlog);
    command_reply_ok(c);
}

#define FLAGS (ADMIN | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"GET", -2, FLAGS, NO_KEYS, 0, command_slowlog_get,
     "The last commands that took long, newest first: number, time, microseconds, arguments, client and its name.",
     .syntax = "[count]", .since = "2.2.12", .complexity = "O(N) where N is the number of entries returned",
     .tips = "nondeterministic_output request_policy:all_nodes"},
    {"LEN", 2, FLAGS, NO_KEYS, 0, command_slowlog_len,
     "How many commands the slow log holds.",
     .since = "2.2.12", .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:agg_sum"},
    {"RESET", 2, FLAGS, NO_KEYS, 0, command_slowlog_reset,
     "Empties the slow log.",
     .since = "2.2.12", .complexity = "O(N) where N is the number of entries in the slowlog",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "6.2.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_slowlog_rows[] = {
    {"SLOWLOG", -2, 0, NO_KEYS, 0, NULL,
     "Commands that took long.",
     .since = "2.2.12", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
