#include <stdio.h>

#include "fixture.h"

static int read_back(const struct cluster_node_info *i, struct cluster_node_info *out, struct error *e)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    cluster_node_info_write(&b, i);
    struct reader in = reader_of(buffer_bytes(&b));
    int code = cluster_node_info_read(&in, out, e);
    if (code == 0) assert_true(reader_done(&in));
    buffer_release(&b);
    return code;
}

static void test_info_survives_a_round_trip(void **state)
{
    (void)state;
    struct cluster_node_info i = node_info(3, ""), out;
    snprintf(i.labels, sizeof i.labels, "disk=nvme rack=Z\xc3\xbcrich 4");
    i.endpoint_count = 4;
    i.endpoints[3] = i.endpoints[0];
    i.endpoints[0] = (struct cluster_endpoint){"gateway", "192.168.0.1", 7003};
    i.endpoints[1] = (struct cluster_endpoint){"10.0.0.0/8", "aikv3", 6379};
    i.endpoints[2] = (struct cluster_endpoint){"fd00::/8", "fd00::3", 6379};
    assert_int_equal(read_back(&i, &out, NULL), 0);
    assert_string_equal(out.labels, i.labels);
    assert_string_equal(out.endpoints[2].host, "fd00::3");
    assert_int_equal(out.endpoints[0].port, 7003);
}

#define REFUSES(field, change)                                                                                         \
    do {                                                                                                               \
        struct cluster_node_info i = node_info(3, "a"), out;                                                           \
        struct error e = {0};                                                                                          \
        change;                                                                                                        \
        assert_int_equal(read_back(&i, &out, &e), ERROR_SYNTAX);                                                       \
        if (!strstr(e.text, field)) fail_msg("'%s' does not name %s", e.text, field);                                  \
    } while (0)

static void test_a_bad_field_is_refused_by_name(void **state)
{
    (void)state;
    REFUSES("id", i.id[0] = 'A');
    REFUSES("id", i.id[39] = 0);
    REFUSES("name", i.name[0] = 0);
    REFUSES("name", i.name[1] = ' ');
    REFUSES("name", i.name[1] = '\n');
    REFUSES("version", i.version[0] = 0);
    REFUSES("bus_host", i.bus_host[0] = 0);
    REFUSES("bus_host", i.bus_host[0] = ',');
    REFUSES("bus_port", i.bus_port = 0);
    REFUSES("zone", i.zone[0] = '\x7f');
    REFUSES("labels", i.labels[0] = '\x1b');
    REFUSES("endpoint", i.endpoint_count = 0);
    REFUSES("endpoint host", i.endpoints[0].host[0] = ' ');
    REFUSES("endpoint port", i.endpoints[0].port = 0);
    REFUSES("last endpoint", snprintf(i.endpoints[0].match, sizeof i.endpoints[0].match, "gateway"));
}

static void test_a_match_that_is_no_cidr_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"10.0.0.0",  "10.0.0.0/33", "10.0.0/8",    "fd00::/129", "/8",
                                      "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "ANY"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        REFUSES("endpoint match", snprintf(i.endpoints[0].match, sizeof i.endpoints[0].match, "%s", bad[k]));
}

static void test_info_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct cluster_node_info i = node_info(3, "a"), out;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    cluster_node_info_write(&b, &i);
    for (size_t len = 0; len < b.len; len++) {
        struct reader in = reader_of(bytes_of(b.data, len));
        assert_int_equal(cluster_node_info_read(&in, &out, NULL), ERROR_SYNTAX);
    }
    buffer_release(&b);
}

int run_info_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info_survives_a_round_trip),
        cmocka_unit_test(test_a_bad_field_is_refused_by_name),
        cmocka_unit_test(test_a_match_that_is_no_cidr_is_refused),
        cmocka_unit_test(test_info_cut_at_any_byte_is_refused),
    };
    return cmocka_run_group_tests_name("cluster node info", tests, NULL, NULL);
}
