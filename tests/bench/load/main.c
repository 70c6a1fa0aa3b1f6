/* bench_load: loads a server on 127.0.0.1 and prints what came of it as one line of JSON. See `usage`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "run.h"
#include "self_test.h"

static const char usage[] =
    "usage: bench_load --port PORT (--requests N | --seconds S) [options] REQUEST...\n"
    "       bench_load --self-test\n"
    "  REQUEST            \"SET key:{n} {value}\"; {n}: a number as --keys and --pick say, in 12 digits;\n"
    "                     {value}: random letters; a word {i}: a number without leading zeros. Of several one is\n"
    "                     chosen each time; \"GET key:{n} @9\" nine times as often as one without @.\n"
    "                     \"PING @inline\" is sent as a line\n"
    "  --clients N        connections (1)\n"
    "  --pipeline N       requests sent together on each (1)\n"
    "  --requests N       how many in all\n"
    "  --seconds S        how long; with both, whichever ends first\n"
    "  --rate N           requests a second of all clients together; default: as fast as they are answered\n"
    "  --keys N           {n} is below N (100000)\n"
    "  --pick KIND        uniform (default), zipf:EXPONENT or serial\n"
    "  --value BYTES      length of {value} (64)\n"
    "  --seed N           of what is random (1)\n";

_Noreturn static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "bench_load: %s '%s'\n%s", what, value, usage);
    exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t max)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || *text < '0' || *text > '9' || n > max || n < 1) refuse(name, text);
    return n;
}

static double fraction(const char *name, const char *text)
{
    char *end;
    double d = strtod(text, &end);
    if (*end || !(d > 0 && d < 1e9)) refuse(name, text);
    return d;
}

struct options {
    struct load_plan plan;
    enum load_pick_kind pick;
    double exponent;
    uint64_t keys, seed;
    size_t value_len;
};

static void set_pick(struct options *o, const char *text)
{
    if (strncmp(text, "zipf:", 5) == 0) {
        o->pick = LOAD_PICK_ZIPF;
        o->exponent = fraction("--pick zipf: is followed by a number over 0, not", text + 5);
    } else if (strcmp(text, "serial") == 0) {
        o->pick = LOAD_PICK_SERIAL;
    } else if (strcmp(text, "uniform") != 0) {
        refuse("--pick is uniform, zipf:EXPONENT or serial, not", text);
    }
}

static void set_option(struct options *o, int option, const char *text)
{
    struct load_plan *p = &o->plan;
    switch (option) {
    case 'p': p->port = (uint16_t)number("--port is 1 to 65535, not", text, 65535); break;
    case 'c': p->clients = (uint32_t)number("--clients is 1 to 1000, not", text, LOAD_CLIENTS_MAX); break;
    case 'P': p->pipeline = (uint32_t)number("--pipeline is 1 to 1000, not", text, LOAD_PIPELINE_MAX); break;
    case 'n': p->requests = number("--requests is a number over 0, not", text, UINT64_MAX); break;
    case 's': p->seconds = fraction("--seconds is a number over 0, not", text); break;
    case 'r': p->rate = fraction("--rate is a number over 0, not", text); break;
    case 'k': o->keys = number("--keys is 1 to 10^12, not", text, 1000000000000); break;
    case 'd': set_pick(o, text); break;
    case 'v': o->value_len = number("--value is 1 byte to 1 MiB, not", text, LOAD_VALUE_MAX); break;
    case 'S': o->seed = number("--seed is a number over 0, not", text, UINT64_MAX); break;
    default: fputs(usage, stderr); exit(2);
    }
}

/* Error texts are printable by RESP; quotes and backslashes are replaced. */
static void print(const struct load_plan *p, const struct load_result *r)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    double replies = r->replies ? (double)r->replies : 1;
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"per_second\": %.1f, \"errors\": %llu, \"nulls\": %llu, "
           "\"first_error\": \"",
           (unsigned long long)r->replies, r->seconds, r->seconds > 0 ? replies / r->seconds : 0,
           (unsigned long long)r->errors, (unsigned long long)r->nulls);
    for (const char *c = r->error; *c; c++) putchar(*c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? '?' : *c);
    printf("\", \"clients\": %u, \"pipeline\": %u", p->clients, p->pipeline);
    static const struct {
        const char *name;
        double percent;
    } shown[] = {{"p50_us", 50}, {"p99_us", 99}, {"p999_us", 99.9}, {"max_us", 100}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        printf(", \"%s\": %.1f", shown[i].name,
               (double)load_histogram_percentile(&r->latency, shown[i].percent) / 1000);
    printf(", \"generator_cpu_us\": %.3f}\n", cpu / replies * 1e6);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, 0, 'p'},     {"clients", 1, 0, 'c'},   {"pipeline", 1, 0, 'P'},
                                          {"requests", 1, 0, 'n'}, {"seconds", 1, 0, 's'},   {"rate", 1, 0, 'r'},
                                          {"keys", 1, 0, 'k'},     {"pick", 1, 0, 'd'},      {"value", 1, 0, 'v'},
                                          {"seed", 1, 0, 'S'},     {"self-test", 0, 0, 't'}, {0}};
    static struct load_request kinds[LOAD_REQUESTS_MAX];
    static struct load_result result;
    struct options o = {
        .plan = {.clients = 1, .pipeline = 1, .kinds = kinds}, .keys = 100000, .seed = 1, .value_len = 64};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (option == 't') return load_self_test();
        set_option(&o, option, optarg);
    }
    if (!o.plan.port) refuse("there is no", "--port");
    if (!o.plan.requests && o.plan.seconds <= 0) refuse("there is no", "--requests or --seconds");
    if (optind == argc || argc - optind > LOAD_REQUESTS_MAX) refuse("there must be 1 to 32", "REQUEST");
    for (int i = optind; i < argc; i++) {
        const char *wrong = load_request_init(&kinds[o.plan.kind_count++], argv[i], o.value_len);
        if (wrong) refuse(wrong, argv[i]);
    }
    load_pick_init(&o.plan.pick, o.pick, o.keys, o.exponent, o.seed);
    bool ended = load_run(&o.plan, &result);
    if (ended) print(&o.plan, &result);
    if (!ended)
        fprintf(stderr, "bench_load: %s, after %llu replies\n", result.error, (unsigned long long)result.replies);
    for (uint32_t i = 0; i < o.plan.kind_count; i++) load_request_release(&kinds[i]);
    return ended ? EXIT_SUCCESS : EXIT_FAILURE;
}
