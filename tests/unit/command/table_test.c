#include <stdio.h>

#include "command/keys.h"
#include "command/table.h"
#include "fixture.h"

static struct command_table table;

static int setup(void **state)
{
    (void)state;
    command_table_init(&table);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    command_table_release(&table);
    return 0;
}

static const char *found(const char *name)
{
    const struct command_entry *e = command_table_find(&table, bytes_text(name));
    return e ? e->name : "none";
}

static void test_names_are_found_without_case_and_nothing_else_is(void **state)
{
    (void)state;
    assert_string_equal(found("get"), "get");
    assert_string_equal(found("GeT"), "get");
    assert_string_equal(found("getx"), "none");
    assert_string_equal(found("ge"), "none");
    assert_string_equal(found(""), "none");
    assert_string_equal(found("client|id"), "none");
    assert_null(command_table_find(&table, bytes_of("get\0", 4)));
    assert_null(command_table_find(&table, bytes_of("ge\0", 3)));
    assert_null(command_table_find(&table, bytes_of("GE\x14", 3))); /* equal to "GET" but for bit 6 */
}

static void test_every_command_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.count; i++) {
        const struct command_entry *e = &table.entries[i];
        assert_ptr_equal(command_table_named(&table, bytes_text(e->name)), e);
        assert_int_equal(e->number, i);
        assert_true(!e->container == (i < table.top_count));
    }
}

static void test_subcommands_are_resolved_from_the_second_argument(void **state)
{
    (void)state;
    struct bytes id[] = {bytes_text("CLIENT"), bytes_text("iD")},
                 none[] = {bytes_text("CLIENT"), bytes_text("nothing")};
    assert_string_equal(command_table_resolve(&table, 2, id)->name, "client|id");
    assert_string_equal(command_table_resolve(&table, 1, id)->name, "client");
    assert_null(command_table_resolve(&table, 2, none));
}

static void test_every_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.count; i++) {
        const struct command_row *row = table.entries[i].row;
        assert_true(row->summary && row->since && row->complexity && row->arity);
        assert_true(row->run || row->subcommands);
        assert_int_not_equal(row->flags & (READ | WRITE), READ | WRITE);
        assert_true(!row->keys.first == !row->keys.step);
        if (row->keys.first)
            assert_int_not_equal(row->flags & (READ | WRITE), 0); /* or keys were touched outside a batch */
        assert_true(!row->key_flags == !(row->keys.flags & KEY_VARIABLE));
        assert_true(!row->replaced_by == !row->deprecated_since);
    }
}

static void keys_of(const char *name, int argc, char out[32])
{
    const struct command_row *row = command_table_find(&table, bytes_text(name))->row;
    out[0] = 0;
    for (int i = command_keys_first(row, argc); i; i = command_keys_next(row, argc, i))
        sprintf(out + strlen(out), "%d ", i);
}

static void test_keys_are_where_the_row_says(void **state)
{
    (void)state;
    char keys[32];
    keys_of("GET", 2, keys);
    assert_string_equal(keys, "1 ");
    keys_of("SET", 9, keys);
    assert_string_equal(keys, "1 ");
    keys_of("MGET", 4, keys);
    assert_string_equal(keys, "1 2 3 ");
    keys_of("MSET", 7, keys);
    assert_string_equal(keys, "1 3 5 ");
    keys_of("MSET", 4, keys); /* one too few: the command will say so */
    assert_string_equal(keys, "1 3 ");
    keys_of("PING", 3, keys);
    assert_string_equal(keys, "");
}

static void test_categories_follow_from_flags(void **state)
{
    (void)state;
    const struct command_row *set = command_table_find(&table, bytes_text("SET"))->row;
    assert_int_equal(command_row_categories(set), ACL_WRITE | ACL_STRING | ACL_SLOW);
    const struct command_row *kill = command_table_named(&table, bytes_text("client|kill"))->row;
    assert_int_equal(command_row_categories(kill), ACL_ADMIN | ACL_SLOW | ACL_DANGEROUS | ACL_CONNECTION);
}

static void test_the_reference_has_every_command(void **state)
{
    (void)state;
    struct buffer page;
    buffer_init(&page, 1 << 20);
    command_reference(&page);
    assert_true(buffer_append(&page, "", 1));
    for (size_t i = 0; i < table.count; i++) {
        char heading[64];
        snprintf(heading, sizeof heading, "%s %s%s%s\n", table.entries[i].container ? "####" : "###",
                 table.entries[i].container ? table.entries[i].container->row->name : "",
                 table.entries[i].container ? " " : "", table.entries[i].row->name);
        assert_contains((const char *)page.data, heading);
    }
    buffer_release(&page);
}

int run_table_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_without_case_and_nothing_else_is),
        cmocka_unit_test(test_every_command_is_found_by_its_name),
        cmocka_unit_test(test_subcommands_are_resolved_from_the_second_argument),
        cmocka_unit_test(test_every_row_is_whole),
        cmocka_unit_test(test_keys_are_where_the_row_says),
        cmocka_unit_test(test_categories_follow_from_flags),
        cmocka_unit_test(test_the_reference_has_every_command),
    };
    return cmocka_run_group_tests_name("table", tests, setup, teardown);
}
