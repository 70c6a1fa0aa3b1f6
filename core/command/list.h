/* What the files of commands on lists share. */
#ifndef AIKV_COMMAND_LIST_H
#define AIKV_COMMAND_LIST_H

#include "command/call.h"
#include "keyspace/list.h"

/* Opens the list at `key` for changes; one that is not there is empty. False: it is no list, the error was replied. */
bool command_list_open(struct command_call *c, struct bytes key, struct keyspace_list *l);
/* Argument `i` as LEFT or RIGHT; false: the error was replied. */
bool command_list_side(struct command_call *c, int i, enum keyspace_list_side *out);

/* Closes a list that values were taken out of, and tells of it. */
void command_list_removed(struct command_call *c, struct keyspace_list *l, const char *event);
/* Replies with the outermost value, which is there, and takes it out. */
void command_list_pop(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side);
/* The same with an array of up to `count` values, the outermost first. */
void command_list_pop_many(struct command_call *c, struct keyspace_list *l, enum keyspace_list_side side, uint64_t count);
/* Moves the outermost value of a list, which has one, to the list at `key`, and replies with it; or with an error, if that is no list. */
void command_list_move(struct command_call *c, struct keyspace_list *from, enum keyspace_list_side out, struct bytes key, enum keyspace_list_side in);

/* The arguments of LMPOP from the number of keys on, which is argument `at`; false: the error was replied. */
struct command_list_mpop {
    const struct bytes *keys;
    size_t key_count;
    enum keyspace_list_side side;
    uint64_t count;
};
bool command_list_parse_mpop(struct command_call *c, int at, struct command_list_mpop *out);
/* Pops from the first list that is there. False: there is none, nothing was replied. */
bool command_list_mpop(struct command_call *c, const struct command_list_mpop *o);

/* Tells of a value or several that were taken out of one side, and of the end of the list, if that was its last. After the list was closed. */
void command_list_notify_popped(struct command_call *c, const struct keyspace_list *l, enum keyspace_list_side side);

#endif
