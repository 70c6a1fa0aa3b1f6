/* What records of the log hold. The golden file is written anew by REWRITE=1: only ever for a new format, under a new name, or to add what no
 * older version has written. */
#include <fcntl.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"
#include "store/reader.h"

struct row_list {
    struct row *rows[8];
    int count;
};

static struct row *make(struct row_list *list, const char *key, const char *value)
{
    struct row *r = row_new(bytes_text(key), value ? strlen(value) : 0, 1);
    if (value) memcpy(r->bytes + r->key_len, value, strlen(value));
    r->deleted = !value;
    return list->rows[list->count++] = r;
}

static void make_record(struct record *r, struct row_list *list)
{
    static char large[16386]; /* pointed to, with its NUL */
    memset(large, 'l', sizeof large - 1);
    record_begin(r, 0x0102030405060708);
    record_row(r, make(list, "key", "value"));
    record_row(r, make(list, "large", large));
    record_row(r, make(list, "gone", NULL));
    record_end(r);
    record_begin(r, 0x0102030405060709);
    record_splice(r, bytes_text("key"), 2, 1, bytes_text("..."));
    record_row(r, make(list, "k", ""));
    record_end(r);
    record_begin(r, 0x010203040506070a);
    record_drop(r, &(struct store_range){.first_slot = 0x0102, .last_slot = 0x3fff});
    record_drop(r, &(struct store_range){1, 2, true, 0x01020304});
    record_end(r);
}

static void release(struct record *r, struct row_list *list)
{
    record_clear(r);
    for (int i = 0; i < list->count; i++) {
        assert_int_equal(list->rows[i]->flags & ROW_IN_RECORD, 0);
        free(list->rows[i]);
    }
    record_release(r);
}

static size_t flatten(struct record *r, uint8_t *out)
{
    const struct iovec *parts;
    size_t count = record_parts(r, &parts), len = 0;
    for (size_t i = 0; i < count; len += parts[i++].iov_len) memcpy(out + len, parts[i].iov_base, parts[i].iov_len);
    assert_int_equal(len, record_size(r));
    return len;
}

static void test_a_record_is_what_the_golden_file_says(void **state)
{
    (void)state;
    static uint8_t made[40000];
    struct record r = {0};
    struct row_list list = {0};
    make_record(&r, &list);
    size_t len = flatten(&r, made);
    files_expect_golden("unit/store/golden/record_1.bin", bytes_of(made, len));
    release(&r, &list);
}

static int note(void *user, const struct store_operation *o, struct error *e)
{
    (void)e;
    char *out = user;
    size_t len = strlen(out);
    if (!o->key.len)
        snprintf(out + len, 400 - len, "%d:%d %x-%x %d %x; ", (int)(o->sequence & 255), (int)o->code, o->range.first_slot, o->range.last_slot,
                 o->range.one_database, o->range.database);
    else
        snprintf(out + len, 400 - len, "%d:%d %.*s=%.*s(%zu) %zu %zu; ", (int)(o->sequence & 255), (int)o->code, (int)o->key.len,
             (const char *)o->key.data, o->value.len < 9 ? (int)o->value.len : 1, (const char *)o->value.data, o->value.len, o->offset,
                 o->removed);
    return 0;
}

static int accept(void *user, const struct store_operation *o, struct error *e)
{
    (void)user, (void)o, (void)e;
    return 0;
}

static void test_a_record_reads_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t made[40000];
    char found[400] = "";
    struct record r = {0};
    struct row_list list = {0};
    record_begin(&r, 1);
    record_row(&r, make(&list, "a", "b"));
    record_end(&r);
    release(&r, &list);
    list.count = 0;
    make_record(&r, &list); /* a record is used again */
    size_t len = flatten(&r, made);
    struct error e;
    assert_int_equal(store_read_record(bytes_of(made, len), note, found, &e), 0);
    assert_string_equal(found, "8:1 key=value(5) 0 0; 8:1 large=l(16385) 0 0; 8:2 gone=(0) 0 0; 9:3 key=...(3) 2 1; 9:1 k=(0) 0 0; "
                               "10:4 102-3fff 0 0; 10:5 1-2 1 1020304; ");
    made[len - 8] = 3; /* from slot 3 to 2 */
    assert_int_equal(store_read_record(bytes_of(made, len), accept, NULL, &e), ERROR_FORMAT);
    made[len - 8] = 1;
    made[len - 33] = 0; /* a key of no bytes */
    assert_int_equal(store_read_record(bytes_of(made, len), accept, NULL, &e), ERROR_FORMAT);
    release(&r, &list);
}

static void test_damaged_records_are_refused_and_never_read_past(void **state)
{
    (void)state;
    uint64_t random = test_seed("store record");
    struct record r = {0};
    struct row_list list = {0};
    struct error e;
    record_begin(&r, 7);
    record_row(&r, make(&list, "key", "value"));
    record_splice(&r, bytes_text("key"), 2, 1, bytes_text("..."));
    record_row(&r, make(&list, "gone", NULL));
    record_drop(&r, &(struct store_range){1, 2, true, 3});
    record_drop(&r, &(struct store_range){1, 2, false, 0});
    record_end(&r);
    uint8_t made[200];
    size_t len = flatten(&r, made);
    assert_int_equal(store_read_record(bytes_of(made, len), accept, NULL, &e), 0);
    for (size_t cut = 2; cut < len; cut++) {
        uint8_t *exact = malloc(cut); /* so that a sanitizer sees it */
        memcpy(exact, made, cut);
        assert_int_equal(store_read_record(bytes_of(exact, cut), accept, NULL, &e), ERROR_FORMAT);
        free(exact);
    }
    for (int i = 0; i < 20000; i++) {
        uint8_t *copy = malloc(len);
        memcpy(copy, made, len);
        for (uint64_t n = random_below(&random, 4); n + 1; n--) copy[random_below(&random, len)] = (uint8_t)random_next(&random);
        store_read_record(bytes_of(copy, len), accept, NULL, &e);
        free(copy);
    }
    made[0] = 9;
    assert_int_equal(store_read_record(bytes_of(made, len), accept, NULL, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "format 9"));
    release(&r, &list);
}

int run_record_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_what_the_golden_file_says),
        cmocka_unit_test(test_a_record_reads_as_it_was_written),
        cmocka_unit_test(test_damaged_records_are_refused_and_never_read_past),
    };
    return cmocka_run_group_tests_name("store record", tests, NULL, NULL);
}
