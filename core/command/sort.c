/* SORT: the values of a list, set or sorted set, in an order of their own or of other keys' values.
 *
 * One large value may be looked up for each of many: what is looked up goes with the value it was for, and what has to be kept of it is bounded. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "command/engine.h"
#include "command/list.h"
#include "command/need.h"
#include "command/notify.h"
#include "keyspace/hash.h"
#include "keyspace/set.h"
#include "keyspace/zset.h"

struct sort {
    bool descending, alpha;
    bool unsorted;       /* BY a pattern without '*' */
    bool by;             /* a pattern ... */
    struct bytes by_key; /* ... which is this */
    int64_t first, count; /* LIMIT; a count below 0: all */
    int get_count;
    struct bytes store; /* data NULL: to the client */
    /* What is sorted: */
    struct sorted *items;
    size_t item_count;
    struct arena looked_up; /* for one value */
    struct bytes *results;  /* to be stored */
    size_t result_count;
    size_t kept;            /* bytes of copies, of BY's texts and of results */
};

struct sorted {
    struct bytes value;
    size_t number;   /* in the order in which they came */
    double score;    /* of numbers */
    struct bytes by; /* of texts; data NULL: there is none */
};

/* ---- arguments ---- */

static bool has_star(struct bytes pattern)
{
    return pattern.len && memchr(pattern.data, '*', pattern.len);
}

/* Patterns name keys of any slot. False: the error was replied. */
static bool may_look_elsewhere(struct command_call *c, const char *option)
{
    if (!c->engine->cluster_enabled) return true;
    resp_error(c->reply, ERROR_GENERIC, "%s option of SORT denied in cluster mode.", option);
    return false;
}

static bool parse_limit(struct command_call *c, int i, struct sort *out)
{
    return command_integer(c, i + 1, &out->first, NULL) && command_integer(c, i + 2, &out->count, NULL);
}

static bool parse_by(struct command_call *c, int i, struct sort *out)
{
    out->by_key = c->argv[i + 1];
    out->unsorted = !has_star(out->by_key);
    out->by = !out->unsorted;
    return out->unsorted || may_look_elsewhere(c, "BY");
}

/* How many arguments the option at `i` takes, with its name; 0: none, the error was replied. */
static int parse_option(struct command_call *c, int i, bool may_store, struct sort *out)
{
    int left = c->argc - i - 1;
    if (command_is(c, i, "ASC") || command_is(c, i, "DESC")) {
        out->descending = command_is(c, i, "DESC");
        return 1;
    }
    if (command_is(c, i, "ALPHA")) {
        out->alpha = true;
        return 1;
    }
    if (command_is(c, i, "LIMIT") && left >= 2) return parse_limit(c, i, out) ? 3 : 0;
    if (command_is(c, i, "BY") && left >= 1) return parse_by(c, i, out) ? 2 : 0;
    if (command_is(c, i, "GET") && left >= 1) {
        out->get_count++;
        return may_look_elsewhere(c, "GET") ? 2 : 0;
    }
    if (may_store && command_is(c, i, "STORE") && left >= 1) {
        out->store = c->argv[i + 1];
        return 2;
    }
    command_reply_syntax_error(c);
    return 0;
}

static bool parse(struct command_call *c, bool may_store, struct sort *out)
{
    *out = (struct sort){.count = -1};
    for (int i = 2, taken; i < c->argc; i += taken) {
        taken = parse_option(c, i, may_store, out);
        if (!taken) return false;
    }
    return true;
}

/* The argument behind the next GET from `i` on; there is one. */
static int next_get(const struct command_call *c, int i)
{
    while (!command_is(c, i, "GET")) i += command_is(c, i, "LIMIT") ? 3 : command_is(c, i, "BY") || command_is(c, i, "STORE") ? 2 : 1;
    return i + 1;
}

/* ---- other keys' values ---- */

/* The key that a pattern names for a value: the value in place of the first '*'. `field`: what follows "->" behind it. */
static struct bytes name_key(struct arena *arena, struct bytes pattern, struct bytes value, struct bytes *field)
{
    const uint8_t *star = memchr(pattern.data, '*', pattern.len), *end = pattern.data + pattern.len;
    const uint8_t *arrow = memmem(star + 1, (size_t)(end - star - 1), "->", 2);
    *field = arrow && arrow + 2 < end ? bytes_of(arrow + 2, (size_t)(end - arrow - 2)) : bytes_of(NULL, 0);
    if (field->len) end = arrow;
    size_t before = (size_t)(star - pattern.data), behind = (size_t)(end - star - 1);
    uint8_t *key = arena_alloc(arena, before + value.len + behind);
    memcpy(key, pattern.data, before);
    if (value.len) memcpy(key + before, value.data, value.len);
    memcpy(key + before + value.len, star + 1, behind);
    return bytes_of(key, before + value.len + behind);
}

/* What a pattern gives for a value, until the next call; data NULL: nothing. */
static struct bytes look_up(struct command_call *c, struct sort *s, struct bytes pattern, struct bytes value)
{
    struct bytes field, found = {0};
    arena_reset(&s->looked_up);
    if (bytes_is(pattern, "#")) return value;
    if (!has_star(pattern)) return found;
    struct bytes key = name_key(&s->looked_up, pattern, value, &field);
    struct keyspace_entry entry = command_read(c, key);
    if (field.len && entry.type == KEYSPACE_HASH) {
        struct keyspace_hash h;
        struct keyspace_field f;
        keyspace_hash_open(&h, c->keyspace, key, &entry);
        if (keyspace_hash_get(&h, field, &f)) found = f.value;
    } else if (!field.len && entry.type == KEYSPACE_STRING) {
        found = keyspace_string_whole(c->keyspace, &entry, &s->looked_up);
    }
    return found;
}

/* A copy of it that stays. False: with it there would be too much, the error was replied. */
static bool keep(struct command_call *c, struct sort *s, struct bytes found, struct bytes *out)
{
    *out = found;
    if (!found.data) return true;
    s->kept += found.len;
    if (s->kept > COMMAND_STRING_MAX) {
        resp_error(c->reply, ERROR_LIMIT, "the values that SORT has to keep take more than %zu MiB", COMMAND_STRING_MAX >> 20);
        return false;
    }
    out->data = (const uint8_t *)arena_copy(c->arena, found.data, found.len);
    return true;
}

/* ---- what is sorted: what comes unsorted keeps its order, or, DESC, comes from the end ---- */

struct window {
    uint64_t first, count;
};

/* What LIMIT leaves of `len` values. */
static struct window window_of(const struct sort *s, uint64_t len)
{
    uint64_t first = s->first < 0 ? 0 : (uint64_t)s->first, count = s->count < 0 ? len : (uint64_t)s->count;
    if (first > len) first = len;
    if (count > len - first) count = len - first;
    return (struct window){first, count};
}

static void add(struct sort *s, struct bytes value)
{
    s->items[s->item_count] = (struct sorted){.value = value, .number = s->item_count};
    s->item_count++;
}

static void allocate(struct command_call *c, struct sort *s, uint64_t count)
{
    s->items = arena_alloc(c->arena, count * sizeof *s->items);
}

static void take_list(struct command_call *c, struct sort *s, const struct keyspace_entry *entry)
{
    struct keyspace_list l;
    keyspace_list_open(c->keyspace, c->argv[1], entry, &l);
    uint64_t len = keyspace_list_len(&l);
    struct window part = s->unsorted ? window_of(s, len) : (struct window){0, len};
    bool backwards = s->unsorted && s->descending;
    struct keyspace_list_walk w = {.index = backwards ? len - 1 - part.first : part.first, .backwards = backwards};
    struct bytes value;
    allocate(c, s, part.count);
    while (s->item_count < part.count && keyspace_list_next(&l, &w, &value)) add(s, value);
}

static void take_zset(struct command_call *c, struct sort *s, const struct keyspace_entry *entry)
{
    struct keyspace_zset z;
    keyspace_zset_open(c->keyspace, c->argv[1], entry, &z);
    uint64_t len = keyspace_zset_count(&z);
    struct window part = s->unsorted ? window_of(s, len) : (struct window){0, len};
    bool backwards = s->unsorted && s->descending;
    struct keyspace_zset_walk w;
    struct keyspace_scored member;
    allocate(c, s, part.count);
    if (part.count) keyspace_zset_walk(&z, backwards ? len - 1 - part.first : part.first, backwards, &w);
    while (s->item_count < part.count && keyspace_zset_next(&z, &w, &member)) add(s, member.member);
}

/* A set has no order. What is stored without one would be another list each time, so it gets the one of texts then. */
static void take_set(struct command_call *c, struct sort *s, const struct keyspace_entry *entry)
{
    struct keyspace_set set;
    keyspace_set_open(&set, c->keyspace, c->argv[1], entry);
    if (s->unsorted && s->store.data) {
        s->unsorted = s->by = false;
        s->alpha = true;
    }
    uint64_t len = keyspace_set_count(&set), passed = 0;
    struct window part = s->unsorted ? window_of(s, len) : (struct window){0, len};
    struct keyspace_set_walk w = {0};
    struct keyspace_member member;
    allocate(c, s, part.count);
    while (s->item_count < part.count && keyspace_set_next(&set, &w, &member)) {
        if (passed++ < part.first) continue;
        bool digits = member.text.data == (const uint8_t *)member.digits;
        add(s, digits ? bytes_of(arena_copy(c->arena, member.digits, member.text.len), member.text.len) : member.text);
    }
}

/* False: the key has another type, the error was replied. */
static bool take_values(struct command_call *c, struct sort *s)
{
    struct keyspace_entry entry = command_read(c, c->argv[1]);
    switch (entry.type) {
    case KEYSPACE_NONE: return true;
    case KEYSPACE_LIST: take_list(c, s, &entry); return true;
    case KEYSPACE_SET: take_set(c, s, &entry); return true;
    case KEYSPACE_ZSET: take_zset(c, s, &entry); return true;
    default: return command_is_type(c, &entry, KEYSPACE_LIST);
    }
}

/* ---- sorting ---- */

/* As Redis's strtod(): blanks before it, "inf", hexadecimal; nothing counts as 0. */
static bool read_score(struct sort *s, struct bytes text, double *out)
{
    char *copy = arena_copy(&s->looked_up, text.data, text.len), *end;
    errno = 0;
    *out = strtod(copy, &end);
    bool is_number = *end == 0 && errno != ERANGE && !isnan(*out);
    arena_reset(&s->looked_up);
    return is_number;
}

/* False: the error was replied. */
static bool weigh(struct command_call *c, struct sort *s)
{
    for (size_t i = 0; i < s->item_count; i++) {
        struct sorted *item = &s->items[i];
        struct bytes by = s->by ? look_up(c, s, s->by_key, item->value) : item->value;
        if (s->alpha && s->by) {
            if (!keep(c, s, by, &item->by)) return false;
        } else if (s->alpha) {
            item->by = by;
        } else if (by.data && !read_score(s, by, &item->score)) {
            resp_error(c->reply, ERROR_GENERIC, "One or more scores can't be converted into double");
            return false;
        }
    }
    return true;
}

static int compare_by(const struct sorted *a, const struct sorted *b)
{
    if (!a->by.data || !b->by.data) return (a->by.data != NULL) - (b->by.data != NULL);
    return bytes_compare(a->by, b->by);
}

static int compare(const void *left, const void *right, void *user)
{
    const struct sorted *a = left, *b = right;
    const struct sort *s = user;
    int order = s->alpha ? compare_by(a, b) : (a->score > b->score) - (a->score < b->score);
    if (!order && !s->alpha) order = bytes_compare(a->value, b->value);
    if (!order) return a->number < b->number ? -1 : 1;
    return s->descending ? -order : order;
}

/* ---- what comes out ---- */

/* Calls `give` for each value of the result, until it says false; data NULL: null. */
static void each_result(struct command_call *c, struct sort *s, struct window part, bool (*give)(struct command_call *c, struct sort *s, struct bytes v))
{
    for (uint64_t i = part.first; i < part.first + part.count; i++) {
        if (!s->get_count && !give(c, s, s->items[i].value)) return;
        for (int n = 0, at = 2; n < s->get_count; n++) {
            at = next_get(c, at);
            if (!give(c, s, look_up(c, s, c->argv[at], s->items[i].value))) return;
            at++;
        }
    }
}

static bool reply_value(struct command_call *c, struct sort *s, struct bytes value)
{
    (void)s;
    if (value.data)
        resp_bulk(c->reply, value);
    else
        resp_null(c->reply);
    return !c->reply->out->failed; /* a reply that has grown too large is cut off */
}

/* Copied: what it is about to replace may be what was sorted. */
static bool keep_result(struct command_call *c, struct sort *s, struct bytes value)
{
    return keep(c, s, value, &s->results[s->result_count++]);
}

static void store(struct command_call *c, struct sort *s, struct window part, size_t results)
{
    struct keyspace_list l;
    if (results > COMMAND_STRING_MAX / sizeof *s->results) {
        resp_error(c->reply, ERROR_LIMIT, "SORT stores at most %zu values", COMMAND_STRING_MAX / sizeof *s->results);
        return;
    }
    s->results = arena_alloc(c->arena, results * sizeof *s->results);
    each_result(c, s, part, keep_result);
    if (s->kept > COMMAND_STRING_MAX) return; /* the error was replied */
    if (results) { /* in place of whatever the key holds */
        keyspace_list_open(c->keyspace, s->store, &(struct keyspace_entry){.expires_ms = KEYSPACE_NO_EXPIRY}, &l);
        keyspace_list_push(&l, LIST_RIGHT, s->results, results);
        keyspace_list_close(&l);
        command_notify(c, NOTIFY_LIST, "sortstore", s->store);
    } else if (keyspace_delete(c->keyspace, s->store)) {
        command_notify(c, NOTIFY_GENERIC, "del", s->store);
    }
    resp_integer(c->reply, (int64_t)results);
}

/* What is sorted is taken, and in order. */
static void give_out(struct command_call *c, struct sort *s)
{
    struct window part = s->unsorted ? (struct window){0, s->item_count} : window_of(s, s->item_count);
    size_t results = part.count * (s->get_count ? (size_t)s->get_count : 1);
    if (s->store.data) {
        store(c, s, part, results);
        return;
    }
    resp_array(c->reply, results);
    each_result(c, s, part, reply_value);
}

static void sort(struct command_call *c, bool may_store)
{
    struct sort s;
    if (!parse(c, may_store, &s) || !take_values(c, &s)) return;
    if (s.unsorted || weigh(c, &s)) {
        if (!s.unsorted && s.item_count > 1) qsort_r(s.items, s.item_count, sizeof *s.items, compare, &s);
        give_out(c, &s);
    }
    arena_release(&s.looked_up);
}

static void command_sort_sort(struct command_call *c)
{
    sort(c, true);
}

static void command_sort_sort_ro(struct command_call *c)
{
    sort(c, false);
}

/* ---- the rows ---- */

/* As Redis: the last one, wherever it stands. */
static int find_store(int argc, const struct bytes *argv)
{
    int found = 0;
    for (int i = 2; i + 1 < argc; i++) {
        if (bytes_is(argv[i], "LIMIT"))
            i += 2;
        else if (bytes_is(argv[i], "GET") || bytes_is(argv[i], "BY"))
            i++;
        else if (bytes_is(argv[i], "STORE"))
            found = i + 1;
    }
    return found;
}

/* Patterns name keys that only the values tell. */
static int find_none(int argc, const struct bytes *argv)
{
    (void)argc, (void)argv;
    return 0;
}

#define PATTERNS                                                                                                                              \
    {                                                                                                                                         \
        KEY_RO | KEY_ACCESS, KEYS_ELSEWHERE, .step = 1, .find = find_none,                                                                              \
            .note = "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we "    \
                    "sort"                                                                                                                    \
    }
#define STORES                                                                                                                                \
    {                                                                                                                                         \
        KEY_OW | KEY_UPDATE, KEYS_ELSEWHERE, .step = 1, .find = find_store,                                                                              \
            .note = "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array"    \
    }
#define CATEGORIES (ACL_LIST | ACL_SET | ACL_SORTEDSET | ACL_DANGEROUS)
#define COMPLEXITY                                                                                                                            \
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements "   \
    "are not sorted, complexity is O(N)."

const struct command_row command_sort_rows[] = {
    {"SORT", -2, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), CATEGORIES, command_sort_sort,
     "The values of a list, set or sorted set in order, or what keys made of them hold; stored as a list, if asked for.",
     .needs = NEEDS_WHOLE, .syntax = "key [BY pattern] [LIMIT (offset_count: offset count)] [GET... pattern] [order: ASC | DESC] [sorting=ALPHA] [STORE "
               "destination]",
     .since = "1.0.0", .complexity = COMPLEXITY, .more_keys = MORE_KEYS(PATTERNS, STORES)},
    {"SORT_RO", -2, READ, KEYS(1, 1, 1, KEY_RO | KEY_ACCESS), CATEGORIES, command_sort_sort_ro,
     "The same as SORT, which stores nothing.",
     .needs = NEEDS_WHOLE, .syntax = "key [BY pattern] [LIMIT (offset_count: offset count)] [GET... pattern] [order: ASC | DESC] [sorting=ALPHA]",
     .since = "7.0.0", .complexity = COMPLEXITY, .more_keys = MORE_KEYS(PATTERNS)},
    {0},
};
