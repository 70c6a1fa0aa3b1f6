#include "tool/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool/call.h"
#include "tool/print.h"

#define LINE_MAX_BYTES 4096

void progress_begin(struct progress *p, bool silent)
{
    *p = (struct progress){.silent = silent, .terminal = isatty(STDOUT_FILENO), .seen = json_object()};
}

static void print_line(const char *text, int width)
{
    struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    print_clean(&line, text, strnlen(text, LINE_MAX_BYTES / 2));
    size_t len = 0;
    for (int shown = 0; len < line.len; len++) {
        shown += (line.data[len] & 0xc0) != 0x80;
        if (shown > width) break;
    }
    printf("%.*s\n", (int)len, (const char *)line.data);
    buffer_release(&line);
}

static const char *step_text(const json_t *status, size_t i)
{
    const char *text = json_string_value(json_array_get(json_object_get(status, "steps"), i));
    return text ? text : "";
}

static size_t step_count(const json_t *status)
{
    return json_array_size(json_object_get(status, "steps"));
}

static const char *state_of(const json_t *status)
{
    return json_is_true(json_object_get(status, "paused")) ? "paused" : call_text(status, "status");
}

/* ---- a terminal ---- */

static void erase(struct progress *p)
{
    if (p->drawn) printf("\033[%dA\033[J", p->drawn);
    p->drawn = 0;
}

static void draw(struct progress *p, const json_t *status)
{
    struct winsize size = {.ws_col = 80, .ws_row = 24};
    char line[LINE_MAX_BYTES];
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    int width = size.ws_col > 8 ? size.ws_col - 1 : 79, rows = size.ws_row > 8 ? size.ws_row - 4 : 20;
    size_t count = step_count(status), from = count > (size_t)rows ? count - (size_t)rows : 0;
    erase(p);
    snprintf(line, sizeof line, "run %" PRId64 " of %s: %s, round %" PRId64 ", steps done %" PRId64,
             call_integer(status, "run"), call_text(status, "script"), state_of(status), call_integer(status, "round"),
             call_integer(status, "steps_done"));
    print_line(line, width);
    for (size_t i = from; i < count; i++) {
        snprintf(line, sizeof line, "  %s", step_text(status, i));
        print_line(line, width);
    }
    p->drawn = 1 + (int)(count - from);
    if (*call_text(status, "waiting_for")) {
        snprintf(line, sizeof line, "waiting for: %s", call_text(status, "waiting_for"));
        print_line(line, width);
        p->drawn++;
    }
}

/* ---- a pipe or a file ---- */

/* That it stands still: nothing else would say so. */
static void tell_of_pause(struct progress *p, const json_t *status)
{
    bool paused = json_is_true(json_object_get(status, "paused"));
    if (paused && !p->paused)
        printf("paused: 'aikv script resume %" PRId64 "' lets it go on\n", call_integer(status, "run"));
    p->paused = paused;
}

/* Steps that have not begun are not told of. */
static void tell(struct progress *p, const json_t *status)
{
    for (size_t i = 0; i < step_count(status); i++) {
        const char *text = step_text(status, i);
        char step[32];
        snprintf(step, sizeof step, "%.*s", (int)strcspn(text, " "), text);
        bool pending = strncmp(text + strcspn(text, " "), " pending ", 9) == 0;
        if (pending || strcmp(call_text(p->seen, step), text) == 0) continue;
        json_object_set_new(p->seen, step, json_string(text));
        print_line(text, LINE_MAX_BYTES);
    }
    tell_of_pause(p, status);
}

void progress_show(struct progress *p, const json_t *status)
{
    if (p->silent || json_equal(p->last, status)) return;
    json_decref(p->last);
    p->last = json_deep_copy(status);
    p->terminal ? draw(p, status) : tell(p, status);
    fflush(stdout);
}

/* ---- the end ---- */

static void print_score(const json_t *status)
{
    const json_t *before = json_object_get(status, "score_before"), *after = json_object_get(status, "score_after");
    if (json_is_number(before) && json_is_number(after))
        printf("; score %.10g -> %.10g", json_number_value(before), json_number_value(after));
}

static void print_outcome(const json_t *status)
{
    int64_t took_ms = call_integer(status, "ended_ms") - call_integer(status, "started_ms"),
            moved = call_integer(status, "slots_moved");
    printf("run %" PRId64 " of %s@%s: %s; steps %" PRId64 ", rounds %" PRId64, call_integer(status, "run"),
           call_text(status, "script"), call_text(status, "version"), state_of(status),
           call_integer(status, "steps_done"), call_integer(status, "round"));
    if (moved) printf(", slots moved %" PRId64, moved);
    if (call_integer(status, "ended_ms")) printf("; %.1f s", (double)took_ms / 1000);
    print_score(status);
    putchar('\n');
    if (*call_text(status, "error")) print_line(call_text(status, "error"), LINE_MAX_BYTES);
    if (*call_text(status, "why")) print_line(call_text(status, "why"), LINE_MAX_BYTES);
}

void progress_end(struct progress *p, const json_t *status)
{
    if (status && !p->silent) {
        progress_show(p, status);
        print_outcome(status);
    }
    json_decref(p->seen);
    json_decref(p->last);
    p->seen = p->last = NULL;
}
