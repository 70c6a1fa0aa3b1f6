/* LCS: the longest common subsequence of two strings.
 *
 * The usual table: best(i, j) is the length for the first i bytes of `a` and the first j of `b`. Only one line of it is
 * kept. The way back through the table needs no more than one bit of each cell: whether leaving out the last byte of
 * `a` is better than leaving out that of `b`. There may be several longest ones; these steps find the one that Redis
 * finds. */
#include "command/call.h"
#include "command/need.h"

struct lcs {
    struct bytes a, b;
    uint32_t *line; /* best(i, 0 … b.len) of the i reached */
    uint8_t *up;    /* a bit a cell: best(i - 1, j) > best(i, j - 1) */
};

struct lcs_options {
    bool index, length, with_lengths;
    int64_t length_min;
};

/* Runs of bytes that follow each other in both strings, from the end: where they begin, and how long they are. */
struct lcs_run {
    size_t a, b, len;
};

static bool parse_options(struct command_call *c, struct lcs_options *out)
{
    for (int i = 3; i < c->argc; i++) {
        if (command_is(c, i, "IDX")) {
            out->index = true;
        } else if (command_is(c, i, "LEN")) {
            out->length = true;
        } else if (command_is(c, i, "WITHMATCHLEN")) {
            out->with_lengths = true;
        } else if (command_is(c, i, "MINMATCHLEN") && i + 1 < c->argc) {
            if (!command_integer(c, ++i, &out->length_min, NULL)) return false;
        } else {
            command_reply_syntax_error(c);
            return false;
        }
    }
    if (!out->index || !out->length) return true;
    resp_error(c->reply, ERROR_SYNTAX, "If you want both the length and indexes, please just use IDX.");
    return false;
}

/* Redis's limit for its table bounds the time: four bytes a cell. */
static bool is_small_enough(struct command_call *c, size_t a_len, size_t b_len)
{
    if (a_len < COMMAND_STRING_MAX && b_len < COMMAND_STRING_MAX &&
        (a_len + 1) * (b_len + 1) <= COMMAND_STRING_MAX / sizeof(uint32_t)) {
        return true;
    }
    resp_error(c->reply, ERROR_LIMIT, "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return false;
}

static size_t cell(const struct lcs *t, size_t i, size_t j)
{
    return (i - 1) * t->b.len + (j - 1);
}

static bool goes_up(const struct lcs *t, size_t i, size_t j)
{
    size_t at = cell(t, i, j);
    return t->up[at / 8] >> at % 8 & 1;
}

static void fill_line(struct lcs *t, size_t i)
{
    uint32_t diagonal = 0; /* best(i - 1, j - 1) */
    for (size_t j = 1; j <= t->b.len; j++) {
        uint32_t above = t->line[j], left = t->line[j - 1];
        if (t->a.data[i - 1] == t->b.data[j - 1]) {
            t->line[j] = diagonal + 1;
        } else if (above > left) {
            size_t at = cell(t, i, j);
            t->up[at / 8] |= (uint8_t)(1u << at % 8);
        } else {
            t->line[j] = left;
        }
        diagonal = above;
    }
}

/* Returns the length. */
static uint32_t fill(struct lcs *t, struct arena *arena)
{
    if (!t->a.len || !t->b.len) return 0;
    size_t line_bytes = (t->b.len + 1) * sizeof *t->line, up_bytes = t->a.len * t->b.len / 8 + 1;
    t->line = memset(arena_alloc(arena, line_bytes), 0, line_bytes);
    t->up = memset(arena_alloc(arena, up_bytes), 0, up_bytes);
    for (size_t i = 1; i <= t->a.len; i++) fill_line(t, i);
    return t->line[t->b.len];
}

/* The next run on the way back from (i, j), which are moved to its beginning; false: there is none. */
static bool next_run(const struct lcs *t, size_t *i, size_t *j, struct lcs_run *out)
{
    while (*i && *j && t->a.data[*i - 1] != t->b.data[*j - 1]) {
        if (goes_up(t, *i, *j)) {
            --*i;
        } else {
            --*j;
        }
    }
    size_t end = *i;
    while (*i && *j && t->a.data[*i - 1] == t->b.data[*j - 1]) --*i, --*j;
    *out = (struct lcs_run){*i, *j, end - *i};
    return out->len;
}

static void reply_subsequence(struct command_call *c, const struct lcs *t, uint32_t length)
{
    uint8_t *text = arena_alloc(c->arena, length);
    size_t i = t->a.len, j = t->b.len, at = length;
    struct lcs_run run;
    while (length && next_run(t, &i, &j, &run)) {
        at -= run.len;
        memcpy(text + at, t->a.data + run.a, run.len);
    }
    resp_bulk(c->reply, bytes_of(text, length));
}

static void reply_range(struct resp_writer *w, size_t start, size_t len)
{
    resp_array(w, 2);
    resp_integer(w, (int64_t)start);
    resp_integer(w, (int64_t)(start + len - 1));
}

static void reply_index(struct command_call *c, const struct lcs *t, uint32_t length, const struct lcs_options *o)
{
    struct resp_writer runs = command_writer_aside(c);
    size_t i = t->a.len, j = t->b.len, count = 0;
    struct lcs_run run;
    while (length && next_run(t, &i, &j, &run)) {
        if ((int64_t)run.len < o->length_min) continue;
        resp_array(&runs, o->with_lengths ? 3 : 2);
        reply_range(&runs, run.a, run.len);
        reply_range(&runs, run.b, run.len);
        if (o->with_lengths) resp_integer(&runs, (int64_t)run.len);
        count++;
    }
    if (runs.out->failed) {
        resp_error(c->reply, ERROR_LIMIT, "the matches do not fit a reply: use MINMATCHLEN");
        return;
    }
    resp_map(c->reply, 2);
    resp_bulk_text(c->reply, "matches");
    resp_array(c->reply, count);
    command_reply_aside(c);
    resp_bulk_text(c->reply, "len");
    resp_integer(c->reply, length);
}

static bool is_string_or_none(const struct keyspace_entry *entry)
{
    return entry->type == KEYSPACE_STRING || entry->type == KEYSPACE_NONE;
}

static void command_lcs_lcs(struct command_call *c)
{
    struct lcs_options o = {0};
    command_read(c, c->argv[1]);
    struct keyspace_entry b = command_read(c, c->argv[2]);
    struct keyspace_entry a = keyspace_find(c->keyspace, c->argv[1]); /* anew: looking for `b` may have ended its life */
    if (!is_string_or_none(&a) || !is_string_or_none(&b)) {
        resp_error(c->reply, ERROR_GENERIC, "The specified keys must contain string values");
        return;
    }
    if (!parse_options(c, &o) || !is_small_enough(c, keyspace_string_len(&a), keyspace_string_len(&b))) return;
    struct lcs t = {.a = keyspace_string_whole(c->keyspace, &a, c->arena), .b = keyspace_string_whole(c->keyspace, &b, c->arena)};
    uint32_t length = fill(&t, c->arena);
    if (o.index) {
        reply_index(c, &t, length, &o);
    } else if (o.length) {
        resp_integer(c->reply, length);
    } else {
        reply_subsequence(c, &t, length);
    }
}

const struct command_row command_lcs_rows[] = {
    {"LCS", -3, READ, KEYS(1, 2, 1, KEY_RO | KEY_ACCESS), ACL_STRING, command_lcs_lcs,
     "The longest common subsequence of two strings: itself, its length, or where it is in both.",
     .needs = NEEDS_WHOLE, .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]", .since = "7.0.0",
     .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively"},
    {0},
};
