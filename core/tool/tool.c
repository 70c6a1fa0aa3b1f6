#include "tool/tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/number.h"
#include "tool/connection.h"
#include "tool/file.h"
#include "tool/verb.h"

static const char *const groups[] = {"script", "cluster"};
#define GROUPS (sizeof groups / sizeof *groups)

const char *tool_group_at(unsigned i)
{
    return i < GROUPS ? groups[i] : NULL;
}

void tool_calls_of(const char *word, struct buffer *out)
{
    for (unsigned i = 0; verb_at(i); i++)
        if (strcmp(verb_at(i)->name, word) == 0)
            buffer_printf(out, "%saikv %s %s", out->len ? ", " : "", verb_at(i)->group, word);
}

bool tool_is(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < GROUPS; i++)
        if (strcmp(argv[1], groups[i]) == 0) return true;
    return false;
}

/* ---- help ---- */

static const struct {
    const char *name, *value /* "": it takes none */, *doc;
    unsigned verbs; /* those with this flag have it; 0: all */
} flags[] = {
    {"host", "HOST", "Of the node to ask; also -h. Default 127.0.0.1.", VERB_NODE},
    {"port", "PORT", "Of the node to ask; also -p. Default 6379.", VERB_NODE},
    {"user", "NAME", "ACL user; default AIKV_AUTH_USER in the environment, else 'default'.", VERB_NODE},
    {"pass", "PASSWORD",
     "Its password; default AIKV_AUTH in the environment, which others on this machine cannot read.", VERB_NODE},
    {"timeout", "SECONDS", "For all of it; default: 30 for each answer of a node, and no bound to run and watch.",
     VERB_NODE},
    {"json", "", "Prints one JSON document.", VERB_JSON},
    {"detach", "", "Prints the number of the run, and does not wait for it.", VERB_DETACH},
    {"view", "FILE", "A saved view: nothing is asked of a node.", VERB_VIEW},
    {"help", "", "Shows this.", 0},
};
#define FLAGS (sizeof flags / sizeof *flags)

static bool has_flag(const struct verb *v, size_t flag)
{
    return !flags[flag].verbs || (v->flags & flags[flag].verbs);
}

static void exit_codes(void)
{
    printf("\nExit codes: 0 done, 1 the command, run, check or test failed, or the cluster is not healthy, 2 usage, 3 "
           "no node can be reached,\n"
           "or it does not let us in, 4 no outcome in time.\n");
}

static void help_verb(const struct verb *v)
{
    printf("usage: aikv %s %s [--FLAG]... %s\n\n%s\n\n", v->group, v->name, v->operands, v->doc);
    for (size_t i = 0; i < FLAGS; i++)
        if (has_flag(v, i))
            printf("  --%s %-*s %s\n", flags[i].name, 17 - (int)strlen(flags[i].name), flags[i].value, flags[i].doc);
    exit_codes();
}

static void help_group(const char *group)
{
    printf("usage: aikv %s VERB [--FLAG]... [OPERAND]...\n\n", group);
    for (unsigned i = 0; verb_at(i); i++)
        if (strcmp(verb_at(i)->group, group) == 0)
            printf("  %s %s\n      %s\n", verb_at(i)->name, verb_at(i)->operands, verb_at(i)->doc);
    printf("\nFlags: aikv %s VERB --help\n", group);
    exit_codes();
}

void tool_help(struct buffer *out)
{
    for (unsigned i = 0; verb_at(i); i++) {
        char name[40];
        int len = snprintf(name, sizeof name, "%s %s", verb_at(i)->group, verb_at(i)->name);
        buffer_printf(out, "  aikv %s%*s %s\n", name, 20 - len, "", verb_at(i)->doc);
    }
}

/* ---- reading the command line ---- */

static const struct verb *find_verb(const char *group, const char *word)
{
    struct nearest n;
    nearest_begin(&n, bytes_text(word));
    for (unsigned i = 0; verb_at(i); i++) {
        if (strcmp(verb_at(i)->group, group) != 0) continue;
        if (strcmp(verb_at(i)->name, word) == 0) return verb_at(i);
        nearest_offer(&n, verb_at(i)->name);
    }
    fprintf(stderr, "aikv: aikv %s has no '%.60s'%s%s%s: aikv %s --help lists all\n", group, word,
            n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'" : "", group);
    return NULL;
}

static size_t find_flag(const struct verb *v, const char *name, size_t len)
{
    struct nearest n;
    nearest_begin(&n, bytes_of(name, len));
    for (size_t i = 0; i < FLAGS; i++) {
        if (!has_flag(v, i)) continue;
        if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0) return i;
        nearest_offer(&n, flags[i].name);
    }
    fprintf(stderr, "aikv: aikv %s %s has no flag --%.*s%s%s: --help lists all\n", v->group, v->name,
            (int)(len > 60 ? 60 : len), name, n.best ? "; did you mean --" : "", n.best ? n.best : "");
    return FLAGS;
}

static int set_timeout(struct tool_call *call, const char *text)
{
    long double seconds;
    if (!number_parse_real(bytes_text(text), &seconds) || !(seconds >= 0.001L && seconds <= 1e6L)) {
        fprintf(stderr, "aikv: --timeout is a number of seconds from 0.001 to 1000000, not '%.60s'\n", text);
        return TOOL_USAGE;
    }
    call->timeout_ms = (uint64_t)(seconds * 1000);
    return TOOL_DONE;
}

static int set_flag(struct tool_call *call, const char *name, const char *value)
{
    if (strcmp(name, "timeout") == 0) return set_timeout(call, value);
    if (strcmp(name, "json") == 0) call->json = true;
    if (strcmp(name, "detach") == 0) call->detach = true;
    if (strcmp(name, "host") == 0) call->host = value;
    if (strcmp(name, "port") == 0) call->port = value;
    if (strcmp(name, "user") == 0) call->user = value;
    if (strcmp(name, "pass") == 0) call->password = value;
    if (strcmp(name, "view") == 0) call->view = value;
    return TOOL_DONE;
}

/* The flag at argv[*i], and its value: behind '=', or the next word. */
static int read_flag(const struct verb *v, struct tool_call *call, int *i, int argc, char **argv)
{
    const char *name = strcmp(argv[*i], "-h") == 0 ? "host" : strcmp(argv[*i], "-p") == 0 ? "port" : argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t flag = find_flag(v, name, equals ? (size_t)(equals - name) : strlen(name));
    if (flag == FLAGS) return TOOL_USAGE;
    bool wanted = *flags[flag].value;
    const char *value = equals ? equals + 1 : wanted && *i + 1 < argc ? argv[++*i] : NULL;
    if (wanted == (value != NULL)) return set_flag(call, flags[flag].name, value);
    fprintf(stderr, wanted ? "aikv: --%s needs a value\n" : "aikv: --%s takes no value\n", flags[flag].name);
    return TOOL_USAGE;
}

static bool is_flag(const char *word)
{
    return strncmp(word, "--", 2) == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-p") == 0;
}

static int read_words(const struct verb *v, struct tool_call *call, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        int code = TOOL_DONE;
        if (is_flag(argv[i]))
            code = read_flag(v, call, &i, argc, argv);
        else if (call->count < v->words_max)
            call->words[call->count++] = argv[i];
        else {
            fprintf(stderr, "aikv: unexpected argument '%.100s': usage: aikv %s %s %s\n", argv[i], v->group, v->name,
                    v->operands);
            return TOOL_USAGE;
        }
        if (code) return code;
    }
    if (call->count >= v->words_min) return TOOL_DONE;
    fprintf(stderr, "aikv: usage: aikv %s %s %s\n", v->group, v->name, v->operands);
    return TOOL_USAGE;
}

/* ---- running a verb ---- */

static int run_connected(const struct verb *v, struct tool_call *call)
{
    struct connection node = {.deadline_ms = call->timeout_ms ? clock_monotonic_ms() + call->timeout_ms : UINT64_MAX};
    struct error e;
    int code = connection_open(&node, call, &e);
    if (code) return call_complain(call, code, &e);
    call->node = &node;
    code = v->run(call);
    connection_close(&node);
    return code;
}

static bool asks_a_node(const struct verb *v, const struct tool_call *call)
{
    bool offline = call->view || ((v->flags & VERB_FILE) && file_is_named(call->words[0]));
    return (v->flags & VERB_NODE) && !offline;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    char *words[VERB_WORDS_MAX];
    struct tool_call call = {.host = "127.0.0.1",
                             .port = "6379",
                             .user = getenv("AIKV_AUTH_USER"),
                             .password = getenv("AIKV_AUTH"),
                             .words = words};
    if (!call.user) call.user = "default";
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            help_verb(v);
            return TOOL_DONE;
        }
    int code = read_words(v, &call, argc, argv);
    if (code) return code;
    code = asks_a_node(v, &call) ? run_connected(v, &call) : v->run(&call);
    return fflush(stdout) || ferror(stdout) ? TOOL_FAILED : code;
}

int tool_run(int argc, char **argv)
{
    const char *group = argv[1];
    if (argc == 2 || strcmp(argv[2], "--help") == 0) {
        help_group(group);
        return argc == 2 ? TOOL_USAGE : TOOL_DONE;
    }
    const struct verb *v = find_verb(group, argv[2]);
    return v ? run_verb(v, argc - 3, argv + 3) : TOOL_USAGE;
}
