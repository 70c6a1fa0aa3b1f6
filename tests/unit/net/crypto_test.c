/* Known answers, so that the bus cannot agree with itself on something that is not HMAC or HKDF. */
#include "bus_tests.h"

#include "net/crypto.h"

static void test_hmac_gives_the_answer_of_rfc_4231(void **state)
{
    (void)state;
    /* Test case 2, whose key "Jefe" is padded with zeros by HMAC itself; its data in two parts here. */
    static const uint8_t expected[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                       0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                       0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    uint8_t key[CRYPTO_MAC_SIZE] = "Jefe", mac[CRYPTO_MAC_SIZE];
    struct bytes parts[] = {bytes_text("what do ya want "), bytes_text(""), bytes_text("for nothing?")};
    crypto_mac(key, parts, 3, mac);
    assert_memory_equal(mac, expected, sizeof mac);
    crypto_mac(key, parts, 3, mac); /* the thread's context, used again */
    assert_memory_equal(mac, expected, sizeof mac);
}

static void test_hkdf_gives_the_answer_of_rfc_5869(void **state)
{
    (void)state;
    /* Test case 3: no salt, no info; the first 32 bytes of its 42. */
    static const uint8_t expected[] = {0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80,
                                       0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1,
                                       0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d};
    uint8_t secret[22], out[CRYPTO_MAC_SIZE];
    memset(secret, 0x0b, sizeof secret);
    crypto_derive(bytes_of(secret, sizeof secret), (struct bytes){0}, "", out);
    assert_memory_equal(out, expected, sizeof out);
}

static void test_hkdf_depends_on_secret_salt_and_info(void **state)
{
    (void)state;
    uint8_t out[5][CRYPTO_MAC_SIZE];
    crypto_derive(bytes_text("s"), bytes_text("n"), "i", out[0]);
    crypto_derive(bytes_text("t"), bytes_text("n"), "i", out[1]);
    crypto_derive(bytes_text("s"), bytes_text("m"), "i", out[2]);
    crypto_derive(bytes_text("s"), bytes_text("n"), "j", out[3]);
    crypto_derive((struct bytes){0}, (struct bytes){0}, "i", out[4]);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++) assert_false(crypto_equal(out[i], out[j], CRYPTO_MAC_SIZE));
}

int crypto_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_gives_the_answer_of_rfc_4231),
        cmocka_unit_test(test_hkdf_gives_the_answer_of_rfc_5869),
        cmocka_unit_test(test_hkdf_depends_on_secret_salt_and_info),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
