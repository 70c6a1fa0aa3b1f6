#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>

#include "fixture.h"

static void test_who_was_in_before_the_password_stays_in(void **state)
{
    struct node *n = *state;
    int early = client_connect(n, "127.0.0.1");
    says(n, early, "PING", "+PONG");
    strcpy(n->password, "secret");
    int late = client_connect(n, "127.0.0.1");
    says(n, early, "PING", "+PONG");
    says(n, late, "PING", "-NOAUTH Authentication required.");
    says(n, late, "AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
    says(n, late, "AUTH somebody secret", "-WRONGPASS invalid username-password pair or user is disabled.");
    says(n, late, "AUTH default secret", "+OK");
    says(n, late, "PING", "+PONG");
    says(n, late, "RESET", "+RESET");
    says(n, late, "PING", "-NOAUTH Authentication required.");
    client_close(early);
    client_close(late);
}

static void test_hello_changes_the_protocol_with_its_own_reply(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "GET missing", "$-1");
    assert_contains(ask(n, c, "HELLO 3 SETNAME me"),
                    "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n");
    says(n, c, "GET missing", "_");
    says(n, c, "CLIENT GETNAME", "$2\r\nme");
    assert_contains(ask(n, c, "HELLO 2"), "*14\r\n");
    says(n, c, "GET missing", "$-1");
    client_close(c);
}

static void test_databases_are_the_connections_own(void **state)
{
    struct node *n = *state;
    int a = client_connect(n, "127.0.0.1"), b = client_connect(n, "127.0.0.1");
    says(n, a, "SELECT 15", "+OK");
    says(n, a, "SET k v", "+OK");
    says(n, b, "GET k", "$-1");
    says(n, b, "SELECT 16", "-ERR DB index is out of range");
    says(n, b, "SELECT 15", "+OK");
    says(n, b, "GET k", "$1\r\nv");
    client_close(a);
    client_close(b);
}

static void test_client_list_tells_redis_fields(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "CLIENT SETNAME me", "+OK");
    says(n, c, "CLIENT SETINFO LIB-NAME redis-py", "+OK");
    says(n, c, "CLIENT SETINFO LIB-VER 5.0.1", "+OK");
    says(n, c, "SELECT 3", "+OK");
    const char *line = ask(n, c, "CLIENT LIST");
    assert_contains(line, "id=1 addr=127.0.0.1:");
    assert_contains(line, " name=me age=0 idle=0 flags=N db=3 sub=0 psub=0 ssub=0 multi=-1 ");
    assert_contains(line, " cmd=client|list user=default redir=-1 resp=2 lib-name=redis-py lib-ver=5.0.1\n");
    client_close(c);
}

static void test_client_names_are_bounded(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    char request[3000] = "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$2000\r\n";
    memset(request + strlen(request), 'x', 2000);
    strcat(request, "\r\n");
    client_send(c, request);
    assert_string_equal(client_receive(n, c), "-ERR Client names cannot be longer than 1024 bytes.");
    client_close(c);
}

static void test_kill_spares_the_caller_unless_told(void **state)
{
    struct node *n = *state;
    int a = client_connect(n, "127.0.0.1"), b = client_connect(n, "127.0.0.1"), c = client_connect(n, "127.0.0.1");
    says(n, a, "CLIENT ID", ":1");
    says(n, b, "CLIENT ID", ":2");
    says(n, c, "CLIENT ID", ":3");
    says(n, a, "CLIENT KILL ID 2", ":1");
    assert_string_equal(client_receive(n, b), "");
    says(n, a, "CLIENT KILL TYPE normal", ":1");
    assert_string_equal(client_receive(n, c), "");
    says(n, a, "CLIENT KILL TYPE normal SKIPME no", ":1");
    assert_string_equal(client_receive(n, a), "");
    client_close(a);
    client_close(b);
    client_close(c);
}

static void test_kill_by_address_takes_the_caller_too(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    struct sockaddr_in self;
    socklen_t len = sizeof self;
    assert_int_equal(getsockname(c, (struct sockaddr *)&self, &len), 0);
    char request[64];
    snprintf(request, sizeof request, "CLIENT KILL 127.0.0.1:%u", ntohs(self.sin_port));
    says(n, c, request, "+OK");
    assert_string_equal(client_receive(n, c), "");
    client_close(c);
}

static void test_quit_closes_after_its_reply(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "SET k v\r\nQUIT\r\nSET k w\r\n");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "+OK");
    assert_string_equal(client_receive(n, c), "");
    client_close(c);
    c = client_connect(n, "127.0.0.1");
    says(n, c, "GET k", "$1\r\nv");
    client_close(c);
}

static void test_a_browser_is_closed_without_a_word(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    client_send(c, "POST / HTTP/1.1\r\nHost: here\r\n\r\nSET k v\r\n");
    char byte;
    node_turn(n);
    assert_true(recv(c, &byte, 1, MSG_DONTWAIT) <= 0);
    client_close(c);
    c = client_connect(n, "127.0.0.1");
    says(n, c, "GET k", "$-1");
    client_close(c);
}

/* An IPv4 address of this machine that is not loopback; false if it has none. */
static bool own_address(char out[INET_ADDRSTRLEN])
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all)) return false;
    for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET) continue;
        const struct sockaddr_in *a = (const struct sockaddr_in *)(const void *)i->ifa_addr;
        found = ntohl(a->sin_addr.s_addr) >> 24 != 127 && inet_ntop(AF_INET, &a->sin_addr, out, INET_ADDRSTRLEN);
    }
    freeifaddrs(all);
    return found;
}

static void test_protected_mode_refuses_others_until_there_is_a_password(void **state)
{
    struct node *n = *state;
    char address[INET_ADDRSTRLEN];
    n->protected_mode = true;
    int here = client_connect(n, "127.0.0.1");
    says(n, here, "PING", "+PONG");
    client_close(here);
    if (!own_address(address)) {
        print_message("this machine has only loopback addresses\n");
        return;
    }
    int there = client_connect(n, address);
    assert_contains(client_receive(n, there), "-DENIED AiKv is running in protected mode");
    assert_string_equal(client_receive(n, there), "");
    client_close(there);
    strcpy(n->password, "secret");
    there = client_connect(n, address);
    says(n, there, "AUTH secret", "+OK");
    client_close(there);
}

static void test_what_a_client_does_not_read_is_told(void **state)
{
    struct node *n = *state;
    int slow = client_connect(n, "127.0.0.1"), other = client_connect(n, "127.0.0.1");
    says(n, slow, "CLIENT SETNAME slow", "+OK");
    says(n, slow, "SETRANGE k 33554431 x", ":33554432");
    client_send(slow, "GET k\r\n");
    node_turn(n);
    const char *at = strstr(ask(n, other, "CLIENT LIST"), "name=slow");
    assert_non_null(at);
    at = strstr(at, " omem=");
    assert_non_null(at);
    assert_true(atol(at + 6) > 1000000);
    client_close(slow);
    client_close(other);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup, node_teardown)

int run_session_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_who_was_in_before_the_password_stays_in),
        WITH_NODE(test_hello_changes_the_protocol_with_its_own_reply),
        WITH_NODE(test_databases_are_the_connections_own),
        WITH_NODE(test_client_list_tells_redis_fields),
        WITH_NODE(test_client_names_are_bounded),
        WITH_NODE(test_kill_spares_the_caller_unless_told),
        WITH_NODE(test_kill_by_address_takes_the_caller_too),
        WITH_NODE(test_quit_closes_after_its_reply),
        WITH_NODE(test_a_browser_is_closed_without_a_word),
        WITH_NODE(test_protected_mode_refuses_others_until_there_is_a_password),
        WITH_NODE(test_what_a_client_does_not_read_is_told),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
