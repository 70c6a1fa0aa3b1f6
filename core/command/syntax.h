/* What arguments a command takes, as its row says in one line (command_row.syntax), from which COMMAND DOCS and the reference are made:
 *
 *   key value           arguments by name. The type follows from the name (types, in syntax.c), or is given: increment:double
 *   NX  change=CH       a token: an argument of its own, named "nx" or "change"; before an argument or a group it belongs to that: EX seconds
 *   (LEN) key           here it does not
 *   [ ... ]             may be left out
 *   [name: a | b]       one of these;  [name: a b]  all of these. So with parentheses, if it may not be left out
 *   x...                once or more often, [x]... not at all too;  TOKEN... x  with the token each time
 *
 * Names are Redis's, since generators of clients use them. */
#ifndef AIKV_COMMAND_SYNTAX_H
#define AIKV_COMMAND_SYNTAX_H

#include "base/arena.h"
#include "base/buffer.h"
#include "command/row.h"

enum syntax_type {
    SYNTAX_STRING,
    SYNTAX_INTEGER,
    SYNTAX_DOUBLE,
    SYNTAX_KEY,
    SYNTAX_PATTERN,
    SYNTAX_UNIX_TIME,
    SYNTAX_PURE_TOKEN,
    SYNTAX_ONEOF,
    SYNTAX_BLOCK
};

struct syntax_argument {
    enum syntax_type type;
    struct bytes name;
    struct bytes token; /* empty: none */
    bool optional, multiple, multiple_token;
    struct syntax_argument *arguments; /* of SYNTAX_ONEOF and _BLOCK; else NULL */
    struct syntax_argument *next;
};

/* As Redis calls a type: "pure-token". */
const char *syntax_type_name(const struct syntax_argument *a);

/* The arguments of a row; NULL: it takes none. They live in the arena, their names as long as the row. Aborts if the line is not as above. */
struct syntax_argument *syntax_parse(struct arena *arena, const struct command_row *row);

/* Appends arguments as people read them, each after a blank: " key [EX seconds | KEEPTTL] <M | KM> field [field ...]". */
void syntax_write(const struct syntax_argument *first, struct buffer *out);

#endif
