#include "command/syntax.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"};

/* Of names that are not of strings. */
static const struct {
    enum syntax_type type;
    const char *names;
} types[] = {
    {SYNTAX_INTEGER, " bit client-id cluster_bus_port count cursor db decrement destination-db end end-slot entries_added entries_read frequency increment "
                     "index index1 index2 len limit milliseconds ms num-matches numfields numkeys numreplicas offset port protover rank seconds slot start "
                     "start-slot stop ttl version weight "},
    {SYNTAX_DOUBLE, " height latitude longitude radius score timeout width "},
    {SYNTAX_KEY, " destination destkey dst key key1 key2 newkey source sourcekey src "},
    {SYNTAX_PATTERN, " pattern "},
    {SYNTAX_UNIX_TIME, " unix-time-milliseconds unix-time-seconds "},
};

struct parser {
    struct arena *arena;
    const char *at;
};

const char *syntax_type_name(const struct syntax_argument *a)
{
    return type_names[a->type];
}

static void skip_blanks(struct parser *p)
{
    while (*p->at == ' ') p->at++;
}

static bool skip(struct parser *p, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(p->at, text, len) != 0) return false;
    p->at += len;
    return true;
}

static bool at_end(const struct parser *p)
{
    return !*p->at || strchr(")]|", *p->at);
}

static struct syntax_argument *new_argument(struct parser *p)
{
    struct syntax_argument *a = arena_alloc(p->arena, sizeof *a);
    *a = (struct syntax_argument){.type = SYNTAX_STRING};
    return a;
}

static enum syntax_type type_of_name(struct bytes name)
{
    char word[64];
    snprintf(word, sizeof word, " %.*s ", (int)name.len, (const char *)name.data);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strstr(types[i].names, word)) return types[i].type;
    return SYNTAX_STRING;
}

/* "increment:double", but "ip:port" is a name. */
static void set_name(struct syntax_argument *a, struct bytes word)
{
    a->name = word;
    a->type = type_of_name(word);
    const uint8_t *colon = memchr(word.data, ':', word.len);
    if (!colon) return;
    size_t before = (size_t)(colon - word.data);
    for (enum syntax_type t = SYNTAX_STRING; t < SYNTAX_PURE_TOKEN; t++) {
        if (!bytes_equal(bytes_of(colon + 1, word.len - before - 1), bytes_text(type_names[t]))) continue;
        a->name = bytes_of(word.data, before);
        a->type = t;
    }
}

static bool is_token(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (islower(word.data[i])) return false;
    return true;
}

/* Of "change=CH", or "CH": the name is that in lower case then. */
static void set_pure_token(struct parser *p, struct syntax_argument *a, struct bytes word)
{
    const uint8_t *equals = word.len > 1 ? memchr(word.data, '=', word.len) : NULL;
    size_t before = equals ? (size_t)(equals - word.data) : 0;
    a->type = SYNTAX_PURE_TOKEN;
    a->token = equals ? bytes_of(equals + 1, word.len - before - 1) : word;
    a->name = bytes_of(word.data, before);
    if (equals) return;
    char *name = arena_copy(p->arena, word.data, word.len);
    for (char *c = name; *c; c++) *c = (char)(*c == '-' ? '_' : tolower((unsigned char)*c));
    a->name = bytes_of(name, word.len);
}

static struct syntax_argument *parse_element(struct parser *p);

static struct syntax_argument *parse_word(struct parser *p)
{
    const char *begin = p->at;
    while (*p->at && !strchr(" ()[]|", *p->at) && strncmp(p->at, "...", 3) != 0) p->at++;
    struct bytes word = bytes_of(begin, (size_t)(p->at - begin));
    bool repeated = skip(p, "..."), token = is_token(word);
    assert(word.len);
    skip_blanks(p);
    if (token && !at_end(p) && *p->at != '[') {
        struct syntax_argument *a = parse_element(p);
        a->token = word;
        a->multiple |= repeated;
        a->multiple_token = repeated;
        return a;
    }
    struct syntax_argument *a = new_argument(p);
    a->multiple = repeated;
    if (token || memchr(word.data, '=', word.len))
        set_pure_token(p, a, word);
    else
        set_name(a, word);
    return a;
}

/* "name: " or nothing. */
static struct bytes parse_group_name(struct parser *p)
{
    size_t len = strcspn(p->at, " ()[]|");
    if (len < 2 || p->at[len - 1] != ':') return bytes_of(NULL, 0);
    struct bytes name = bytes_of(p->at, len - 1);
    p->at += len;
    return name;
}

/* Up to the end; `*alternatives` tells whether they are. */
static struct syntax_argument *parse_list(struct parser *p, bool *alternatives)
{
    struct syntax_argument *first = NULL, **end = &first;
    *alternatives = false;
    for (skip_blanks(p); *p->at && !strchr(")]", *p->at); skip_blanks(p)) {
        *alternatives |= skip(p, "|");
        skip_blanks(p);
        *end = parse_element(p);
        end = &(*end)->next;
    }
    return first;
}

/* What is in brackets or parentheses. One argument without a name for the group is no group. */
static struct syntax_argument *parse_group(struct parser *p, const char *close)
{
    bool alternatives;
    struct bytes name = parse_group_name(p);
    struct syntax_argument *list = parse_list(p, &alternatives), *a = list;
    bool closed = skip(p, close);
    assert(closed && list && (name.len || !list->next));
    if (name.len) {
        a = new_argument(p);
        a->name = name;
        a->type = alternatives ? SYNTAX_ONEOF : SYNTAX_BLOCK;
        a->arguments = list;
    }
    a->multiple |= skip(p, "...");
    return a;
}

static struct syntax_argument *parse_element(struct parser *p)
{
    if (skip(p, "(")) return parse_group(p, ")");
    if (!skip(p, "[")) return parse_word(p);
    struct syntax_argument *a = parse_group(p, "]");
    a->optional = true;
    return a;
}

struct syntax_argument *syntax_parse(struct arena *arena, const struct command_row *row)
{
    bool alternatives;
    struct parser p = {arena, row->syntax ? row->syntax : ""};
    struct syntax_argument *list = parse_list(&p, &alternatives);
    assert(!*p.at && !alternatives);
    return list;
}

/* ---- as people read them ---- */

static void write_argument(const struct syntax_argument *a, struct buffer *out);

static void write_list(const struct syntax_argument *a, const char *between, struct buffer *out)
{
    for (; a; a = a->next) {
        write_argument(a, out);
        if (a->next) buffer_append_text(out, between);
    }
}

static void write_token(const struct syntax_argument *a, struct buffer *out)
{
    buffer_append(out, a->token.data, a->token.len);
    if (a->type != SYNTAX_PURE_TOKEN) buffer_append_text(out, " ");
}

/* Without token and marks. */
static void write_content(const struct syntax_argument *a, struct buffer *out)
{
    bool bare = a->optional && !a->multiple && !a->token.len; /* there are brackets around it already */
    switch (a->type) {
    case SYNTAX_PURE_TOKEN: break;
    case SYNTAX_BLOCK: write_list(a->arguments, " ", out); break;
    case SYNTAX_ONEOF:
        if (!bare) buffer_append_text(out, "<");
        write_list(a->arguments, " | ", out);
        if (!bare) buffer_append_text(out, ">");
        break;
    default: buffer_append(out, a->name.data, a->name.len);
    }
}

static void write_argument(const struct syntax_argument *a, struct buffer *out)
{
    if (a->optional) buffer_append_text(out, "[");
    if (a->token.len) write_token(a, out);
    write_content(a, out);
    if (a->multiple) {
        buffer_append_text(out, " [");
        if (a->multiple_token) write_token(a, out);
        write_content(a, out);
        buffer_append_text(out, " ...]");
    }
    if (a->optional) buffer_append_text(out, "]");
}

void syntax_write(const struct syntax_argument *first, struct buffer *out)
{
    if (first) buffer_append_text(out, " ");
    write_list(first, " ", out);
}
