#include "server/subcommand.h"

#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/nearest.h"
#include "tool/tool.h"

static const struct subcommand *const table[] = {&check_subcommand, &repair_subcommand};
#define SUBCOMMANDS (sizeof table / sizeof *table)

bool subcommand_is(int argc, char **argv)
{
    return argc > 1 && argv[1][0] != '-';
}

/* How many words of the command line the name is; 0: it is another. */
static int words_of(const char *name, int argc, char **argv)
{
    for (int i = 0;; i++) {
        size_t len = strcspn(name, " ");
        if (i == argc || strlen(argv[i]) != len || memcmp(argv[i], name, len) != 0) return 0;
        if (!name[len]) return i + 1;
        name += len + 1;
    }
}

static void help(const struct subcommand *s)
{
    printf("usage: aikv %s [--FLAG]... %s\n\n%s\n\n", s->name, s->operand, s->doc);
    for (size_t i = 0; i < SUBCOMMAND_FLAGS_MAX && s->flags[i].name; i++)
        printf("  --%-24s %s\n", s->flags[i].name, s->flags[i].doc);
    printf("  --%-24s %s\n", "help", "Shows this.");
}

static int unknown_flag(const struct subcommand *s, const char *flag)
{
    struct nearest n;
    nearest_begin(&n, bytes_text(flag));
    for (size_t i = 0; i < SUBCOMMAND_FLAGS_MAX && s->flags[i].name; i++) nearest_offer(&n, s->flags[i].name);
    if (n.best)
        fprintf(stderr, "aikv: unknown flag --%.60s; did you mean --%s?\n", flag, n.best);
    else
        fprintf(stderr, "aikv: unknown flag --%.60s: aikv %s --help lists them\n", flag, s->name);
    return EXIT_USAGE;
}

static int read_flag(const struct subcommand *s, const char *flag, struct subcommand_call *call)
{
    for (size_t i = 0; i < SUBCOMMAND_FLAGS_MAX && s->flags[i].name; i++)
        if (strcmp(s->flags[i].name, flag) == 0) {
            call->given[i] = true;
            return EXIT_OK;
        }
    return unknown_flag(s, flag);
}

static int run(const struct subcommand *s, int argc, char **argv)
{
    struct subcommand_call call = {0};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help(s);
            return EXIT_OK;
        }
        if (strncmp(argv[i], "--", 2) == 0) {
            int code = read_flag(s, argv[i] + 2, &call);
            if (code) return code;
        } else if (call.operand) {
            fprintf(stderr, "aikv: unexpected argument '%.100s': aikv %s takes one %s\n", argv[i], s->name, s->operand);
            return EXIT_USAGE;
        } else {
            call.operand = argv[i];
        }
    }
    if (call.operand) return s->run(&call);
    fprintf(stderr, "aikv: aikv %s needs a %s\n", s->name, s->operand);
    return EXIT_USAGE;
}

int subcommand_run(int argc, char **argv)
{
    struct nearest n;
    nearest_begin(&n, bytes_text(argv[1]));
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        int words = words_of(table[i]->name, argc - 1, argv + 1);
        if (words) return run(table[i], argc - 1 - words, argv + 1 + words);
        nearest_offer(&n, table[i]->name);
    }
    for (unsigned i = 0; tool_group_at(i); i++) nearest_offer(&n, tool_group_at(i));
    struct buffer calls;
    buffer_init(&calls, 1024);
    tool_calls_of(argv[1], &calls);
    if (calls.len)
        fprintf(stderr, "aikv: unexpected argument '%.100s'; there is %.*s\n", argv[1], (int)calls.len,
                (const char *)calls.data);
    else if (n.best)
        fprintf(stderr, "aikv: unexpected argument '%.100s'; did you mean aikv %s?\n", argv[1], n.best);
    else
        fprintf(stderr, "aikv: unexpected argument '%.100s': a configuration file is given with --config\n", argv[1]);
    buffer_release(&calls);
    return EXIT_USAGE;
}

void subcommand_help(struct buffer *out)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        buffer_printf(out, "  aikv %s %-*s %s\n", table[i]->name, 20 - (int)strlen(table[i]->name), table[i]->operand,
                      table[i]->doc);
}
