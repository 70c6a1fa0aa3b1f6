#include "rdb/lzf.h"
#include "tests.h"

#define PACKED(text) bytes_of(text, sizeof(text) - 1)

static void expect(struct bytes packed, const char *text)
{
    char out[300];
    assert_true(lzf_unpack(packed, (uint8_t *)out, strlen(text)));
    assert_memory_equal(out, text, strlen(text));
    if (*text) assert_false(lzf_unpack(packed, (uint8_t *)out, strlen(text) - 1));
    assert_false(lzf_unpack(packed, (uint8_t *)out, strlen(text) + 1));
}

static void test_runs_are_copied_and_repeated(void **state)
{
    (void)state;
    expect(PACKED(""), "");
    expect(PACKED("\x02"
                  "abc"),
           "abc");
    expect(PACKED("\x02"
                  "abc\x20\x02"),
           "abcabc");
    expect(PACKED("\x00"
                  "a\xe0\x05\x00"),
           "aaaaaaaaaaaaaaa"); /* a run into itself, of a length in a byte of its own */
}

static void test_what_is_damaged_is_refused(void **state)
{
    (void)state;
    const struct bytes damaged[] = {PACKED("\x02"
                                                  "ab"),
                                           PACKED("\x20"), PACKED("\x20\x00"), PACKED("\x00"
                                                                                      "a\x20\x01"),
                                           PACKED("\x00"
                                                  "a\xe0"),
                                           PACKED("\x00"
                                                  "a\xe0\x05")};
    uint8_t out[300];
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
        for (size_t len = 0; len < sizeof out; len++) assert_false(lzf_unpack(damaged[i], out, len));
}

int lzf_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_are_copied_and_repeated),
        cmocka_unit_test(test_what_is_damaged_is_refused),
    };
    return cmocka_run_group_tests_name("lzf", tests, NULL, NULL);
}
