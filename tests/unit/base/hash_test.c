/* Checksums and hashes, against answers from elsewhere. */
#include "tests.h"

#include <string.h>

#include "base/crc.h"
#include "base/random.h"
#include "base/siphash.h"

static void test_crc16_is_the_one_of_redis_cluster(void **state)
{
    (void)state;
    assert_int_equal(crc16("123456789", 9), 0x31c3);  /* Redis Cluster specification, appendix A */
    assert_int_equal(crc16("foo", 3) % 16384, 12182); /* CLUSTER KEYSLOT foo */
    assert_int_equal(crc16("", 0), 0);
}

static void test_crc64_is_the_one_of_redis(void **state)
{
    (void)state;
    assert_true(crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9ca); /* redis-server 7.0, crc64.c */
    assert_true(crc64(0, "", 0) == 0);
    static const char text[] = "This is a test of the emergency broadcast system.";
    assert_true(crc64(0, text, 49) == crc64(crc64(0, text, 17), text + 17, 32));
}

static void test_crc32c_gives_the_answers_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t data[32] = {0};
    assert_true(crc32c(0, data, 32) == 0x8a9136aa);
    memset(data, 0xff, 32);
    assert_true(crc32c(0, data, 32) == 0x62a8ab43);
    for (int i = 0; i < 32; i++) data[i] = (uint8_t)i;
    assert_true(crc32c(0, data, 32) == 0x46dd794e);
    assert_true(crc32c(0, "123456789", 9) == 0xe3069283);
}

static void test_crc32c_can_be_continued(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++)
        assert_true(crc32c(crc32c(0, "123456789", cut), &"123456789"[cut], 9 - cut) == 0xe3069283);
}

static void test_crc32c_is_the_same_with_and_without_the_processor(void **state)
{
    (void)state;
    uint64_t seed = 42;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)random_next(&seed);
    for (size_t from = 0; from < 9; from++)
        for (size_t len = 0; from + len <= sizeof data; len++) {
            uint32_t begin = (uint32_t)random_next(&seed);
            assert_true(crc32c(begin, data + from, len) == crc32c_software(begin, data + from, len));
        }
}

static void test_siphash_gives_the_answers_of_siphash_1_3(void **state)
{
    (void)state;
    /* Key 00 01 … 0f, data 00 01 … : the vectors of Rust's library (library/coretests, hash/sip.rs). */
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint64_t expected[] = {0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d,
                                        0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
                                        0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e};
    uint8_t data[16];
    for (int i = 0; i < 16; i++) data[i] = (uint8_t)i;
    for (size_t len = 0; len < sizeof expected / sizeof *expected; len++)
        assert_true(siphash(key, data, len) == expected[len]);
}

static void test_splitmix_gives_the_published_sequence(void **state)
{
    (void)state;
    uint64_t seed = 1234567;
    assert_true(random_next(&seed) == 6457827717110365317u);
    assert_true(random_next(&seed) == 3203168211198807973u);
    assert_true(random_next(&seed) == 9817491932198370423u);
}

static void test_random_hex_is_hex_and_never_the_same(void **state)
{
    (void)state;
    char a[41], b[41];
    random_hex(a, 40);
    random_hex(b, 40);
    assert_int_equal(strlen(a), 40);
    assert_int_equal(strspn(a, "0123456789abcdef"), 40);
    assert_string_not_equal(a, b);
}

int hash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc16_is_the_one_of_redis_cluster),
        cmocka_unit_test(test_crc64_is_the_one_of_redis),
        cmocka_unit_test(test_crc32c_gives_the_answers_of_rfc_3720),
        cmocka_unit_test(test_crc32c_can_be_continued),
        cmocka_unit_test(test_crc32c_is_the_same_with_and_without_the_processor),
        cmocka_unit_test(test_siphash_gives_the_answers_of_siphash_1_3),
        cmocka_unit_test(test_splitmix_gives_the_published_sequence),
        cmocka_unit_test(test_random_hex_is_hex_and_never_the_same),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
