/* LOLWUT: something to look at, other each time, and the version. */
#include "base/random.h"
#include "command/call.h"
#include "command/engine.h"

#define COLUMNS 66
#define ROWS    12

/* A maze of slashes, as "10 PRINT" draws it (Montfort et al., MIT Press, 2012). */
static void draw(struct buffer *out)
{
    uint64_t bits = 0;
    for (int i = 0; i < COLUMNS * ROWS; i++) {
        if (i % 64 == 0) random_bytes(&bits, sizeof bits);
        buffer_append_text(out, bits >> (i % 64) & 1 ? "\u2571" : "\u2572");
        if (i % COLUMNS == COLUMNS - 1) buffer_append_text(out, "\n");
    }
}

/* Versions differ in Redis; here they all draw the same. */
static void command_lolwut_lolwut(struct command_call *c)
{
    int64_t version;
    if (c->argc > 2 && command_is(c, 1, "VERSION") && !command_integer(c, 2, &version, NULL)) return;
    struct buffer *out = &c->engine->scratch;
    draw(out);
    buffer_append_text(out, "\nAiKv " AIKV_VERSION ", for clients of Redis ver. " COMMAND_REDIS_VERSION "\n");
    resp_verbatim(c->reply, buffer_bytes(out));
}

const struct command_row command_lolwut_rows[] = {
    {"LOLWUT", -1, READ | FAST, NO_KEYS, 0, command_lolwut_lolwut,
     "Something to look at, and the version.",
     .syntax = "[VERSION version]", .since = "5.0.0", .complexity = "O(1)"},
    {0},
};
