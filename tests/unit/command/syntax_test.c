#include "command/syntax.h"

#include "command/table.h"
#include "fixture.h"

/* What a line means, as people read it, in `out`. */
static struct syntax_argument *parse(struct arena *arena, const char *syntax, char out[256])
{
    struct command_row row = {.name = "TEST", .syntax = syntax};
    struct buffer text;
    buffer_init(&text, 256);
    struct syntax_argument *first = syntax_parse(arena, &row);
    syntax_write(first, &text);
    snprintf(out, 256, "%.*s", (int)text.len, (const char *)text.data);
    buffer_release(&text);
    return first;
}

static void test_names_have_types(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[256];
    struct syntax_argument *a = parse(&arena, "key timeout count:string ip:port start:string", text);
    assert_string_equal(text, " key timeout count ip:port start");
    static const char *const types[] = {"key", "double", "string", "string", "string"}, *const names[] = {"key", "timeout", "count", "ip:port", "start"};
    for (size_t i = 0; i < 5; i++, a = a->next) {
        assert_string_equal(syntax_type_name(a), types[i]);
        assert_true(bytes_equal(a->name, bytes_text(names[i])));
    }
    assert_null(a);
    assert_null(parse(&arena, NULL, text));
    assert_string_equal(text, "");
    arena_release(&arena);
}

static void test_tokens_are_arguments_or_belong_to_one(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[256];
    struct syntax_argument *a = parse(&arena, "[KEEP-TTL] [change=CH] equal== EX seconds (LEN) key", text);
    assert_string_equal(text, " [KEEP-TTL] [CH] = EX seconds LEN key");
    assert_true(a->optional && a->type == SYNTAX_PURE_TOKEN && bytes_equal(a->name, bytes_text("keep_ttl")));
    a = a->next;
    assert_true(bytes_equal(a->name, bytes_text("change")) && bytes_equal(a->token, bytes_text("CH")));
    a = a->next;
    assert_true(!a->optional && bytes_equal(a->name, bytes_text("equal")) && bytes_equal(a->token, bytes_text("=")));
    a = a->next;
    assert_true(a->type == SYNTAX_INTEGER && bytes_equal(a->token, bytes_text("EX")));
    a = a->next;
    assert_true(a->type == SYNTAX_PURE_TOKEN && a->next->type == SYNTAX_KEY && !a->next->token.len);
    arena_release(&arena);
}

static void test_groups_and_repetition(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[256];
    struct syntax_argument *a = parse(&arena, "key... [when: NX | XX] (unit: M | KM) (pair: field value)... [element...] [GET... pattern]", text);
    assert_string_equal(text, " key [key ...] [NX | XX] <M | KM> field value [field value ...] [element [element ...]] [GET pattern [GET pattern ...]]");
    assert_true(a->multiple && !a->optional);
    a = a->next;
    assert_true(a->type == SYNTAX_ONEOF && a->optional && bytes_equal(a->name, bytes_text("when")) && a->arguments->next && !a->arguments->next->next);
    a = a->next->next;
    assert_true(a->type == SYNTAX_BLOCK && a->multiple && !a->optional);
    a = a->next;
    assert_true(a->type == SYNTAX_STRING && a->multiple && a->optional && !a->multiple_token);
    a = a->next;
    assert_true(a->type == SYNTAX_PATTERN && a->multiple && a->optional && a->multiple_token && bytes_equal(a->token, bytes_text("GET")));
    parse(&arena, "[LIMIT (offset_count: offset count)] (by: (circle: BYRADIUS radius (unit: M | KM)) | box)", text);
    assert_string_equal(text, " [LIMIT offset count] <BYRADIUS radius <M | KM> | box>");
    parse(&arena, "[ops: GET name | SET value]... ", text);
    assert_string_equal(text, " [<GET name | SET value> [<GET name | SET value> ...]]");
    arena_release(&arena);
}

static void test_all_rows_can_be_read(void **state)
{
    (void)state;
    struct command_table table;
    struct arena arena = {0};
    command_table_init(&table);
    for (size_t i = 0; i < table.count; i++) {
        const struct command_row *row = table.entries[i].row;
        assert_int_equal(syntax_parse(&arena, row) != NULL, row->syntax != NULL);
    }
    command_table_release(&table);
    arena_release(&arena);
}

int run_syntax_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_have_types),
        cmocka_unit_test(test_tokens_are_arguments_or_belong_to_one),
        cmocka_unit_test(test_groups_and_repetition),
        cmocka_unit_test(test_all_rows_can_be_read),
    };
    return cmocka_run_group_tests_name("syntax of arguments", tests, NULL, NULL);
}
