#include "bus_tests.h"

#include <string.h>

#include "net/gateway.h"
#include "net/resolve.h"

static void splits(const char *text, const char *host, unsigned port)
{
    char found[64];
    uint16_t found_port;
    assert_int_equal(net_split_address(text, found, sizeof found, &found_port, NULL), 0);
    assert_string_equal(found, host);
    assert_int_equal(found_port, port);
}

static void test_an_address_is_split(void **state)
{
    (void)state;
    splits("127.0.0.1:50051", "127.0.0.1", 50051);
    splits("aikv-1.example_net:0", "aikv-1.example_net", 0);
    splits("[::1]:65535", "::1", 65535);
    splits("[fe80::1%eth0]:1", "fe80::1%eth0", 1);
}

static void test_what_is_no_address_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "host",        "host:",
        ":1",         "host:65536",  "host:-1",
        "host:1x",    "::1:5",       "[::1]",
        "[::1]5",     "[]:5",        "[::1:5",
        "a b:1",      "a\nb:1",      "host:1:2",
        "[host-1]:1", "host: 1",     "host:+1",
        "[::1]:",     "host:000001", "a-name-that-is-much-longer-than-the-sixty-four-bytes-that-are-there-for-it:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char host[64];
        uint16_t port;
        struct error e = {0};
        if (net_split_address(bad[i], host, sizeof host, &port, &e) != ERROR_SYNTAX) fail_msg("'%s' was taken", bad[i]);
        assert_non_null(strstr(e.text, "is no address"));
    }
}

static void test_addresses_are_in_their_networks(void **state)
{
    (void)state;
    assert_true(net_in_cidr("172.18.0.1", "172.18.0.0/16"));
    assert_false(net_in_cidr("172.19.0.1", "172.18.0.0/16"));
    assert_true(net_in_cidr("10.1.2.3", "0.0.0.0/0"));
    assert_true(net_in_cidr("10.1.2.3", "10.1.2.3"));
    assert_false(net_in_cidr("10.1.2.4", "10.1.2.3"));
    assert_true(net_in_cidr("10.1.2.3", "10.1.2.2/31"));
    assert_false(net_in_cidr("10.1.2.4", "10.1.2.2/31"));
    assert_true(net_in_cidr("192.168.127.255", "192.168.64.0/18"));
    assert_false(net_in_cidr("192.168.128.0", "192.168.64.0/18"));
    assert_true(net_in_cidr("::1", "::1/128"));
    assert_true(net_in_cidr("2001:db8:ff::1", "2001:db8::/32"));
    assert_false(net_in_cidr("2001:db9::1", "2001:db8::/32"));
    assert_true(net_in_cidr("2001:db8:8000::", "2001:db8:8000::/33"));
    assert_false(net_in_cidr("2001:db8:7fff::", "2001:db8:8000::/33"));
}

static void test_v4_and_v6_do_not_mix_unless_mapped(void **state)
{
    (void)state;
    assert_false(net_in_cidr("::1", "0.0.0.0/0"));
    assert_false(net_in_cidr("127.0.0.1", "::/0"));
    assert_true(net_in_cidr("::ffff:10.0.0.7", "10.0.0.0/8"));
    assert_true(net_in_cidr("10.0.0.7", "::ffff:10.0.0.0/104"));
    assert_false(net_in_cidr("::ffff:11.0.0.7", "10.0.0.0/8"));
}

static void test_what_is_no_network_holds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/",
                                      "10.0.0/8",
                                      "::1/129",
                                      "any",
                                      "10.0.0.0/08",
                                      "1.2.3.4/8/8",
                                      " 10.0.0.0/8",
                                      "10.0.0.0/8 ",
                                      "/8",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (net_cidr_valid(bad[i])) fail_msg("'%s' was taken", bad[i]);
        assert_false(net_in_cidr("10.0.0.1", bad[i]));
        assert_false(net_in_cidr(bad[i], "0.0.0.0/0"));
    }
    assert_true(net_cidr_valid("10.0.0.0/8"));
    assert_true(net_cidr_valid("::1"));
    assert_false(net_in_cidr("10.0.0.0/8", "0.0.0.0/0")); /* an address has no bits */
}

static void test_the_default_route_names_the_gateway(void **state)
{
    (void)state;
    char out[64] = "";
    assert_false(gateway_parse_route(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n", out, sizeof out));
    assert_false(gateway_parse_route("eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n", out, sizeof out));
    assert_false(gateway_parse_route("tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n", out,
                                     sizeof out)); /* 0.0.0.0/1 */
    assert_false(gateway_parse_route("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", out, sizeof out));
    assert_false(gateway_parse_route("eth0\t0000", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(gateway_parse_route("eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", out, sizeof out));
    assert_string_equal(out, "172.18.0.1");
}

static void test_the_machines_gateway_is_an_address_or_nothing(void **state)
{
    (void)state;
    char out[64];
    net_default_gateway(out, sizeof out);
    assert_true(out[0] == 0 || net_cidr_valid(out));
}

static void test_loopback_is_recognised(void **state)
{
    (void)state;
    assert_true(net_host_is_loopback("127.0.0.1"));
    assert_true(net_host_is_loopback("127.8.8.8"));
    assert_true(net_host_is_loopback("::1"));
    assert_true(net_host_is_loopback("::ffff:127.0.0.1"));
    assert_true(net_host_is_loopback("localhost"));
    assert_false(net_host_is_loopback("0.0.0.0"));
    assert_false(net_host_is_loopback("::"));
    assert_false(net_host_is_loopback("10.0.0.1"));
    assert_false(net_host_is_loopback("no such host"));
}

int resolve_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_is_split),
        cmocka_unit_test(test_what_is_no_address_is_named),
        cmocka_unit_test(test_addresses_are_in_their_networks),
        cmocka_unit_test(test_v4_and_v6_do_not_mix_unless_mapped),
        cmocka_unit_test(test_what_is_no_network_holds_nothing),
        cmocka_unit_test(test_the_default_route_names_the_gateway),
        cmocka_unit_test(test_the_machines_gateway_is_an_address_or_nothing),
        cmocka_unit_test(test_loopback_is_recognised),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
