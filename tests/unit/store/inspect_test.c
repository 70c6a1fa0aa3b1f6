/* Files damaged in each way, each judged three times: by looking at them, by a start, and by a start after the log was
 * cut. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "fixture.h"
#include "store/inspect.h"
#include "store/repair.h"
#include "store/wal_segment.h"
#include "store/wal_truncate.h"

#define BATCHES       400u /* batch n has sequence n and sets row n % ROWS to n */
#define ROWS          50u
#define CHECKPOINT_AT 150u
#define TRIALS        25u /* with AIKV_LONG: 40 times as many */

struct world {
    struct fixture f;
    char pristine[300], log[320], aside[320];
    uint64_t *segments; /* their numbers */
    size_t segment_count;
};

static void run_command(const char *format, const char *a, const char *b)
{
    char command[900];
    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

static void write_batches(struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++) {
        char key[32], value[400];
        snprintf(key, sizeof key, "row%u", n % ROWS);
        memset(value, 'x', sizeof value);
        snprintf(value, sizeof value, "%u", n);
        store_begin(f->store);
        store_put(f->store, bytes_text(key), bytes_of(value, 100 + n % 300));
        assert_int_equal(store_commit(f->store).sequence, n);
        fixture_settle(f);
    }
}

/* A store as a crash leaves it: a checkpoint (or none), and some segments of log after it. */
static void begin(struct world *w, bool checkpoint)
{
    *w = (struct world){0};
    fixture_begin(&w->f);
    w->f.calls.segment_size = 16384;
    fixture_open(&w->f);
    write_batches(&w->f, 1, CHECKPOINT_AT);
    if (checkpoint) fixture_checkpoint(&w->f);
    write_batches(&w->f, CHECKPOINT_AT + 1, BATCHES);
    fixture_wait(&w->f, (struct store_position){1, BATCHES});
    snprintf(w->pristine, sizeof w->pristine, "%s/pristine", w->f.dir);
    snprintf(w->log, sizeof w->log, "%s/log", w->f.store_dir);
    snprintf(w->aside, sizeof w->aside, "%s/aside", w->f.store_dir);
    run_command("cp -r %s %s", w->f.store_dir, w->pristine);
    fixture_close(&w->f);
}

/* Undoes the damage, and lists the segments that hold records. */
static void restore(struct world *w)
{
    struct wal_segment *list;
    struct error e;
    run_command("rm -rf %s %s", w->f.store_dir, "");
    run_command("cp -r %s %s", w->pristine, w->f.store_dir);
    if (wal_segment_list(w->log, &wal_calls_system, O_RDONLY, &list, &e)) fail_msg("%s", e.text);
    w->segment_count = 0;
    for (const struct wal_segment *s = list; s; s = s->next) {
        if (!s->begun) continue;
        w->segments = realloc(w->segments, (w->segment_count + 1) * sizeof *w->segments);
        w->segments[w->segment_count++] = s->number;
    }
    wal_segment_free_all(list, &wal_calls_system);
    assert_true(w->segment_count >= 4);
}

static void end(struct world *w)
{
    free(w->segments);
    fixture_end(&w->f);
}

static void flip_bit(const char *path, size_t bit)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

/* One of the ways; tells what it did, for a failure's message. */
static void damage_log(struct world *w, uint64_t *random, char what[200])
{
    uint64_t number = w->segments[random_below(random, w->segment_count)];
    char *path = wal_segment_path(w->log, number);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    size_t size = (size_t)st.st_size, at = random_below(random, size);
    switch (random_below(random, 8)) {
    case 0:
        snprintf(what, 200, "segment %llu removed", (unsigned long long)number);
        assert_int_equal(unlink(path), 0);
        break;
    case 1:
        snprintf(what, 200, "segment %llu cut at %zu", (unsigned long long)number, at);
        assert_int_equal(truncate(path, (off_t)at), 0);
        break;
    case 2:
        snprintf(what, 200, "both headers of segment %llu flipped", (unsigned long long)number);
        flip_bit(path, 8 * 20);
        flip_bit(path, 8 * (WAL_HEADER + 20));
        break;
    default:
        snprintf(what, 200, "bit %zu of byte %zu of segment %llu", at % 8, at, (unsigned long long)number);
        flip_bit(path, 8 * at + at % 8);
    }
    free(path);
}

static int open_store(struct world *w, bool read_only, struct store_report *report, struct error *e)
{
    struct store_options options = w->f.options;
    options.read_only = read_only;
    options.expected = true;
    return store_open_with(&options, &w->f.calls, &w->f.store, report, e);
}

/* The rows are those of a batch. */
static void expect_rows_of(struct store *s, uint64_t last)
{
    for (uint64_t row = 0; row < ROWS; row++) {
        char key[32];
        struct store_value v;
        uint64_t ago = (last + ROWS - row) % ROWS,
                 n = ago < last ? last - ago : 0; /* the last batch that set it; 0: none */
        snprintf(key, sizeof key, "row%llu", (unsigned long long)row);
        assert_int_equal(store_get(s, bytes_text(key), &v), n > 0);
        if (!n) continue;
        assert_int_equal(strtoull((const char *)v.data.data, NULL, 10), n);
        assert_int_equal(v.data.len, 100 + n % 300);
    }
}

/* Opens read-only, then for good: the verdict must be the same. Returns it; the store is open if it is 0. */
static int judge(struct world *w, const char *what, struct store_report *report, struct error *e)
{
    struct error again = {0};
    *e = (struct error){0};
    int looked = open_store(w, true, report, e);
    if (!looked) {
        expect_rows_of(w->f.store, report->position.sequence);
        fixture_close(&w->f);
    }
    int started = open_store(w, false, report, &again);
    if (looked != started || strcmp(e->text, again.text) != 0)
        fail_msg("%s: looking says '%s', a start '%s'", what, e->text, again.text);
    return started;
}

/* The log is cut, and a start accepts what is left. */
static void cut(struct world *w, const char *what)
{
    struct store_checkpoint_report checkpoint;
    struct store_report report;
    struct store_cut plan;
    struct error e;
    if (store_inspect_checkpoint(w->f.store_dir, NULL, &checkpoint, &e)) fail_msg("%s: %s", what, e.text);
    if (store_find_cut(w->f.store_dir, checkpoint.at, checkpoint.next, &plan, &e)) {
        /* Only without a checkpoint can it be in vain: when nothing of the log is left. */
        if (checkpoint.at.sequence || e.code != ERROR_FORMAT) fail_msg("%s: no cut found: %s", what, e.text);
        return;
    }
    assert_int_equal(mkdir(w->aside, 0700), 0);
    if (store_cut_log(w->f.store_dir, &plan, w->aside, &e)) fail_msg("%s: cutting: %s", what, e.text);
    if (judge(w, what, &report, &e)) fail_msg("%s: refused after the cut: %s", what, e.text);
    assert_int_equal(report.position.sequence, plan.kept.sequence);
    assert_int_equal(report.dropped_bytes, 0);
    assert_true(plan.lost_to.sequence <= BATCHES);
    expect_rows_of(w->f.store, plan.kept.sequence);
    store_begin(w->f.store);
    store_put(w->f.store, bytes_text("after"), bytes_text("the cut"));
    store_commit(w->f.store);
    fixture_reopen(&w->f);
    expect(&w->f, "after", "the cut");
    fixture_close(&w->f);
}

static void damage_and_judge(bool checkpoint, const char *name)
{
    struct world w;
    struct store_report report;
    struct error e;
    uint64_t random = test_seed(name);
    unsigned refused = 0, trials = TRIALS * (getenv("AIKV_LONG") ? 40u : 1u);
    begin(&w, checkpoint);
    for (unsigned i = 0; i < trials; i++) {
        char what[200];
        restore(&w);
        damage_log(&w, &random, what);
        if (judge(&w, what, &report, &e) == 0) {
            expect_rows_of(w.f.store, report.position.sequence);
            fixture_close(&w.f);
        } else {
            assert_int_equal(e.code, ERROR_FORMAT);
            cut(&w, what);
            refused++;
        }
    }
    assert_true(refused > 0);
    end(&w);
}

static void test_looking_judges_a_damaged_log_as_a_start_does_and_a_cut_makes_it_good(void **state)
{
    (void)state;
    damage_and_judge(true, "damage after a checkpoint");
}

static void test_the_same_without_a_checkpoint(void **state)
{
    (void)state;
    damage_and_judge(false, "damage without a checkpoint");
}

static void test_a_log_that_is_gone_leaves_the_checkpoint(void **state)
{
    (void)state;
    struct world w;
    struct store_report report;
    struct error e;
    begin(&w, true);
    restore(&w);
    run_command("rm -r %s%s", w.log, "");
    assert_int_equal(judge(&w, "no log", &report, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "missing"));
    cut(&w, "no log");
    end(&w);
}

/* It was to be cut off behind a position when a crash came, and is damaged before that. */
static void test_a_damaged_log_with_a_truncation_to_finish_is_cut_at_the_damage(void **state)
{
    (void)state;
    struct world w;
    struct store_report report;
    struct error e;
    begin(&w, true);
    restore(&w);
    int dir_fd = open(w.log, O_RDONLY | O_DIRECTORY);
    assert_int_equal(wal_truncate_write(w.log, dir_fd, &wal_calls_system, (struct store_position){1, BATCHES - 20}, &e),
                     0);
    close(dir_fd);
    assert_int_equal(judge(&w, "sound", &report, &e), 0);
    assert_int_equal(report.position.sequence, BATCHES - 20);
    fixture_close(&w.f);

    restore(&w);
    dir_fd = open(w.log, O_RDONLY | O_DIRECTORY);
    assert_int_equal(wal_truncate_write(w.log, dir_fd, &wal_calls_system, (struct store_position){1, BATCHES - 20}, &e),
                     0);
    close(dir_fd);
    char *path = wal_segment_path(w.log, w.segments[2]);
    flip_bit(path, 8 * 3000);
    free(path);
    assert_int_not_equal(judge(&w, "damaged", &report, &e), 0);
    cut(&w, "damaged");
    end(&w);
}

/* ---- a cut that is interrupted ---- */

static unsigned calls_left; /* before every one fails */

static bool may_call(void)
{
    errno = EIO;
    return calls_left > 0 && calls_left-- > 0;
}

static int limited_open(void *user, const char *path, int flags, mode_t mode)
{
    return may_call() ? wal_calls_system.open(user, path, flags, mode) : -1;
}

static ssize_t limited_pwritev(void *user, int fd, const struct iovec *parts, int count, off_t at)
{
    return may_call() ? wal_calls_system.pwritev(user, fd, parts, count, at) : -1;
}

static ssize_t limited_pread(void *user, int fd, void *to, size_t len, off_t at)
{
    return may_call() ? wal_calls_system.pread(user, fd, to, len, at) : -1;
}

static int limited_fdatasync(void *user, int fd)
{
    return may_call() ? wal_calls_system.fdatasync(user, fd) : -1;
}

static int limited_fsync(void *user, int fd)
{
    return may_call() ? wal_calls_system.fsync(user, fd) : -1;
}

static int limited_rename(void *user, const char *from, const char *to)
{
    return may_call() ? wal_calls_system.rename(user, from, to) : -1;
}

/* Ends within the cut, after so many calls. False: it was done by then. */
static bool interrupt_cut(struct world *w, unsigned calls)
{
    struct wal_calls limited = wal_calls_system;
    struct store_checkpoint_report checkpoint;
    struct store_cut plan;
    struct error e;
    limited.open = limited_open;
    limited.pwritev = limited_pwritev;
    limited.pread = limited_pread;
    limited.fdatasync = limited_fdatasync;
    limited.fsync = limited_fsync;
    limited.rename = limited_rename;
    assert_int_equal(store_inspect_checkpoint(w->f.store_dir, NULL, &checkpoint, &e), 0);
    assert_int_equal(store_find_cut(w->f.store_dir, checkpoint.at, checkpoint.next, &plan, &e), 0);
    assert_int_equal(mkdir(w->aside, 0700), 0);
    calls_left = calls;
    int rc = store_cut_log_with(w->f.store_dir, &plan, w->aside, &limited, &e);
    assert_true(rc == 0 || rc == ERROR_DISK); /* EIO */
    run_command("rm -r %s%s", w->aside, "");
    return rc != 0;
}

static void test_a_cut_that_is_interrupted_at_any_call_is_done_again(void **state)
{
    (void)state;
    struct world w;
    struct store_report report;
    struct error e;
    unsigned calls = 0;
    begin(&w, true);
    for (bool interrupted = true; interrupted; calls++) {
        restore(&w);
        char what[60], *path = wal_segment_path(w.log, w.segments[2]);
        snprintf(what, sizeof what, "interrupted after %u calls", calls);
        flip_bit(path, 8 * 3000);
        free(path);
        interrupted = interrupt_cut(&w, calls);
        if (judge(&w, what, &report, &e)) {
            cut(&w, what);
        } else {
            expect_rows_of(w.f.store, report.position.sequence);
            fixture_close(&w.f);
        }
    }
    assert_true(calls > 15);
    end(&w);
}

/* ---- the checkpoint ---- */

static void test_a_checkpoint_is_made_anew_from_a_log_that_begins_at_the_beginning(void **state)
{
    (void)state;
    struct world w;
    struct store_report report;
    struct store_cut plan;
    struct error e;
    char lmdb[320], kept[340];
    begin(&w, false);
    restore(&w);
    snprintf(lmdb, sizeof lmdb, "%s/lmdb", w.f.store_dir);
    run_command("rm %s/data.mdb%s", lmdb, "");
    assert_int_equal(judge(&w, "no lmdb", &report, &e), ERROR_FORMAT);
    assert_int_equal(
        store_find_cut(w.f.store_dir, (struct store_position){0, 0}, (struct store_position){0, 0}, &plan, &e),
        ERROR_NOT_FOUND);
    assert_int_equal(mkdir(w.aside, 0700), 0);
    if (store_rebuild_checkpoint(w.f.store_dir, w.aside, NULL, &report, &e)) fail_msg("%s", e.text);
    assert_int_equal(report.records, BATCHES);
    snprintf(kept, sizeof kept, "%s/lmdb", w.aside);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(judge(&w, "rebuilt", &report, &e), 0);
    assert_int_equal(report.checkpoint.sequence, BATCHES);
    fixture_close(&w.f);
    end(&w);
}

static void test_a_checkpoint_made_anew_knows_what_expires(void **state)
{
    (void)state;
    struct fixture f;
    struct store_report report;
    struct store_checkpoint_report checkpoint;
    struct error e;
    char aside[320];
    fixture_begin(&f);
    f.options.expiry = test_expiry;
    fixture_open(&f);
    put(&f, "a", "@50"), put(&f, "b", "never");
    fixture_close(&f);
    snprintf(aside, sizeof aside, "%s/aside", f.dir);
    assert_int_equal(mkdir(aside, 0700), 0);
    if (store_rebuild_checkpoint(f.store_dir, aside, test_expiry, &report, &e)) fail_msg("%s", e.text);
    if (store_inspect_checkpoint(f.store_dir, test_expiry, &checkpoint, &e)) fail_msg("%s", e.text);
    assert_int_equal(checkpoint.rows, 2);
    assert_int_equal(checkpoint.expiring, 1);
    fixture_open(&f);
    fixture_check_index(&f);
    fixture_end(&f);
}

static void test_an_index_that_does_not_fit_the_rows_is_found(void **state)
{
    (void)state;
    struct fixture f;
    struct store_checkpoint_report checkpoint;
    struct error e;
    fixture_begin(&f);
    fixture_open(&f); /* as if no row ever were due */
    put(&f, "a", "@50");
    fixture_close(&f);
    assert_int_equal(store_inspect_checkpoint(f.store_dir, test_expiry, &checkpoint, &e), ERROR_FORMAT);
    assert_non_null(strstr(e.text, "missing in the index"));
    fixture_end(&f);
}

/* Where the bytes are in a file that has them once. */
static size_t find_in_file(const char *path, const char *text)
{
    static uint8_t data[1 << 20];
    int fd = open(path, O_RDONLY);
    ssize_t len = read(fd, data, sizeof data);
    close(fd);
    const uint8_t *at = len > 0 ? memmem(data, (size_t)len, text, strlen(text)) : NULL;
    assert_non_null(at);
    return (size_t)(at - data);
}

static void test_a_flipped_bit_of_a_row_is_found_by_its_checksum(void **state)
{
    (void)state;
    static const char *const parts[] = {"the key", "the value"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct fixture f;
        struct store_checkpoint_report checkpoint;
        struct error e;
        char path[400];
        fixture_begin(&f);
        fixture_open(&f);
        put(&f, "the key", "the value");
        fixture_close(&f);
        snprintf(path, sizeof path, "%s/lmdb/data.mdb", f.store_dir);
        assert_int_equal(store_inspect_checkpoint(f.store_dir, NULL, &checkpoint, &e), 0);
        flip_bit(path, 8 * (find_in_file(path, parts[i]) + 2));
        assert_int_equal(store_inspect_checkpoint(f.store_dir, NULL, &checkpoint, &e), ERROR_FORMAT);
        assert_non_null(strstr(e.text, "checksum"));
        fixture_end(&f);
    }
}

static void test_a_checkpoint_that_is_needed_is_not_made_from_half_a_log(void **state)
{
    (void)state;
    struct world w;
    struct store_cut plan;
    struct error e;
    begin(&w, true);
    restore(&w);
    assert_int_equal(
        store_find_cut(w.f.store_dir, (struct store_position){0, 0}, (struct store_position){0, 0}, &plan, &e),
        ERROR_FORMAT);
    assert_non_null(strstr(e.text, "without a checkpoint"));
    end(&w);
}

static int count_changes(void *user, uint64_t epoch, const struct store_operation *o, struct error *e)
{
    (void)e;
    uint64_t *next = user;
    assert_int_equal(epoch, 1);
    assert_int_equal(o->sequence, ++*next);
    assert_int_equal(o->code, STORE_OPERATION_PUT);
    assert_int_equal(strtoull((const char *)o->value.data, NULL, 10), *next);
    return 0;
}

static void test_looking_changes_no_byte_and_tells_what_is_there(void **state)
{
    (void)state;
    struct world w;
    struct store_log_report log;
    struct store_checkpoint_report checkpoint;
    struct store_report report;
    struct error e;
    uint64_t last = 0;
    begin(&w, false);
    restore(&w);
    run_command("chmod -R a-w %s%s", w.f.store_dir, "");
    assert_int_equal(store_inspect_log(w.f.store_dir, count_changes, &last, &log, &e), 0);
    assert_int_equal(store_inspect_checkpoint(w.f.store_dir, NULL, &checkpoint, &e), 0);
    assert_int_equal(open_store(&w, true, &report, &e), 0);
    fixture_close(&w.f);
    run_command("chmod -R u+w %s%s", w.f.store_dir, "");
    run_command("diff -r %s %s", w.f.store_dir, w.pristine);
    assert_int_equal(last, BATCHES);
    assert_int_equal(log.batches, BATCHES);
    assert_int_equal(log.puts, BATCHES);
    assert_int_equal(log.segments, w.segment_count);
    assert_int_equal(log.first.sequence, 1);
    assert_int_equal(log.last.sequence, BATCHES);
    assert_int_equal(checkpoint.rows, 0);

    fixture_open(&w.f);
    fixture_checkpoint(&w.f);
    fixture_close(&w.f);
    assert_int_equal(store_inspect_checkpoint(w.f.store_dir, NULL, &checkpoint, &e), 0);
    assert_int_equal(checkpoint.rows, ROWS);
    assert_int_equal(checkpoint.at.sequence, BATCHES);
    assert_true(checkpoint.depth > 0 && checkpoint.leaf_pages > 0 &&
                checkpoint.pages > checkpoint.leaf_pages + checkpoint.free_pages);
    end(&w);
}

int run_inspect_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looking_changes_no_byte_and_tells_what_is_there),
        cmocka_unit_test(test_looking_judges_a_damaged_log_as_a_start_does_and_a_cut_makes_it_good),
        cmocka_unit_test(test_the_same_without_a_checkpoint),
        cmocka_unit_test(test_a_log_that_is_gone_leaves_the_checkpoint),
        cmocka_unit_test(test_a_damaged_log_with_a_truncation_to_finish_is_cut_at_the_damage),
        cmocka_unit_test(test_a_cut_that_is_interrupted_at_any_call_is_done_again),
        cmocka_unit_test(test_a_checkpoint_is_made_anew_from_a_log_that_begins_at_the_beginning),
        cmocka_unit_test(test_a_checkpoint_made_anew_knows_what_expires),
        cmocka_unit_test(test_a_flipped_bit_of_a_row_is_found_by_its_checksum),
        cmocka_unit_test(test_an_index_that_does_not_fit_the_rows_is_found),
        cmocka_unit_test(test_a_checkpoint_that_is_needed_is_not_made_from_half_a_log),
    };
    return cmocka_run_group_tests_name("inspect and repair", tests, NULL, NULL);
}
