#include "fixture.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "store/disk_expiry.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rose = PTHREAD_COND_INITIALIZER;

static void on_durable(void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&rose);
    pthread_mutex_unlock(&lock);
}

void fixture_begin(struct fixture *f)
{
    *f = (struct fixture){.calls = {.segment_size = 1 << 20}};
    files_make(f->dir, "store");
    snprintf(f->store_dir, sizeof f->store_dir, "%s/store", f->dir);
}

void fixture_end(struct fixture *f)
{
    fixture_close(f);
    files_remove(f->dir);
}

void fixture_open(struct fixture *f)
{
    struct error e;
    f->options.dir = f->store_dir;
    f->options.on_durable = on_durable;
    if (store_open_with(&f->options, &f->calls, &f->store, &f->report, &e)) fail_msg("%s", e.text);
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

void fixture_pause(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 5 * 1000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&lock);
    pthread_cond_timedwait(&rose, &lock, &until);
    pthread_mutex_unlock(&lock);
}

void fixture_wait(struct fixture *f, struct store_position p)
{
    while (store_position_compare(store_durable(f->store), p) < 0 && !store_failed(f->store, NULL)) fixture_pause();
}

void fixture_settle(struct fixture *f)
{
    store_flush(f->store);
    while (f->store->record.first && !store_failed(f->store, NULL)) { /* no room yet */
        fixture_pause();
        store_flush(f->store);
    }
    while (store_released(f->store).sequence < f->store->sequence && !store_failed(f->store, NULL)) fixture_pause();
    store_flush(f->store);
}

void fixture_checkpoint(struct fixture *f)
{
    struct store *s = f->store;
    fixture_settle(f);
    while (s->at != s->sequence || s->phase != PHASE_IDLE) {
        if (s->phase == PHASE_IDLE) store_checkpoint_soon(s); /* else another one would follow */
        store_flush(s);
        if (s->phase == PHASE_RUNNING) fixture_pause();
    }
    s->wanted = false; /* no other one */
}

int64_t test_expiry(struct bytes key, struct bytes value)
{
    (void)key;
    char text[24];
    if (!value.len || value.data[0] != '@') return STORE_NEVER;
    snprintf(text, sizeof text, "%.*s", value.len < 20 ? (int)value.len - 1 : 19, (const char *)value.data + 1);
    char *end;
    int64_t due_ms = strtoll(text, &end, 10);
    return end == text ? STORE_NEVER : due_ms;
}

void fixture_check_index(struct fixture *f)
{
    struct disk *d = &f->store->disk;
    MDB_cursor *rows, *index;
    MDB_val key, value;
    size_t expiring = 0, entries = 0;
    assert_int_equal(mdb_cursor_open(d->snapshot, d->rows, &rows), 0);
    assert_int_equal(mdb_cursor_open(d->snapshot, d->expiry, &index), 0);
    while (mdb_cursor_get(rows, &key, &value, MDB_NEXT) == 0)
        expiring += test_expiry(bytes_of(NULL, 0), disk_value(d, key, value)) != STORE_NEVER;
    for (; mdb_cursor_get(index, &key, &value, MDB_NEXT) == 0; entries++) {
        struct bytes name, row;
        int64_t due_ms = disk_expiry_read(bytes_of(key.mv_data, key.mv_size), &name);
        assert_int_equal(value.mv_size, 0);
        assert_true(disk_get(d, name, &row));
        assert_int_equal(test_expiry(name, row), due_ms);
    }
    assert_int_equal(entries, expiring); /* so each has one */
    mdb_cursor_close(rows);
    mdb_cursor_close(index);
}

struct store_position put(struct fixture *f, const char *key, const char *value)
{
    store_begin(f->store);
    store_put(f->store, bytes_text(key), bytes_text(value));
    return store_commit(f->store);
}

struct store_position remove_row(struct fixture *f, const char *key)
{
    store_begin(f->store);
    store_delete(f->store, bytes_text(key));
    return store_commit(f->store);
}

struct store_position expect(struct fixture *f, const char *key, const char *value)
{
    struct store_value v;
    bool there = store_get(f->store, bytes_text(key), &v);
    if (there != (value != NULL)) fail_msg("row %s is %s", key, there ? "there" : "missing");
    if (value) {
        assert_int_equal(v.data.len, strlen(value));
        assert_memory_equal(v.data.data, value, v.data.len);
    }
    return v.position;
}

uint64_t test_seed(const char *test)
{
    const char *given = getenv("AIKV_SEED");
    uint64_t seed;
    if (given)
        seed = strtoull(given, NULL, 10);
    else
        random_bytes(&seed, sizeof seed);
    print_message("%s: AIKV_SEED=%" PRIu64 "\n", test, seed);
    return seed;
}
