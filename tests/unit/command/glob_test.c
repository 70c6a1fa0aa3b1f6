#include "command/glob.h"

#include "fixture.h"

static bool fits(const char *pattern, const char *text)
{
    return glob_match(bytes_text(pattern), bytes_text(text), false);
}

static void test_stars_and_question_marks(void **state)
{
    (void)state;
    assert_true(fits("*", ""));
    assert_true(fits("*", "abc"));
    assert_true(fits("a*c", "abbc"));
    assert_true(fits("a*c", "ac"));
    assert_true(fits("*b*b*", "abcb"));
    assert_false(fits("*b*b*", "abc"));
    assert_true(fits("a?c", "abc"));
    assert_false(fits("a?c", "ac"));
    assert_false(fits("abc", "abcd"));
    assert_false(fits("abcd", "abc"));
    assert_true(fits("", ""));
    assert_false(fits("", "a"));
    assert_true(fits("a**", "a"));
}

static void test_classes(void **state)
{
    (void)state;
    assert_true(fits("h[ae]llo", "hello"));
    assert_false(fits("h[ae]llo", "hillo"));
    assert_true(fits("h[^e]llo", "hallo"));
    assert_false(fits("h[^e]llo", "hello"));
    assert_true(fits("h[a-c]llo", "hbllo"));
    assert_true(fits("h[c-a]llo", "hbllo"));
    assert_true(fits("h[\\]]llo", "h]llo"));
    assert_false(fits("h[]llo", "hllo"));
    assert_true(fits("x[ab", "xa")); /* not closed: ends with the pattern */
    assert_false(fits("x[", "xa"));
    assert_true(fits("x[^", "xa"));
}

static void test_backslash_takes_the_next_letter_as_it_is(void **state)
{
    (void)state;
    assert_true(fits("a\\*", "a*"));
    assert_false(fits("a\\*", "ab"));
    assert_true(fits("a\\", "a\\"));
}

static void test_case(void **state)
{
    (void)state;
    assert_false(fits("MAX*", "maxclients"));
    assert_true(glob_match(bytes_text("MAX*"), bytes_text("maxclients"), true));
    assert_true(glob_match(bytes_text("[A-M]ax*"), bytes_text("MAXclients"), true));
}

#define STARS 3000

/* As many stars as letters. Trying every way to part the text would not end before the test is stopped; recursion, a level each, might. */
static void test_a_pattern_bomb_is_harmless(void **state)
{
    (void)state;
    static char text[2 * STARS + 1], pattern[2 * STARS + 2];
    memset(text, 'a', 2 * STARS);
    for (int i = 0; i < STARS; i++) memcpy(pattern + 2 * i, "*a", 2);
    assert_true(fits(pattern, text));
    assert_true(fits(pattern, text + STARS));
    assert_false(fits(pattern, text + STARS + 1));
    pattern[2 * STARS] = 'b';
    assert_false(fits(pattern, text));
    pattern[2 * STARS] = '*';
    assert_true(fits(pattern, text));
}

int run_glob_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stars_and_question_marks),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_backslash_takes_the_next_letter_as_it_is),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_a_pattern_bomb_is_harmless),
    };
    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
