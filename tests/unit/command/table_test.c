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
        const struct command_key_spec *s;
        for (int n = 0; (s = command_key_spec(row, n)); n++) {
            assert_true(s->begin == KEYS_ELSEWHERE ? s->find != NULL : s->index > 0 && s->step > 0);
            assert_true(!s->keyword == (s->begin != KEYS_AFTER));
            if (!(s->flags & KEY_NOT_KEY) && strcmp(row->name, "WATCH") != 0) /* which opens one itself */
                assert_int_not_equal(row->flags & (READ | WRITE), 0);         /* or keys were touched outside a batch */
        }
        assert_true(!row->key_flags == !(row->keys.flags & KEY_VARIABLE));
        assert_true(!row->replaced_by == !row->deprecated_since);
    }
}

static void keys_of_row(const struct command_row *row, const char *text, char out[32])
{
    char words[100];
    struct bytes argv[10];
    int argc = 0;
    snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) argv[argc++] = bytes_text(word);
    out[0] = 0;
    for (struct command_keys k = command_keys(row, argc, argv); command_keys_next(&k);) sprintf(out + strlen(out), "%d ", k.at);
}

static void keys_of(const char *name, int argc, char out[32])
{
    char text[100];
    int len = snprintf(text, sizeof text, "%s", name);
    while (--argc) len += snprintf(text + len, sizeof text - (size_t)len, " x");
    keys_of_row(command_table_find(&table, bytes_text(name))->row, text, out);
}

static int behind_at(int argc, const struct bytes *argv)
{
    for (int i = 2; i + 1 < argc; i++)
        if (bytes_is(argv[i], "AT")) return i + 1;
    return 0;
}

static void test_keys_are_found_by_specification(void **state)
{
    (void)state;
    const struct {
        struct command_key_spec keys;
        const struct command_key_spec *more;
        const char *text, *found;
        struct command_legacy_keys legacy;
        bool movable;
    } cases[] = {
        {KEYS(1, 1, 1, KEY_OW), MORE_KEYS(KEYS_COUNTED(2, KEY_RO)), "zunionstore d 2 a b WEIGHTS", "1 3 4 ", {1, 1, 1}, true},
        {KEYS(1, 1, 1, KEY_OW), MORE_KEYS(KEYS_COUNTED(2, KEY_RO)), "zunionstore d 9 a b", "1 ", {1, 1, 1}, true},
        {NO_KEYS, MORE_KEYS(KEYS_COUNTED(1, KEY_RW)), "lmpop 1 a LEFT", "2 ", {0, 0, 0}, true},
        {NO_KEYS, MORE_KEYS(KEYS_COUNTED(1, KEY_RW)), "lmpop -1 a LEFT", "", {0, 0, 0}, true},
        {NO_KEYS, MORE_KEYS(KEYS_COUNTED(1, KEY_RW)), "lmpop 99999999999999999999 a", "", {0, 0, 0}, true},
        {NO_KEYS, MORE_KEYS({KEY_RO, KEYS_AFTER, 1, false, -1, 1, 2, "STREAMS", NULL, NULL}), "xread COUNT 2 streams a b 0 0", "4 5 ",
         {0, 0, 0}, true},
        {NO_KEYS, MORE_KEYS({KEY_RO, KEYS_AFTER, 1, false, -1, 1, 2, "STREAMS", NULL, NULL}), "xread COUNT 2", "", {0, 0, 0}, true},
        {KEYS(1, 1, 1, KEY_RO), MORE_KEYS({KEY_OW, KEYS_ELSEWHERE, 0, false, 0, 1, 0, NULL, behind_at, NULL}), "sort a DESC AT b", "1 4 ",
         {1, 1, 1}, true},
        {KEYS(2, 2, 1, KEY_OW), MORE_KEYS(KEYS(3, -1, 1, KEY_RO)), "bitop AND d a b", "2 3 4 ", {2, -1, 1}, false},
        {KEYS(1, -2, 1, KEY_RW), NULL, "blpop a b 0", "1 2 ", {1, -2, 1}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[32];
        struct command_row row = {.name = "X", .keys = cases[i].keys, .more_keys = cases[i].more};
        keys_of_row(&row, cases[i].text, found);
        assert_string_equal(found, cases[i].found);
        struct command_legacy_keys legacy = command_legacy_keys(&row);
        assert_memory_equal(&legacy, &cases[i].legacy, sizeof legacy);
        assert_int_equal(!!(command_row_flags(&row) & MOVABLEKEYS), cases[i].movable);
    }
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
        cmocka_unit_test(test_keys_are_found_by_specification),
        cmocka_unit_test(test_categories_follow_from_flags),
        cmocka_unit_test(test_the_reference_has_every_command),
    };
    return cmocka_run_group_tests_name("table", tests, setup, teardown);
}
