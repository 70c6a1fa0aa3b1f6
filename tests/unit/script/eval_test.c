#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests.h"
#include "world.h"

static int eval(const char *text, int protocol, struct buffer *reply, struct error *e)
{
    struct test_world *w = test_world_new(3, 0);
    struct script_source source = test_source(text);
    struct bytes argv[] = {bytes_text("one"), bytes_of("t\0w", 3)};
    buffer_init(reply, 1u << 16);
    int code = script_eval(&source, argv, 2, &w->world, NULL, protocol, reply, NULL, e);
    test_world_free(w);
    return code;
}

static void expect_reply(const char *text, int protocol, const char *expected)
{
    struct buffer reply;
    struct error e = {0};
    if (eval(text, protocol, &reply, &e)) fail_msg("%s: %s", text, e.text);
    buffer_append(&reply, "", 1);
    assert_string_equal((const char *)reply.data, expected);
    buffer_release(&reply);
}

static void test_values_are_converted_as_redis_does(void **state)
{
    (void)state;
    expect_reply("return #view.nodes", 2, ":3\r\n");
    expect_reply("return ARGV", 2, "*2\r\n$3\r\none\r\n$3\r\nt");
    expect_reply("return #ARGV[2]", 2, ":3\r\n");
    expect_reply("return 3.99", 2, ":3\r\n");
    expect_reply("return -3.99", 2, ":-3\r\n");
    expect_reply("return math.maxinteger", 2, ":9223372036854775807\r\n");
    expect_reply("return 'text'", 2, "$4\r\ntext\r\n");
    expect_reply("return true", 2, ":1\r\n");
    expect_reply("return false", 2, "$-1\r\n");
    expect_reply("return", 2, "$-1\r\n");
    expect_reply("return", 3, "_\r\n");
    expect_reply("return print", 2, "$-1\r\n");
    expect_reply("return { 1, 2, nil, 4 }", 2, "*2\r\n:1\r\n:2\r\n");
    expect_reply("return { 1, { 'a', {} } }", 2, "*2\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n");
    expect_reply("return { ok = 'FINE' }", 2, "+FINE\r\n");
    expect_reply("return { err = 'ERR no\\r\\nway' }", 2, "-ERR no  way\r\n");
    expect_reply("return { 1, { err = 'ERR x' } }", 2, "*2\r\n:1\r\n-ERR x\r\n");
}

static void test_no_text_tells_an_address(void **state)
{
    (void)state;
    expect_reply("return tostring({})", 2, "$5\r\ntable\r\n");
    expect_reply("return tostring(setmetatable({}, { __name = 'thing' }))", 2, "$5\r\ntable\r\n");
    expect_reply("return tostring(view)", 2, "$5\r\ntable\r\n");
    expect_reply("return ('%s %5s|%d%%|%s'):format(tostring, {}, 7, 'x')", 2, "$19\r\nfunction table|7%|x\r\n");
    expect_reply("return ('%s'):format(setmetatable({}, { __tostring = function() return 'own' end }))", 2,
                 "$3\r\nown\r\n");
    expect_reply("return tostring(nil) .. tostring(1) .. tostring(true) .. tostring('a')", 2, "$9\r\nnil1truea\r\n");
    expect_reply("return select(2, pcall(string.format, '%-5p', {})):match('scripts see no addresses')", 2,
                 "$24\r\nscripts see no addresses\r\n");
    expect_reply("return select(2, pcall(string.format, '%s %s', {})):match('bad argument #3')", 2,
                 "$15\r\nbad argument #3\r\n");
}

static void test_views_are_converted_as_tables(void **state)
{
    (void)state;
    expect_reply("return view.unassigned", 2, "*1\r\n*2\r\n:0\r\n:16383\r\n");
    expect_reply("return view.node", 2, "*0\r\n");
    expect_reply("return view.shards", 3, "*0\r\n");
}

static void test_values_without_end_are_refused(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "local t = {} t[1] = t return t",
        "local t = {} for i = 1, 200 do t = { t } end return t",
        "local t = {} for i = 1, 60000 do t[i] = t end return { t }",
        "return 0/0",
        "return 1e300",
        "return ('x'):rep(70000)",
        "local row = {} for i = 1, 2000 do row[i] = 1 end local t = {} for i = 1, 2000 do t[i] = row end return t",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct buffer reply;
        struct error e;
        if (eval(scripts[i], 2, &reply, &e) != ERROR_SCRIPT) fail_msg("%s was accepted", scripts[i]);
        assert_int_equal(reply.len, 0);
        assert_false(reply.failed);
        buffer_release(&reply);
    }
}

int test_script_eval(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_converted_as_redis_does),
        cmocka_unit_test(test_views_are_converted_as_tables),
        cmocka_unit_test(test_no_text_tells_an_address),
        cmocka_unit_test(test_values_without_end_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
