/* What commands read of large values, told before they run, from their arguments alone (keyspace/need.h has what comes of it). A row of the command table says
 * it with one of the words below; a command that says nothing needs its keys' rows only. Arguments that are wrong tell of nothing: the command
 * will say so. */
#ifndef AIKV_COMMAND_NEED_H
#define AIKV_COMMAND_NEED_H

#include "command/row.h"
#include "command/transaction.h"
#include "keyspace/need.h"

/* A request's need of one of its keys. */
struct command_need {
    struct keyspace_ahead *ahead;
    const struct command_request *request;
    const struct command_needs *how; /* what its row says */
    unsigned database;
    int key_at;
    uint32_t key_flags; /* KEY_… */
};

/* Tells of all that request `number` needs of keys that `served` returns true for; of the request where a->at.from is, from there on. */
void command_tell_needs(struct keyspace_ahead *a, unsigned database, const struct command_request *r, size_t number,
                        bool (*served)(const void *user, struct bytes key), const void *user);

/* ---- the words; numbers are those of arguments, `last` is counted from the end if negative ---- */

typedef void command_tell(const struct command_need *n);
command_tell command_need_whole, command_need_searched, command_need_intersected, command_need_subtracted, command_need_rows, command_need_elements,
    command_need_puts, command_need_removed, command_need_places, command_need_placed, command_need_displaced, command_need_scored,
    command_need_increment, command_need_ranks, command_need_range, command_need_scores, command_need_names, command_need_popped, command_need_pushed,
    command_need_moved, command_need_trimmed, command_need_bytes, command_need_written, command_need_appended, command_need_bit, command_need_bits,
    command_need_entries, command_need_entry, command_need_ids, command_need_newer, command_need_scan, command_need_first_popped,
    command_need_bitfield, command_need_oldest;

/* All of the keys whose value is accessed (KEY_ACCESS), not of those that are written over; all their rows; all of any key. */
#define NEEDS_WHOLE    {command_need_whole, 0, 0, 0}
#define NEEDS_ROWS     {command_need_rows, 0, 0, 0}
#define NEEDS_SEARCHED {command_need_searched, 0, 0, 0}
/* All of the smallest, or of the first one, of several keys; of the others what has fewer rows than those have elements that are looked for. */
#define NEEDS_INTERSECTED {command_need_intersected, 0, 0, 0}
#define NEEDS_SUBTRACTED  {command_need_subtracted, 0, 0, 0}
/* Fields or members that arguments name: they are read; put, each with its value behind it if `step` is 2; removed. */
#define NEEDS_ELEMENTS(first, last, step) {command_need_elements, first, last, step}
#define NEEDS_PUTS(first, last, step)     {command_need_puts, first, last, step}
#define NEEDS_REMOVED(first, last, step)  {command_need_removed, first, last, step}
/* The same with their places in the order of a sorted set: that are read; that they get, which is not known, from those they have; that they lose. */
#define NEEDS_PLACES(first, last, step)    {command_need_places, first, last, step}
#define NEEDS_PLACED(first, last, step)    {command_need_placed, first, last, step}
#define NEEDS_DISPLACED(first, last, step) {command_need_displaced, first, last, step}
/* What HSCAN and its like give from a cursor on. */
#define NEEDS_SCAN {command_need_scan, 0, 0, 0}
/* Scores and members behind options, as ZADD's; an increment and a member. */
#define NEEDS_SCORED       {command_need_scored, 0, 0, 0}
#define NEEDS_INCREMENT(at) {command_need_increment, at, 0, 0}
/* From one rank or index to another, or one alone (`count` 1); `change`: NEED_READS … */
#define NEEDS_RANKS(at, count, change) {command_need_ranks, at, count, change}
enum { NEEDS_FORWARDS, NEEDS_BACKWARDS, NEEDS_COUNTED };
/* ZRANGE's arguments; ZREVRANGE's. */
#define NEEDS_RANGE           {command_need_range, NEEDS_FORWARDS, 0, 0}
#define NEEDS_RANGE_BACKWARDS {command_need_range, NEEDS_BACKWARDS, 0, 0}
/* From one score or name to another, from the greater one on if `backwards`; with `counted`, only the ends are. `change` likewise. */
#define NEEDS_SCORES(way, change) {command_need_scores, way, 0, change}
#define NEEDS_NAMES(way, change)  {command_need_names, way, 0, change}
/* What a pop takes from the left or lower end (or the `right`), as many as argument `count_at` says, if there is one; what a push adds, from argument
 * 2 on; RPOPLPUSH's pop and push, or LMOVE's with the sides at argument `sides_at`. */
#define NEEDS_POPPED(right, count_at) {command_need_popped, right, count_at, 0}
#define NEEDS_PUSHED(right)           {command_need_pushed, right, 0, 0}
#define NEEDS_MOVED(sides_at)         {command_need_moved, sides_at, 0, 0}
/* What LMPOP and its like take from the first of the keys, whose number is argument `at`, that has anything, from either end. */
#define NEEDS_FIRST_POPPED(at) {command_need_first_popped, at, 0, 0}
/* LTRIM's: what goes. */
#define NEEDS_TRIMMED {command_need_trimmed, 0, 0, 0}
/* A string's bytes from one to another; those that SETRANGE writes over; its end; a bit; bits from one to another; BITFIELD's. */
#define NEEDS_BYTES(at)    {command_need_bytes, at, 0, 0}
#define NEEDS_WRITTEN      {command_need_written, 0, 0, 0}
#define NEEDS_APPENDED     {command_need_appended, 0, 0, 0}
#define NEEDS_BIT          {command_need_bit, 0, 0, 0}
#define NEEDS_BITS(at)     {command_need_bits, at, 0, 0}
#define NEEDS_BITFIELD     {command_need_bitfield, 0, 0, 0}
/* A stream's entries from one id to another (the greater one first if `backwards`); where XADD adds one, and those that it trims; these alone, XTRIM's;
 * those with the ids given; those XREAD waits for. */
#define NEEDS_ENTRIES(backwards) {command_need_entries, backwards, 0, 0}
#define NEEDS_ENTRY              {command_need_entry, 0, 0, 0}
#define NEEDS_OLDEST             {command_need_oldest, 0, 0, 0}
#define NEEDS_IDS                {command_need_ids, 0, 0, 0}
#define NEEDS_NEWER              {command_need_newer, 0, 0, 0}

#endif
