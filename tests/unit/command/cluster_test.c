/* Keys by slot: "b" 3300 (node 1), "a" 15495 (node 3), "c" 7365 (node 2). */
#include "fixture.h"

#define ID1 "0000000100000000000000000000000000000000"
#define ID2 "0000000200000000000000000000000000000000"
#define ID3 "0000000300000000000000000000000000000000"
#define ID4 "0000000400000000000000000000000000000000"
#define ID5 "0000000500000000000000000000000000000000"
#define ID6 "0000000600000000000000000000000000000000"

static void test_without_a_cluster_no_slot_is_served(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    says(n, c, "GET b", "-CLUSTERDOWN Hash slot not served");
    says(n, c, "PING", "+PONG");
    says(n, c, "DBSIZE", ":0");
    assert_contains(ask(n, c, "CLUSTER MYID"), "-CLUSTERDOWN ");
    assert_contains(ask(n, c, "CLUSTER NODES"), "-CLUSTERDOWN ");
    command_engine_set_routing(n->engine, routing_of_candidate());
    says(n, c, "GET b", "-CLUSTERDOWN Hash slot not served");
    says(n, c, "CLUSTER MYID", "$40\r\n0000000900000000000000000000000000000000");
    assert_contains(ask(n, c, "CLUSTER NODES"), "0000000900000000000000000000000000000000 127.0.0.1:");
    assert_contains(ask(n, c, "CLUSTER NODES"), "@50059 myself,master - 0 0 0 connected\n");
    const char *info = ask(n, c, "CLUSTER INFO");
    assert_contains(info, "cluster_state:fail\r\n");
    assert_contains(info, "cluster_known_nodes:1\r\n");
    says(n, c, "CLUSTER SLOTS", "*0");
    client_close(c);
}

static void test_own_slots_are_served_and_others_moved(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, c, "SET b v", "+OK");
    says(n, c, "GET b", "$1\r\nv");
    says(n, c, "GET a", "-MOVED 15495 127.0.0.1:6381");
    says(n, c, "SET c v", "-MOVED 7365 127.0.0.1:6380");
    says(n, c, "MGET b {b}2", "*2\r\n$1\r\nv\r\n$-1");
    says(n, c, "MGET b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    says(n, c, "SELECT 2", "+OK");
    says(n, c, "GET b", "$-1");
    client_close(c);
}

static void test_replicas_send_to_the_primary_even_readonly(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(4));
    says(n, c, "GET b", "-MOVED 3300 127.0.0.1:6379");
    says(n, c, "READONLY", "+OK");
    says(n, c, "GET b", "-MOVED 3300 127.0.0.1:6379");
    assert_contains(ask(n, c, "CLIENT LIST"), " flags=r ");
    says(n, c, "READWRITE", "+OK");
    assert_contains(ask(n, c, "HELLO"), "$4\r\nrole\r\n$7\r\nreplica\r\n");
    client_close(c);
}

static void test_a_slot_without_owner_or_a_dead_primary_stops_the_cluster(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of(1, 2, 0));
    says(n, c, "GET a", "-CLUSTERDOWN Hash slot not served");
    says(n, c, "GET b", "-CLUSTERDOWN The cluster is down");
    says(n, c, "MGET a b", "-CLUSTERDOWN Hash slot not served"); /* the first key's slot is looked at first */
    says(n, c, "MGET b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    assert_contains(ask(n, c, "CLUSTER INFO"),
                    "cluster_state:fail\r\ncluster_slots_assigned:10923\r\ncluster_slots_ok:10923\r\n");
    command_engine_set_routing(n->engine, routing_of(1, 3, 2));
    says(n, c, "GET b", "-CLUSTERDOWN The cluster is down");
    assert_contains(ask(n, c, "CLUSTER INFO"),
                    "cluster_slots_ok:10922\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:5462\r\n");
    command_engine_set_routing(n->engine, routing_of(1, 3, 5)); /* a replica */
    says(n, c, "GET b", "$-1");
    client_close(c);
}

static void test_nodes_are_told_as_redis_tells_them(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of(1, 3, 5));
    const char *reply = ask(n, c, "CLUSTER NODES");
    assert_string_equal(strchr(reply, '\n') + 1,
                        ID1 " 127.0.0.1:6379@50051 myself,master - 0 0 3 connected 0-5460\n" ID2
                            " 127.0.0.1:6380@50052 master - 0 0 3 connected 5461-10922\n" ID3
                            " 127.0.0.1:6381@50053 master - 0 0 3 connected 10923-16383\n" ID4
                            " 127.0.0.1:6382@50054 slave " ID1 " 0 0 3 connected\n" ID5
                            " 127.0.0.1:6383@50055 slave,fail " ID2 " 0 0 3 disconnected\n" ID6
                            " 127.0.0.1:6384@50056 slave " ID3 " 0 0 3 connected\n");
    says(n, c, "CLUSTER REPLICAS " ID3, "*1\r\n$124\r\n" ID6 " 127.0.0.1:6384@50056 slave " ID3 " 0 0 3 connected");
    says(n, c, "CLUSTER REPLICAS 1", "*1\r\n$124\r\n" ID4 " 127.0.0.1:6382@50054 slave " ID1 " 0 0 3 connected");
    says(n, c, "CLUSTER SLAVES " ID4, "-ERR The specified node is not a master");
    says(n, c, "CLUSTER REPLICAS nobody", "-ERR Unknown node nobody");
    client_close(c);
}

static void test_slots_and_shards_have_what_clients_need(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of(2, 3, 6));
    says(n, c, "CLUSTER SLOTS",
         "*3\r\n"
         "*4\r\n:0\r\n:5460\r\n*4\r\n$9\r\n127.0.0.1\r\n:6379\r\n$40\r\n" ID1 "\r\n*0\r\n"
         "*4\r\n$9\r\n127.0.0.1\r\n:6382\r\n$40\r\n" ID4 "\r\n*0\r\n"
         "*4\r\n:5461\r\n:10922\r\n*4\r\n$9\r\n127.0.0.1\r\n:6380\r\n$40\r\n" ID2 "\r\n*0\r\n"
         "*4\r\n$9\r\n127.0.0.1\r\n:6383\r\n$40\r\n" ID5 "\r\n*0\r\n"
         "*3\r\n:10923\r\n:16383\r\n*4\r\n$9\r\n127.0.0.1\r\n:6381\r\n$40\r\n" ID3 "\r\n*0");
    const char *shards = ask(n, c, "CLUSTER SHARDS");
    assert_contains(
        shards, "*3\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:5460\r\n$5\r\nnodes\r\n*2\r\n*14\r\n$2\r\nid\r\n$40\r\n" ID1
                "\r\n$4\r\nport\r\n:6379\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n"
                "$4\r\nrole\r\n$6\r\nmaster\r\n$18\r\nreplication-offset\r\n:0\r\n$6\r\nhealth\r\n$6\r\nonline\r\n");
    assert_contains(shards, ID6 "\r\n$4\r\nport\r\n:6384\r\n");
    assert_contains(shards, "$7\r\nreplica\r\n$18\r\nreplication-offset\r\n:0\r\n$6\r\nhealth\r\n$4\r\nfail");
    says(n, c, "CLUSTER MYSHARDID", "$40\r\nc0ffee0000000000000000000000000000000002");
    client_close(c);
}

static void test_addresses_fit_the_network_of_the_client(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.2"); /* comes from 127.0.0.1 */
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000003)}}, to = from;
    int other = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_port = htons(n->port);
    assert_int_equal(bind(other, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(other, (struct sockaddr *)&to, sizeof to), 0);
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, c, "GET a", "-MOVED 15495 127.0.0.1:6381");
    says(n, other, "GET a", "-MOVED 15495 aikv3:6379");
    assert_contains(ask(n, other, "CLUSTER NODES"), ID2 " aikv2:6379@50052 master");
    client_close(c);
    client_close(other);
}

static void test_keys_of_a_slot(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, c, "MSET {b}1 x {b}2 y", "+OK");
    says(n, c, "CLUSTER KEYSLOT {b}1", ":3300");
    says(n, c, "CLUSTER COUNTKEYSINSLOT 3300", ":2");
    says(n, c, "CLUSTER GETKEYSINSLOT 3300 0", "*0");
    assert_contains(ask(n, c, "CLUSTER GETKEYSINSLOT 3300 1"), "*1\r\n$4\r\n{b}");
    assert_contains(ask(n, c, "CLUSTER GETKEYSINSLOT 3300 10"), "*2\r\n$4\r\n{b}");
    says(n, c, "CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot");
    says(n, c, "CLUSTER COUNTKEYSINSLOT x", "-ERR value is not an integer or out of range");
    says(n, c, "CLUSTER GETKEYSINSLOT 1 -1", "-ERR Invalid slot or number of keys");
    says(n, c, "CLUSTER GETKEYSINSLOT -1 1", "-ERR Invalid slot or number of keys");
    client_close(c);
}

static void test_keys_of_a_slot_are_told_of_when_they_are_durable(void **state)
{
    static const char *const questions[] = {"CLUSTER COUNTKEYSINSLOT 3300\r\n", "CLUSTER GETKEYSINSLOT 3300 1\r\n"};
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1"), reader = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, reader, "PING", "+PONG");
    for (int i = 0; i < 2; i++) {
        node_turn(n);
        n->gates_held = true;
        client_send(c, i ? "SET {b}2 x\r\n" : "SET {b}1 x\r\n");
        client_send(reader, questions[i]); /* runs in the same turn, after it */
        assert_true(client_is_silent(n, reader));
        node_release(n);
        assert_contains(client_receive(n, reader), i ? "*1\r\n$4\r\n{b}" : ":1");
    }
    client_close(c);
    client_close(reader);
}

static void test_keys_of_one_command_stay_in_their_slot_but_may_change_the_database(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, c, "SET b v", "+OK");
    says(n, c, "RENAME b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    says(n, c, "COPY b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    says(n, c, "LCS b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    says(n, c, "RENAME b {b}2", "+OK");
    says(n, c, "COPY {b}2 b DB 3", ":1");
    says(n, c, "MOVE {b}2 3", ":1");
    says(n, c, "DBSIZE", ":0");
    says(n, c, "SELECT 3", "+OK");
    says(n, c, "MGET b {b}2", "*2\r\n$1\r\nv\r\n$1\r\nv");
    says(n, c, "OBJECT ENCODING a", "-MOVED 15495 127.0.0.1:6381");
    says(n, c, "OBJECT ENCODING b", "$6\r\nembstr");
    says(n, c, "SWAPDB 0 3", "-ERR SWAPDB is not allowed in cluster mode");
    says(n, c, "ASKING", "+OK");
    client_close(c);
}

/* Redis looks at the first STORE for the slot, and stores at the last. */
static void test_what_is_stored_goes_to_a_slot_that_was_looked_at(void **state)
{
    static const char *const last[] = {"STORE {b}2 STORE a", "STOREDIST {b}2 STOREDIST a", "STORE {b}2 STOREDIST a", "STOREDIST STORE STORE a"};
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    char request[128];
    command_engine_set_routing(n->engine, routing_of_six(1));
    says(n, c, "GEOADD b 1 1 x", ":1");
    for (unsigned i = 0; i < sizeof last / sizeof *last; i++) {
        snprintf(request, sizeof request, "GEORADIUS b 1 1 1 km %s", last[i]);
        says(n, c, request, "-CROSSSLOT Keys in request don't hash to the same slot");
        snprintf(request, sizeof request, "GEORADIUSBYMEMBER b x 1 km %s", last[i]);
        says(n, c, request, "-CROSSSLOT Keys in request don't hash to the same slot");
    }
    says(n, c, "GEORADIUS b 1 1 1 km STORE a STORE {b}2", ":1");
    says(n, c, "DBSIZE", ":2");
    client_close(c);
}

static void test_commands_are_counted_by_slot(void **state)
{
    struct node *n = *state;
    int c = client_connect(n, "127.0.0.1");
    command_engine_set_routing(n->engine, routing_of_six(1));
    const uint32_t *commands = command_engine_slot_commands(n->engine);
    says(n, c, "SET b v", "+OK");
    says(n, c, "MGET b {b}2", "*2\r\n$1\r\nv\r\n$-1");
    says(n, c, "PING", "+PONG");
    says(n, c, "GET a", "-MOVED 15495 127.0.0.1:6381");
    says(n, c, "MGET b a", "-CROSSSLOT Keys in request don't hash to the same slot");
    assert_int_equal(commands[3300], 2);
    uint64_t all = 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) all += commands[slot];
    assert_int_equal(all, 2);
    client_close(c);
}

#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_setup_cluster, node_teardown)

int run_cluster_tests(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NODE(test_without_a_cluster_no_slot_is_served),
        WITH_NODE(test_own_slots_are_served_and_others_moved),
        WITH_NODE(test_replicas_send_to_the_primary_even_readonly),
        WITH_NODE(test_a_slot_without_owner_or_a_dead_primary_stops_the_cluster),
        WITH_NODE(test_nodes_are_told_as_redis_tells_them),
        WITH_NODE(test_slots_and_shards_have_what_clients_need),
        WITH_NODE(test_addresses_fit_the_network_of_the_client),
        WITH_NODE(test_keys_of_a_slot),
        WITH_NODE(test_keys_of_a_slot_are_told_of_when_they_are_durable),
        WITH_NODE(test_what_is_stored_goes_to_a_slot_that_was_looked_at),
        WITH_NODE(test_commands_are_counted_by_slot),
        WITH_NODE(test_keys_of_one_command_stay_in_their_slot_but_may_change_the_database),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
