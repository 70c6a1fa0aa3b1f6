/* Needs of commands: all but ranges of sorted sets and streams. */
#include "command/need.h"

#include <ctype.h>

#include "base/number.h"
#include "command/keys.h"

void command_tell_needs(struct keyspace_ahead *a, unsigned database, const struct command_request *r, size_t number,
                        bool (*served)(const void *user, struct bytes key), const void *user)
{
    const struct command_needs *how = &r->entry->row->needs;
    struct command_keys k = command_keys(r->entry->row, r->argc, r->argv);
    unsigned key = number == a->at.from.request ? a->at.from.key : 0;
    command_keys_pass(&k, key);
    for (; !keyspace_ahead_is_done(a) && command_keys_next(&k); key++) {
        if (!served(user, r->argv[k.at])) continue;
        keyspace_ahead_key(a, number, key, database, r->argv[k.at], how->tell);
        if (how->tell) how->tell(&(struct command_need){a, r, how, database, k.at, k.flags});
    }
}

static struct bytes argument(const struct command_need *n, int i)
{
    return n->request->argv[i];
}

/* Whether there is an argument `i`, and it is an integer. */
static bool integer(const struct command_need *n, int i, int64_t *out)
{
    return i < n->request->argc && number_parse_integer(argument(n, i), out);
}

/* ---- all ---- */

void command_need_whole(const struct command_need *n)
{
    if (n->key_flags & KEY_ACCESS) keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_WHOLE});
}

void command_need_rows(const struct command_need *n)
{
    if (n->key_flags & KEY_ACCESS) keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_ROWS, .limit = UINT64_MAX});
}

void command_need_searched(const struct command_need *n)
{
    keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_WHOLE});
}

/* ---- several keys together ---- */

#define TOGETHER_MAX 16 /* keys; of more, which are looked through for each, nothing is told */

/* Whether what keys have can be asked for. Needs that hang on it are told at any level all the same, if only of no more than no rows. */
static bool are_keys_read(const struct command_need *n)
{
    return n->ahead->at.level > 0;
}

static bool are_too_many(const struct command_request *r)
{
    int keys = 0;
    for (struct command_keys k = command_keys(r->entry->row, r->argc, r->argv); keys <= TOGETHER_MAX && command_keys_next(&k);) keys += (k.flags & KEY_ACCESS) != 0;
    return keys > TOGETHER_MAX;
}

/* The key whose elements are looked for in the others: the first, or the smallest. Returns its argument; 0, and `count` too: there are too many keys. */
static int find_looked_for(const struct command_need *n, bool first, uint64_t *count)
{
    const struct command_request *r = n->request;
    int found = 0;
    bool none = are_too_many(r);
    *count = none ? 0 : UINT64_MAX;
    for (struct command_keys k = command_keys(r->entry->row, r->argc, r->argv); !none && command_keys_next(&k);) {
        if (!(k.flags & KEY_ACCESS) || (first && found)) continue;
        uint64_t here = keyspace_ahead_count(n->ahead, n->database, r->argv[k.at]);
        if (here >= *count) continue;
        found = k.at;
        *count = here;
    }
    return found;
}

static void tell_together(const struct command_need *n, bool first)
{
    struct keyspace_need need = {.kind = NEED_ROWS};
    if (!(n->key_flags & KEY_ACCESS)) return;
    if (are_keys_read(n) && find_looked_for(n, first, &need.limit) == n->key_at) need.kind = NEED_WHOLE;
    keyspace_ahead_need(n->ahead, &need);
}

void command_need_intersected(const struct command_need *n)
{
    tell_together(n, false);
}

void command_need_subtracted(const struct command_need *n)
{
    tell_together(n, true);
}

/* ---- elements ---- */

static void tell_named(const struct command_need *n, struct keyspace_need need)
{
    int last = n->how->last < 0 ? n->request->argc + n->how->last : n->how->last, step = n->how->step;
    int i = n->how->first, count = last < i ? 0 : (last - i) / step + 1;
    for (i += step * (int)keyspace_ahead_pass(n->ahead, (uint64_t)count); i <= last && i + step <= n->request->argc && !keyspace_ahead_is_done(n->ahead); i += step) {
        need.name = argument(n, i);
        need.size = step == 2 ? argument(n, i + 1).len : 0;
        keyspace_ahead_need(n->ahead, &need);
    }
}

void command_need_elements(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_ELEMENT});
}

void command_need_puts(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_ELEMENT, .change = NEED_PUTS});
}

void command_need_removed(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_ELEMENT, .change = NEED_REMOVES});
}

void command_need_places(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_PLACE});
}

void command_need_placed(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_PLACE, .change = NEED_PUTS});
}

void command_need_displaced(const struct command_need *n)
{
    tell_named(n, (struct keyspace_need){.kind = NEED_PLACE, .change = NEED_REMOVES});
}

void command_need_scored(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_MEMBER, .change = NEED_PUTS};
    int at = 2, argc = n->request->argc;
    for (; at < argc && isalpha(argument(n, at).len ? argument(n, at).data[0] : 0) && !number_parse_double(argument(n, at), &need.score); at++)
        need.adds |= bytes_is(argument(n, at), "INCR");
    for (at += 2 * (int)keyspace_ahead_pass(n->ahead, (uint64_t)(argc - at) / 2); at + 1 < argc && !keyspace_ahead_is_done(n->ahead); at += 2) {
        need.name = argument(n, at + 1);
        if (!number_parse_double(argument(n, at), &need.score)) return;
        keyspace_ahead_need(n->ahead, &need);
    }
}

void command_need_increment(const struct command_need *n)
{
    int at = n->how->first;
    struct keyspace_need need = {.kind = NEED_MEMBER, .change = NEED_PUTS, .adds = true, .name = argument(n, at + 1)};
    if (number_parse_double(argument(n, at), &need.score)) keyspace_ahead_need(n->ahead, &need);
}

void command_need_scan(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_SCAN};
    int64_t count = 10;
    for (int i = 3; i + 1 < n->request->argc; i += 2)
        if (bytes_is(argument(n, i), "COUNT")) integer(n, i + 1, &count);
    need.limit = count > 0 ? (uint64_t)count : 0;
    if (number_parse_unsigned(argument(n, 2), &need.offset)) keyspace_ahead_need(n->ahead, &need);
}

/* ---- lists, and ranks of sorted sets ---- */

void command_need_ranks(const struct command_need *n)
{
    int at = n->how->first, count = n->how->last;
    struct keyspace_need need = {.kind = NEED_RANKS, .change = (enum keyspace_need_change)n->how->step};
    if (integer(n, at, &need.from) && integer(n, at + count - 1, &need.to)) keyspace_ahead_need(n->ahead, &need);
}

static void tell_popped(const struct command_need *n, bool right, int64_t count)
{
    struct keyspace_need need = {.kind = NEED_RANKS, .change = NEED_REMOVES};
    if (count <= 0) return;
    need.to = count - 1;
    if (right) need.from = -count, need.to = -1;
    keyspace_ahead_need(n->ahead, &need);
}

void command_need_popped(const struct command_need *n)
{
    int64_t count = 1;
    int at = n->how->last;
    if (!at || n->request->argc <= at || integer(n, at, &count)) tell_popped(n, n->how->first, count);
}

void command_need_first_popped(const struct command_need *n)
{
    int64_t keys, count = 1;
    int first = n->how->first + 1, argc = n->request->argc;
    if (!integer(n, first - 1, &keys) || keys < 1 || keys >= argc - first || n->key_at - first > TOGETHER_MAX) return;
    int side = first + (int)keys;
    bool is_first = are_keys_read(n), right = bytes_is(argument(n, side), "RIGHT") || bytes_is(argument(n, side), "MAX");
    if (side + 2 < argc && !integer(n, side + 2, &count)) return;
    for (int i = first; is_first && i < n->key_at; i++) is_first = !keyspace_ahead_count(n->ahead, n->database, argument(n, i));
    if (is_first)
        tell_popped(n, right, count > 0 ? count : 1);
    else
        keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_ROWS});
}

/* `count` arguments from `at` on, pushed. */
static void tell_pushed(const struct command_need *n, bool right, int at, int count)
{
    struct keyspace_need need = {.kind = NEED_END, .change = NEED_PUTS, .backwards = right, .count = (size_t)count};
    for (int i = at; i < at + count; i++) need.size += element_size(&(struct element){.value = argument(n, i)});
    keyspace_ahead_need(n->ahead, &need);
}

void command_need_pushed(const struct command_need *n)
{
    tell_pushed(n, n->how->first, 2, n->request->argc - 2);
}

void command_need_moved(const struct command_need *n)
{
    int sides = n->how->first;
    bool is_source = n->key_at == 1;
    bool right = sides ? bytes_is(argument(n, is_source ? sides : sides + 1), "RIGHT") : is_source;
    if (is_source)
        tell_popped(n, right, 1);
    else
        keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_END, .change = NEED_PUTS, .backwards = right, .count = 1, .size = 64});
}

void command_need_trimmed(const struct command_need *n)
{
    int64_t from, to;
    if (!integer(n, 2, &from) || !integer(n, 3, &to)) return;
    /* Before the first, behind the last: none if those are the ends. Of 0 and of -1 the next ones are counted from the other end. */
    struct keyspace_need before = {.kind = NEED_RANKS, .change = NEED_REMOVES, .from = from ? 0 : 1, .to = from > INT64_MIN && from ? from - 1 : 0}, behind = before;
    behind.from = to < INT64_MAX ? to + 1 : to;
    behind.to = to == -1 ? INT64_MIN : -1;
    keyspace_ahead_need(n->ahead, &before);
    keyspace_ahead_need(n->ahead, &behind);
}

/* ---- strings ---- */

static void tell_bytes(const struct command_need *n, int64_t from, int64_t to)
{
    keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_BYTES, .from = from, .to = to});
}

void command_need_bytes(const struct command_need *n)
{
    int64_t from, to;
    int at = n->how->first;
    if (integer(n, at, &from) && integer(n, at + 1, &to)) tell_bytes(n, from, to);
}

void command_need_written(const struct command_need *n)
{
    struct keyspace_need need = {.kind = NEED_BYTES, .change = NEED_PUTS};
    size_t len = argument(n, 3).len;
    if (!integer(n, 2, &need.from) || need.from < 0 || !len || need.from > (int64_t)STORE_VALUE_MAX) return;
    need.to = need.from + (int64_t)len - 1;
    keyspace_ahead_need(n->ahead, &need);
}

void command_need_appended(const struct command_need *n)
{
    if (argument(n, 2).len) keyspace_ahead_need(n->ahead, &(struct keyspace_need){.kind = NEED_END, .change = NEED_PUTS});
}

void command_need_bit(const struct command_need *n)
{
    int64_t bit;
    if (integer(n, 2, &bit) && bit >= 0) tell_bytes(n, bit / 8, bit / 8);
}

/* GET, SET and INCRBY have a type and a position behind them: "u8", "17" or, in such types, "#2". Which arguments those are only those before
 * them tell, so that none can be passed over: of more than are looked at together nothing is told. */
void command_need_bitfield(const struct command_need *n)
{
    int64_t width, at;
    if (n->request->argc > (int)KEYSPACE_AHEAD_ITEMS) return;
    for (int i = 2; i + 2 < n->request->argc; i++) {
        struct bytes word = argument(n, i), type = argument(n, i + 1), place = argument(n, i + 2);
        bool is_field = bytes_is(word, "GET") || bytes_is(word, "SET") || bytes_is(word, "INCRBY");
        if (!is_field || type.len < 2 || !place.len || !number_parse_integer(bytes_of(type.data + 1, type.len - 1), &width)) continue;
        bool in_types = place.data[0] == '#';
        if (width < 1 || width > 64 || !number_parse_integer(bytes_of(place.data + in_types, place.len - in_types), &at)) continue;
        if (at < 0 || at > (int64_t)STORE_VALUE_MAX * 8) continue;
        if (in_types) at *= width;
        tell_bytes(n, at / 8, (at + width - 1) / 8);
    }
}

/* Rounded away from zero below it: the byte that a bit counted from the end is in. */
static int64_t byte_of(int64_t bit)
{
    return bit < 0 ? -(-bit / 8 + (-bit % 8 > 0)) : bit / 8;
}

void command_need_bits(const struct command_need *n)
{
    int64_t from = 0, to = -1;
    int at = n->how->first, argc = n->request->argc;
    if ((at < argc && !integer(n, at, &from)) || (at + 1 < argc && !integer(n, at + 1, &to))) return;
    bool bits = at + 2 < argc && bytes_is(argument(n, at + 2), "BIT");
    if (bits && (from == INT64_MIN || to == INT64_MIN)) return;
    tell_bytes(n, bits ? byte_of(from) : from, bits ? byte_of(to) : to);
}
