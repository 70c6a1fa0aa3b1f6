/* The bytes of the log. The golden file is written anew by REWRITE=1: only ever for a new format, under a new name. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/random.h"
#include "store/wal_record.h"
#include "wal_world.h"

#define GOLDEN_SIZE 1024u

static const struct wal_segment_header header = {7, 0x0123456789abcdef, 4096, {3, 41}};
static const char *const golden_batches[] = {"one", "some batches, together longer than one word", "12345678"};
static const struct store_position golden_first[] = {{3, 42}, {3, 43}, {4, 50}};
static const uint64_t golden_last[] = {42, 49, 50};

static size_t put_record(uint8_t *segment, size_t at, uint32_t seed, struct store_position before, unsigned i)
{
    size_t len = strlen(golden_batches[i]);
    struct wal_record_header h = {
        crc32c(seed, golden_batches[i], len), len, golden_first[i], golden_last[i], before, 4096 + 64 * i};
    wal_record_header_write(segment + at, &h, seed);
    memcpy(segment + at + WAL_HEADER, golden_batches[i], len);
    return at + wal_record_size(len);
}

static void make_golden(uint8_t segment[GOLDEN_SIZE])
{
    struct store_position before = header.base;
    size_t at = WAL_BEGIN;
    memset(segment, 0, GOLDEN_SIZE);
    wal_segment_header_write(segment, &header);
    for (unsigned i = 0; i < 3; i++) {
        at = put_record(segment, at, wal_seed(&header), before, i);
        before = (struct store_position){golden_first[i].epoch, golden_last[i]};
    }
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0) fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

static void test_format_1_has_not_changed(void **state)
{
    (void)state;
    uint8_t now[GOLDEN_SIZE];
    make_golden(now);
    files_expect_golden("unit/store/golden/wal_segment_1.bin", bytes_of(now, sizeof now));
}

static int visit(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    unsigned *i = user;
    (void)e;
    assert_int_equal(store_position_compare(first, golden_first[*i]), 0);
    assert_int_equal(last, golden_last[*i]);
    assert_true(bytes_equal(batches, bytes_text(golden_batches[*i])));
    ++*i;
    return 0;
}

static void test_the_golden_segment_can_be_read(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    uint8_t golden[GOLDEN_SIZE];
    unsigned seen = 0;
    world_begin(&w, 1);
    make_golden(golden);
    assert_int_equal(mkdir(w.log_dir, 0700), 0);
    world_path(&w, header.number, path);
    write_file(path, golden, sizeof golden);
    if (wal_check(w.log_dir, visit, &seen, &w.report, &w.error)) fail_msg("%s", w.error.text);
    assert_int_equal(seen, 3);
    assert_int_equal(w.report.records, 3);
    assert_int_equal(w.report.dropped_bytes, 0);
    assert_int_equal(w.report.last.epoch, 4);
    assert_int_equal(w.report.last.sequence, 50);
    world_end(&w);
}

static void test_another_format_is_refused_by_its_number(void **state)
{
    (void)state;
    struct world w;
    char path[400];
    uint8_t golden[GOLDEN_SIZE];
    world_begin(&w, 1);
    make_golden(golden);
    golden[8] = 9;
    uint32_t crc = crc32c(crc32c(0, golden, 12), golden + 16, WAL_HEADER - 16);
    memcpy(golden + 12, &crc, sizeof crc);
    assert_int_equal(mkdir(w.log_dir, 0700), 0);
    world_path(&w, header.number, path);
    write_file(path, golden, sizeof golden);
    assert_int_equal(wal_check(w.log_dir, NULL, NULL, &w.report, &w.error), ERROR_FORMAT);
    assert_non_null(strstr(w.error.text, "format 9"));
    assert_non_null(strstr(w.error.text, path));
    world_end(&w);
}

static void test_a_flipped_bit_anywhere_in_a_record_is_noticed(void **state)
{
    (void)state;
    uint8_t segment[GOLDEN_SIZE];
    uint32_t seed = wal_seed(&header);
    make_golden(segment);
    struct bytes bytes = bytes_of(segment, sizeof segment);
    for (size_t bit = 0; bit < 8 * (WAL_HEADER + strlen(golden_batches[0])); bit++) {
        struct wal_record_header h;
        segment[WAL_BEGIN + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(wal_record_header_read(bytes, WAL_BEGIN, seed, &h) &&
                     wal_record_is_whole(bytes, WAL_BEGIN, seed, &h));
        segment[WAL_BEGIN + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static enum wal_header_state state_of(const uint8_t segment[GOLDEN_SIZE])
{
    struct wal_segment_header h;
    uint32_t format;
    return wal_segment_header_read(segment, header.number, &h, &format);
}

static void test_a_half_written_header_is_told_from_a_damaged_one(void **state)
{
    (void)state;
    uint8_t segment[GOLDEN_SIZE], whole[GOLDEN_SIZE], before[2][WAL_BEGIN] = {{0}};
    struct wal_segment_header older = header;
    older.number--;
    wal_segment_header_write(before[1], &older); /* a recycled one */
    make_golden(whole);
    for (size_t written = 0; written <= WAL_BEGIN; written++)
        for (unsigned i = 0; i < 2; i++) {
            make_golden(segment);
            memcpy(segment + written, before[i] + written, WAL_BEGIN - written);
            assert_int_equal(state_of(segment) == WAL_BEGUN, memcmp(segment, whole, WAL_HEADER) == 0);
            assert_int_not_equal(state_of(segment), WAL_DAMAGED);
        }
    for (size_t bit = 0; bit < 8 * WAL_BEGIN; bit++) {
        make_golden(segment);
        segment[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(state_of(segment), WAL_BEGUN);
    }
    segment[0] ^= 1;
    assert_int_equal(state_of(segment), WAL_DAMAGED);
}

static void test_a_record_of_another_segment_is_none(void **state)
{
    (void)state;
    uint8_t segment[GOLDEN_SIZE];
    struct wal_record_header h;
    struct wal_segment_header later = header, salted = header;
    later.number++;
    salted.salt++;
    make_golden(segment);
    struct bytes bytes = bytes_of(segment, sizeof segment);
    assert_true(wal_record_header_read(bytes, WAL_BEGIN, wal_seed(&header), &h));
    assert_false(wal_record_header_read(bytes, WAL_BEGIN, wal_seed(&later), &h));
    assert_false(wal_record_header_read(bytes, WAL_BEGIN, wal_seed(&salted), &h));
}

static void test_lengths_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const uint64_t lens[] = {0, 961, 1000, UINT64_MAX, UINT64_MAX - 6, UINT64_MAX - 70, (uint64_t)1 << 63};
    uint8_t segment[GOLDEN_SIZE] = {0};
    struct wal_record_header h = {0, 960, {1, 1}, 1, {0, 0}, 0};
    wal_record_header_write(segment, &h, 5);
    struct bytes bytes = bytes_of(segment, sizeof segment);
    assert_true(wal_record_header_read(bytes, 0, 5, &h));
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        h.len = lens[i];
        wal_record_header_write(segment, &h, 5);
        assert_false(wal_record_header_read(bytes, 0, 5, &h));
    }
    assert_false(wal_record_header_read(bytes, sizeof segment, 5, &h));
    assert_false(wal_record_header_read(bytes, SIZE_MAX - 8, 5, &h));
}

static void test_only_the_next_record_follows(void **state)
{
    (void)state;
    struct store_position last = {2, 10};
    assert_true(wal_record_follows(&(struct wal_record_header){.first = {2, 11}, .last = 11, .before = last}, last));
    assert_true(wal_record_follows(&(struct wal_record_header){.first = {3, 11}, .last = 14, .before = last}, last));
    assert_false(wal_record_follows(&(struct wal_record_header){.first = {3, 1}, .last = 4, .before = last}, last));
    assert_false(wal_record_follows(&(struct wal_record_header){.first = {2, 12}, .last = 12, .before = last}, last));
    assert_false(wal_record_follows(&(struct wal_record_header){.first = {2, 11}, .last = 10, .before = last}, last));
    assert_false(wal_record_follows(&(struct wal_record_header){.first = {2, 11}, .last = 11, .before = {2, 9}}, last));
    assert_false(wal_record_follows(&(struct wal_record_header){.first = {1, 11}, .last = 11, .before = last}, last));
}

int wal_record_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_1_has_not_changed),
        cmocka_unit_test(test_the_golden_segment_can_be_read),
        cmocka_unit_test(test_another_format_is_refused_by_its_number),
        cmocka_unit_test(test_a_flipped_bit_anywhere_in_a_record_is_noticed),
        cmocka_unit_test(test_a_half_written_header_is_told_from_a_damaged_one),
        cmocka_unit_test(test_a_record_of_another_segment_is_none),
        cmocka_unit_test(test_lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(test_only_the_next_record_follows),
    };
    return cmocka_run_group_tests_name("log format", tests, NULL, NULL);
}
