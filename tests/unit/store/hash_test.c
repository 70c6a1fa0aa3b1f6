#include "base/siphash.h"
#include "fixture.h"

/* From CPython 3.11 (PYTHONHASHSEED=0: the key is zero) over the bytes 0, 1, 2 … */
static void test_siphash_with_a_zero_key_is_what_python_computes(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {{1, 0x68a914128e01e473},  {2, 0x010bac45c41e3669}, {7, 0x2f098ab0c751325a},
                   {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362}, {15, 0xf30eb725bb91c9ea},
                   {16, 0x8972188433a5c5b7}, {33, 0x7fb71d24dfa4c9f6}};
    uint8_t data[64];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal(siphash((uint64_t[2]){0, 0}, data, vectors[i].len), vectors[i].hash);
}

/* From OpenSSL 3 (SIPHASH, c-rounds 1, d-rounds 3), key bytes 0 to 15. */
static void test_siphash_with_a_key_is_what_openssl_computes(void **state)
{
    (void)state;
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint8_t data[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    assert_int_equal(siphash(key, data, 15), 0xd320d86d2a519956);
    assert_int_equal(siphash(key, NULL, 0), 0xabac0158050fc4dc);
}

int run_hash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_with_a_zero_key_is_what_python_computes),
        cmocka_unit_test(test_siphash_with_a_key_is_what_openssl_computes),
    };
    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
