/* What commands tell that they will read of large values is what they do read: on a node that has nothing in memory, each row that a command looks up was read
 * by the store's threads before, and few others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/random.h"
#include "fixture.h"

/* ---- the data ---- */

/* So many that a reply with all of them fits what client_receive() takes. */
#define FIELDS  1200
#define MEMBERS 2000
#define VALUES  3000
#define ENTRIES 1500

/* A request of any length. */
static const char *run(struct node *n, int c, const char *line)
{
    static char whole[65536];
    snprintf(whole, sizeof whole, "%s\r\n", line);
    client_send(c, whole);
    return client_receive(n, c);
}

/* `count` arguments, as `format` makes them of the numbers from `from` on (up to two for each), behind `begin`. */
static void send_many(struct node *n, int c, const char *begin, const char *format, unsigned from, unsigned count)
{
    static char line[65536];
    size_t len = (size_t)snprintf(line, sizeof line, "%s", begin);
    for (unsigned i = from; i < from + count; i++) len += (size_t)snprintf(line + len, sizeof line - len, format, i, i * 7 % 1000);
    assert_true(run(n, c, line)[0] != '-');
}

static void fill_in(struct node *n, int c, const char *begin, const char *format, unsigned count)
{
    for (unsigned i = 0; i < count; i += 100) send_many(n, c, begin, format, i, 100);
}

static void add_entries(struct node *n, int c)
{
    char lines[20][64], all[sizeof lines + 1] = "";
    for (unsigned i = 1; i <= ENTRIES; i += 20) {
        all[0] = 0;
        for (unsigned k = i; k < i + 20; k++) {
            snprintf(lines[k - i], sizeof lines[0], "XADD x %u-1 name value:%u other %u\r\n", k, k, k);
            strcat(all, lines[k - i]);
        }
        client_send(c, all);
        for (unsigned k = 0; k < 20; k++) client_receive(n, c);
    }
}

static void add_string(struct node *n, int c)
{
    static char line[40000];
    size_t head = (size_t)snprintf(line, sizeof line, "APPEND b ");
    memset(line + head, 'x', 30000);
    for (int i = 0; i < 8; i++) run(n, c, line);
}

static int setup_large(void **state)
{
    if (node_setup(state)) return -1;
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    fill_in(n, c, "HSET h", " field:%u value:%u", FIELDS);
    fill_in(n, c, "HSET expiring", " field:%u value:%u", 600);
    for (unsigned i = 0; i < 600; i += 100) send_many(n, c, "HPEXPIRE expiring 100000000 FIELDS 100", " field:%u", i, 100);
    fill_in(n, c, "SADD s", " member:%u", FIELDS);
    fill_in(n, c, "SADD t", " member:%u", 1000);
    fill_in(n, c, "SADD many", " member:%u:of:a:set:that:has:more:rows:than:are:read:at:once", 8000);
    fill_in(n, c, "ZADD z", " %2$u member:%1$u", MEMBERS);
    fill_in(n, c, "ZADD lex", " 0 member:%u", MEMBERS);
    fill_in(n, c, "RPUSH l", " value:%u", VALUES);
    add_entries(n, c);
    add_string(n, c);
    client_close(c);
    node_restart_cold(n);
    return 0;
}

/* What was written goes to disk, and leaves memory. Each command ends a turn of the store's. */
static void leave_memory(struct node *n, int c)
{
    struct store_statistics s;
    store_checkpoint_soon(n->store);
    do {
        says(n, c, "PING", "+PONG");
        store_statistics(n->store, &s);
    } while (s.checkpoint_running || s.dirty_rows);
    says(n, c, "PING", "+PONG");
}

/* ---- one command after the other ---- */

static const struct example {
    const char *line;
    size_t in_vain; /* rows that are read for nothing, at most */
} examples[] = {
    {"HGET h field:77", 0},
    {"HGET h none", 0},
    {"HMGET h field:1 field:2 none field:1199", 0},
    {"HEXISTS h field:3", 0},
    {"HSTRLEN h field:4", 0},
    {"HSET h field:5 v new:1 w new:2 w", 0},
    {"HSETNX h field:6 v", 0},
    {"HINCRBY h counter 1", 0},
    {"HDEL h field:7 field:8 none", 0},
    {"HGETALL h", 0},
    {"HKEYS h", 0},
    {"HTTL expiring FIELDS 2 field:1 field:2", 0},
    {"HDEL expiring field:3", 0},
    {"HSET expiring field:4 v", 0},
    {"HPERSIST expiring FIELDS 1 field:5", 0},
    {"SISMEMBER s member:1", 0},
    {"SMISMEMBER s member:1 none member:3", 0},
    {"SADD s member:1 new:1 new:2 new:3 new:4 new:5", 0},
    {"SREM s member:4 member:5", 0},
    {"SMEMBERS s", 0},
    {"SMOVE s t member:1100", 0},
    {"SUNION s t", 0},
    {"SINTERCARD 2 s t", 0},
    {"SDIFF s t", 0},
    {"ZSCORE z member:1", 0},
    {"ZMSCORE z member:1 none", 0},
    {"ZRANK z member:2", 0},
    {"ZREVRANK z member:2", 0},
    {"ZADD z 500 member:3", 0},
    {"ZADD z 500.5 new:1 7 new:2", 0},
    {"ZADD z XX INCR 3 member:4", 0},
    {"ZINCRBY z -3 member:5", 0},
    {"ZREM z member:6 none", 0},
    {"ZRANGE z 100 300", 0},
    {"ZRANGE z 0 -1 WITHSCORES", 0},
    {"ZRANGE z 5 9 REV", 0},
    {"ZREVRANGE z 0 10", 0},
    {"ZRANGE z (100 300 BYSCORE LIMIT 10 20", 0},
    {"ZRANGE z 300 (100 BYSCORE REV LIMIT 10 20", 0},
    {"ZRANGEBYSCORE z -inf 3", 0},
    {"ZREVRANGEBYSCORE z +inf 990", 0},
    {"ZRANGEBYLEX lex [member:1 (member:3", 0},
    {"ZREVRANGEBYLEX lex + [member:19 LIMIT 0 5", 0},
    {"ZCOUNT z 10 20", 0},
    {"ZLEXCOUNT lex [member:1 +", 0},
    {"ZREMRANGEBYRANK z 10 15", 0},
    {"ZREMRANGEBYSCORE z 700 701", 0},
    {"ZREMRANGEBYLEX lex [member:1000 [member:1003", 0},
    {"ZPOPMIN z 3", 0},
    {"ZPOPMAX z", 0},
    {"BZPOPMIN z 1", 0},
    {"ZUNION 2 z s", 0},
    {"ZINTER 2 z lex", 40}, /* the other one's order, and the smaller one's buckets */
    {"SINTER t s", 0},
    {"LINDEX l 2000", 0},
    {"LINDEX l -2", 0},
    {"LRANGE l 1000 1100", 0},
    {"LRANGE l 0 -1", 0},
    {"LSET l 2000 v", 0},
    {"LPUSH l a b c", 0},
    {"RPUSH l a b c", 0},
    {"LPOP l", 0},
    {"LPOP l 300", 0},
    {"RPOP l 300", 0},
    {"RPOPLPUSH l l", 0},
    {"LPOS l value:2500 MAXLEN 0", 3},
    {"LINSERT l BEFORE value:2000 v", 2},
    {"LTRIM l 50 -50", 0},
    {"XRANGE x 100 200", 0},
    {"XRANGE x - + COUNT 5", 0},
    {"XREVRANGE x + - COUNT 5", 0},
    {"XREVRANGE x 300 200 COUNT 30", 0},
    {"XADD x * name v", 0},
    {"XREAD COUNT 10 STREAMS x 700", 0},
    {"XDEL x 300-1 400-1", 0},
    {"BITCOUNT b", 0},
    {"BITPOS b 1", 14},
    {"STRLEN b", 0},
    {"GETRANGE b 16300 16400", 0},
    {"GETRANGE b -10 -1", 0},
    {"SETRANGE b 100000 abc", 0},
    {"GETBIT b 800000", 0},
    {"SETBIT b 900000 1", 0},
    {"BITCOUNT b 0 20000", 0},
    {"APPEND b y", 0},
    {"HSCAN h 0", 2},
    {"HSCAN h 0 COUNT 200", 6},
    {"SSCAN s 0 COUNT 5", 2},
    {"ZSCAN z 0", 2},
    {"LMPOP 2 none l LEFT COUNT 200", 1},
    {"LMPOP 2 l none RIGHT", 1},
    {"ZMPOP 2 z lex MAX COUNT 4", 0},
    {"BZMPOP 1 2 none z MIN", 0},
    {"BITFIELD b GET u8 800000 SET i16 #90000 5 OVERFLOW SAT INCRBY u4 1000 1", 0},
    {"XADD x MAXLEN 1000 * name v", 2},
    {"XADD x MAXLEN ~ 800 * name v", 2},
    {"XTRIM x MINID 700", 2},
    {"COPY z copy", 0},
    {"DUMP s", 0},
    {"SINTERCARD 1 many", 0}, /* more rows than are read at once */
    {"TYPE h", 0},
    {"EXPIRE h 1000", 0},
    {"HGET z member:1", 1},
    {"LINDEX none 3", 0},
    {"LPOP l -9223372036854775808", 1}, /* the key's */
    {"ZPOPMAX z -9223372036854775808", 1},
    {"LTRIM l -9223372036854775808 9223372036854775807", 0},
    {"ZREVRANGE z 9223372036854775807 -9223372036854775808", 0},
    {"ZADD l 1 x", 0},
};

static void test_what_a_command_tells_is_what_it_reads(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        leave_memory(n, c);
        node_watch_reads();
        run(n, c, examples[i].line);
        size_t alone = node_reads_alone(), in_vain = node_reads_in_vain();
        if (alone > 0 || in_vain > examples[i].in_vain)
            print_error("%s: %zu rows read by the node itself, %zu in vain\n", examples[i].line, alone, in_vain);
        wrong += alone > 0 || in_vain > examples[i].in_vain;
    }
    assert_int_equal(wrong, 0);
    client_close(c);
}

/* So many needs that they are not looked at together. */
static void test_a_command_of_many_arguments_tells_of_all(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    unsigned wrong = 0;
    static const struct {
        const char *begin, *format;
    } requests[] = {{"HMGET h", " field:%u"}, {"HDEL h", " field:%u"}, {"ZADD z", " %2$u member:%1$u"}, {"SADD many", " new:%u"}, {"MGET", " k:%u"}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        leave_memory(n, c);
        node_watch_reads();
        send_many(n, c, requests[i].begin, requests[i].format, 0, 3000);
        size_t alone = node_reads_alone();
        if (alone) print_error("%s: %zu rows read by the node itself\n", requests[i].begin, alone);
        wrong += alone > 0;
    }
    assert_int_equal(wrong, 0);
    client_close(c);
}

static void test_a_transaction_tells_of_all_it_has(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "MULTI", "+OK");
    ask(n, c, "HGET h field:1");
    ask(n, c, "PING");
    ask(n, c, "ZADD z 5 member:7");
    ask(n, c, "SELECT 1");
    ask(n, c, "HGET h field:1");
    ask(n, c, "SELECT 0");
    ask(n, c, "LINDEX l 1500");
    node_watch_reads();
    assert_string_equal(ask(n, c, "EXEC"), "*7\r\n$7\r\nvalue:7\r\n+PONG\r\n:0\r\n+OK\r\n$-1\r\n+OK\r\n$10\r\nvalue:1500");
    assert_int_equal(node_reads_alone(), 0);
    assert_int_equal(node_reads_in_vain(), 0);
    client_close(c);
}

/* So many requests that they are not looked at together; SELECT changes what those behind it mean. */
static void test_a_long_transaction_tells_of_all_it_has(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    char line[64];
    says(n, c, "SELECT 1", "+OK");
    says(n, c, "MULTI", "+OK");
    says(n, c, "SELECT 0", "+QUEUED");
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(line, sizeof line, "HSTRLEN h field:%u", i % FIELDS);
        says(n, c, line, "+QUEUED");
    }
    says(n, c, "LINDEX l 1500", "+QUEUED");
    node_watch_reads();
    assert_contains(ask(n, c, "EXEC"), "value:1500");
    assert_int_equal(node_reads_alone(), 0);
    client_close(c);
}

/* ---- hostile requests: were all arguments gone through for each key, or all keys at each look, nobody would be served for minutes ---- */

#define HOSTILE 20000u

static void append(struct buffer *out, unsigned count, const char *arguments)
{
    while (count--) buffer_append_text(out, arguments);
}

static void append_keys(struct buffer *out)
{
    for (unsigned i = 0; i < HOSTILE; i++) buffer_printf(out, "$9\r\nkey:%05u\r\n", i);
}

/* Sends what is in the buffer, of any length, and empties it. */
static const char *run_long(struct node *n, int c, struct buffer *request)
{
    for (size_t at = 0; at < request->len;) {
        ssize_t sent = send(c, request->data + at, request->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) at += (size_t)sent;
        node_turn(n);
    }
    buffer_clear(request);
    return client_receive(n, c);
}

static void test_very_many_keys_are_told_in_time(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    struct buffer request;
    leave_memory(n, c);
    buffer_init(&request, SIZE_MAX);
    buffer_printf(&request, "*%u\r\n$6\r\nSINTER\r\n", HOSTILE + 1);
    append_keys(&request);
    assert_string_equal(run_long(n, c, &request), "*0");
    buffer_printf(&request, "*%u\r\n$5\r\nXREAD\r\n", 4 * HOSTILE + 2);
    append(&request, HOSTILE, "$5\r\nCOUNT\r\n$1\r\n1\r\n");
    append(&request, 1, "$7\r\nSTREAMS\r\n");
    append_keys(&request);
    append(&request, HOSTILE, "$1\r\n0\r\n");
    assert_string_equal(run_long(n, c, &request), "*-1");
    buffer_release(&request);
    client_close(c);
}

static void test_a_pipeline_tells_of_all_it_has(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    node_watch_reads();
    client_send(c, "HGET h field:1\r\nSADD s new\r\nHGET h field:2\r\nGETRANGE b 0 0\r\nPING\r\nZSCORE z member:3\r\n");
    static const char *const replies[] = {"$7\r\nvalue:7", ":1", "$8\r\nvalue:14", "$1\r\nx", "+PONG", "$2\r\n21"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) assert_string_equal(client_receive(n, c), replies[i]);
    assert_int_equal(node_reads_alone(), 0);
    client_close(c);
}

/* ---- while a command waits for rows behind its key's ---- */

static void wait_for_read(struct node *n)
{
    while (!node_waiting_reads(n)) node_turn(n);
}

/* The key's row is in memory: what is read is a bucket. */
static void begin_to_wait(struct node *n, int c, int other)
{
    says(n, other, "HSET h another v", ":1");
    node_hold_reads("");
    client_send(c, "HGET h field:77\r\n");
    wait_for_read(n);
    assert_true(client_is_silent(n, c));
}

static void test_a_key_may_go_while_a_command_waits_for_its_value(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    begin_to_wait(n, c, other);
    says(n, other, "DEL h", ":1");
    node_hold_reads(NULL);
    assert_string_equal(client_receive(n, c), "$-1");
    client_close(c);
    client_close(other);
}

static void test_a_key_may_become_another_while_a_command_waits_for_its_value(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    begin_to_wait(n, c, other);
    says(n, other, "DEL h", ":1");
    says(n, other, "SET h v", "+OK");
    node_hold_reads(NULL);
    assert_contains(client_receive(n, c), "-WRONGTYPE");
    client_close(c);
    client_close(other);
}

static void test_a_client_may_be_killed_while_it_waits_for_a_value(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, c, "CLIENT SETNAME c", "+OK");
    begin_to_wait(n, c, other);
    char line[64];
    snprintf(line, sizeof line, "CLIENT KILL ID %ld", strtol(strstr(ask(n, other, "CLIENT LIST"), "id=") + 3, NULL, 10));
    says(n, other, line, ":1");
    assert_string_equal(client_receive(n, c), "");
    node_hold_reads(NULL);
    says(n, other, "HGET h field:77", "$9\r\nvalue:539");
    client_close(c);
    client_close(other);
}

/* ---- several clients, rows that leave memory all the time ---- */

#define CROWD 200 /* who would need more rows, a hundred and more each, than may wait altogether */

static void test_large_requests_of_a_crowd_leave_room_for_others(void **state)
{
    struct node *n = *state;
    int crowd[CROWD], other = client_connect(n, "127.0.0.1");
    for (unsigned i = 0; i < CROWD; i++) crowd[i] = client_connect(n, "127.0.0.1");
    says(n, other, "SADD many another", ":1"); /* the key's row is in memory: what is read are buckets */
    node_hold_reads("");
    node_watch_reads();
    for (unsigned i = 0; i < CROWD; i++) client_send(crowd[i], "SINTERCARD 1 many\r\n");
    for (unsigned i = 0; i < CROWD; i++) assert_true(client_is_silent(n, crowd[i]));
    assert_int_equal(node_reads_alone(), 0);
    node_hold_reads(NULL);
    for (unsigned i = 0; i < CROWD; i++) {
        assert_string_equal(client_receive(n, crowd[i]), ":8001");
        client_close(crowd[i]);
    }
    client_close(other);
}

#define CLIENTS 4

/* A change of a value that only this client has, and what its count must be then: commands of a client come in order. */
static void test_random_commands_of_several_clients_keep_their_order(void **state)
{
    struct node *n = *state;
    const char *seed = getenv("AIKV_SEED");
    uint64_t random = seed ? strtoull(seed, NULL, 10) : 815;
    print_message("AIKV_SEED=%llu\n", (unsigned long long)random);
    int clients[CLIENTS];
    char line[256], reply[64];
    for (int i = 0; i < CLIENTS; i++) clients[i] = client_connect(n, "127.0.0.1");
    for (unsigned step = 0; step < 150; step++) {
        if (step % 10 == 0) leave_memory(n, clients[0]);
        for (int i = 0; i < CLIENTS; i++) {
            unsigned k = (unsigned)random_below(&random, FIELDS);
            snprintf(line, sizeof line, "HSET h f:%d:%u %u\r\nHINCRBY h f:%d:%u 1\r\nZADD z %u m:%d\r\nZINCRBY z 1 m:%d\r\nRPOPLPUSH l l\r\nZRANK z none\r\n", i, k, step, i, k,
                     k, i, i);
            client_send(clients[i], line);
        }
        for (int i = 0; i < CLIENTS; i++) {
            client_receive(n, clients[i]);
            snprintf(reply, sizeof reply, ":%u", step + 1);
            assert_string_equal(client_receive(n, clients[i]), reply);
            client_receive(n, clients[i]);
            assert_true(client_receive(n, clients[i])[0] == '$');
            assert_true(client_receive(n, clients[i])[0] == '$');
            assert_string_equal(client_receive(n, clients[i]), "$-1");
        }
    }
    snprintf(reply, sizeof reply, ":%u", VALUES);
    says(n, clients[0], "LLEN l", reply);
    snprintf(reply, sizeof reply, ":%u", MEMBERS + CLIENTS);
    says(n, clients[0], "ZCARD z", reply);
    for (int i = 0; i < CLIENTS; i++) client_close(clients[i]);
}

#define WITH_LARGE_VALUES(test) cmocka_unit_test_setup_teardown(test, setup_large, node_teardown)

int run_need_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LARGE_VALUES(test_what_a_command_tells_is_what_it_reads),
        WITH_LARGE_VALUES(test_a_command_of_many_arguments_tells_of_all),
        WITH_LARGE_VALUES(test_a_transaction_tells_of_all_it_has),
        WITH_LARGE_VALUES(test_a_long_transaction_tells_of_all_it_has),
        WITH_LARGE_VALUES(test_very_many_keys_are_told_in_time),
        WITH_LARGE_VALUES(test_a_pipeline_tells_of_all_it_has),
        WITH_LARGE_VALUES(test_a_key_may_go_while_a_command_waits_for_its_value),
        WITH_LARGE_VALUES(test_a_key_may_become_another_while_a_command_waits_for_its_value),
        WITH_LARGE_VALUES(test_a_client_may_be_killed_while_it_waits_for_a_value),
        WITH_LARGE_VALUES(test_large_requests_of_a_crowd_leave_room_for_others),
        WITH_LARGE_VALUES(test_random_commands_of_several_clients_keep_their_order),
    };
    return cmocka_run_group_tests_name("needs", tests, NULL, NULL);
}
