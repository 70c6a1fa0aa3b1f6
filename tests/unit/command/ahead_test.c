/* Pipelines: requests are looked at together before they run, which must not show. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/random.h"
#include "fixture.h"

static void append_request(struct buffer *b, int argc, const char *const *argv)
{
    buffer_printf(b, "*%d\r\n", argc);
    for (int i = 0; i < argc; i++) buffer_printf(b, "$%zu\r\n%s\r\n", strlen(argv[i]), argv[i]);
}

#define REQUEST(b, ...) \
    append_request(b, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

static void send_all(int c, struct buffer *b)
{
    buffer_append(b, "", 1);
    client_send(c, (const char *)b->data);
    buffer_release(b);
}

static void test_a_pipeline_may_change_its_database(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    struct buffer b;
    buffer_init(&b, 1 << 20);
    REQUEST(&b, "SET", "k", "zero");
    REQUEST(&b, "SELECT", "1");
    REQUEST(&b, "SET", "k", "one");
    REQUEST(&b, "GET", "k");
    REQUEST(&b, "SELECT", "0");
    REQUEST(&b, "GET", "k");
    REQUEST(&b, "FLUSHDB");
    REQUEST(&b, "GET", "k");
    REQUEST(&b, "SET", "k", "new");
    REQUEST(&b, "GET", "k");
    send_all(c, &b);
    static const char *const replies[] = {"+OK", "+OK", "+OK", "$3\r\none", "+OK", "$4\r\nzero", "+OK", "$-1", "+OK", "$3\r\nnew"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) assert_string_equal(client_receive(n, c), replies[i]);
    client_close(c);
}

#define KEYS  40
#define TURNS 300

struct world {
    uint64_t seed;
    long values[2][KEYS]; /* -1: none */
    unsigned database;
    struct buffer requests;
    char replies[24][64];
    size_t count;
};

/* Short, long, and named by its hash. */
static void name_of(size_t key, char out[600])
{
    size_t len = key % 8 == 0 ? 450 + key : key % 8 == 1 ? 150 + key : 0;
    memset(out, 'x', len);
    snprintf(out + len, 600 - len, "key:%zu", key);
}

static void value_reply(long value, char out[64])
{
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    snprintf(out, 64, value < 0 ? "$-1" : "$%zu\r\n%s", strlen(text), text);
}

static void add_request(struct world *w)
{
    char name[600], text[32], *reply = w->replies[w->count++];
    size_t key = (size_t)random_below(&w->seed, KEYS);
    long *value = &w->values[w->database][key];
    name_of(key, name);
    switch (random_below(&w->seed, 12)) {
    case 0:
        w->database = !w->database;
        REQUEST(&w->requests, "SELECT", w->database ? "1" : "0");
        strcpy(reply, "+OK");
        break;
    case 1:
        REQUEST(&w->requests, "GET");
        strcpy(reply, "-ERR wrong number of arguments for 'get' command");
        break;
    case 2:
        REQUEST(&w->requests, "DEL", name);
        snprintf(reply, 64, ":%d", *value >= 0);
        *value = -1;
        break;
    case 3:
    case 4:
        REQUEST(&w->requests, "INCR", name);
        snprintf(reply, 64, ":%ld", *value = *value < 0 ? 1 : *value + 1);
        break;
    case 5:
    case 6:
    case 7:
        *value = (long)random_below(&w->seed, 1000000);
        snprintf(text, sizeof text, "%ld", *value);
        REQUEST(&w->requests, "SET", name, text);
        strcpy(reply, "+OK");
        break;
    default:
        REQUEST(&w->requests, "GET", name);
        value_reply(*value, reply);
    }
}

static void check_random_pipelines(struct node *n)
{
    static struct world w;
    const char *given = getenv("AIKV_SEED");
    w = (struct world){.seed = given ? strtoull(given, NULL, 10) : 815};
    print_message("AIKV_SEED=%llu\n", (unsigned long long)w.seed);
    memset(w.values, -1, sizeof w.values);
    int c = client_connect(n, "127.0.0.1");
    for (int turn = 0; turn < TURNS; turn++) {
        buffer_init(&w.requests, 1 << 20);
        w.count = 0;
        for (size_t i = 1 + (size_t)random_below(&w.seed, 24); i > 0; i--) add_request(&w);
        send_all(c, &w.requests);
        if (random_below(&w.seed, 8) == 0) store_checkpoint_soon(n->store);
        for (size_t i = 0; i < w.count; i++) assert_string_equal(client_receive(n, c), w.replies[i]);
    }
    client_close(c);
}

static void test_random_pipelines_equal_a_model(void **state)
{
    check_random_pipelines(*state);
}

static void test_random_pipelines_of_cold_keys_equal_a_model(void **state)
{
    struct node *n = *state;
    check_random_pipelines(n);
    struct store_statistics s;
    store_statistics(n->store, &s);
    assert_true(s.cold_reads > 100);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_ahead_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_a_pipeline_may_change_its_database),
        WITH_NODE(test_random_pipelines_equal_a_model),
        cmocka_unit_test_setup_teardown(test_random_pipelines_of_cold_keys_equal_a_model, node_setup_cold, node_teardown),
    };
    return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
