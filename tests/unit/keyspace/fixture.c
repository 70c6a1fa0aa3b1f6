#include "fixture.h"

#include <inttypes.h>
#include <semaphore.h>

#include "base/random.h"
#include "store/store_state.h"

static sem_t durable;

static void on_durable(void *user)
{
    (void)user;
    sem_post(&durable);
}

void fixture_open_store(struct fixture *f)
{
    struct store_options options = {.dir = f->store_dir, .on_durable = on_durable, .expiry = keyspace_expiry, .sampled = keyspace_sampled};
    struct store_calls calls = {.segment_size = 1 << 20, .transaction_rows = 16}; /* many steps to be interrupted at */
    struct error e;
    if (store_open_with(&options, &calls, &f->store, NULL, &e)) fail_msg("%s", e.text);
}

void fixture_open(struct fixture *f)
{
    struct error e;
    fixture_open_store(f);
    if (keyspace_open(f->store, DATABASES, &f->ks, &e)) fail_msg("%s", e.text);
}

void fixture_close(struct fixture *f)
{
    keyspace_close(f->ks);
    store_close(f->store);
    f->ks = NULL;
    f->store = NULL;
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

void fixture_settle(struct fixture *f)
{
    keyspace_begin(f->ks, 0, f->now_ms);
    keyspace_size(f->ks, 0); /* depends on all that was written */
    struct store_position last = keyspace_end(f->ks);
    store_flush(f->store);
    while (store_position_compare(store_durable(f->store), last) < 0) {
        sem_wait(&durable);
        store_flush(f->store); /* the log may have had no room before */
    }
}

int fixture_setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.now_ms = 1000000};
    files_make(f.dir, "keyspace");
    snprintf(f.store_dir, sizeof f.store_dir, "%s/lmdb", f.dir);
    sem_init(&durable, 0, 0);
    fixture_open(&f);
    *state = &f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    sem_destroy(&durable);
    files_remove(f->dir);
    return 0;
}

struct store_position put(struct fixture *f, unsigned database, const char *key, const char *value, int64_t expires_ms)
{
    keyspace_begin(f->ks, database, f->now_ms);
    keyspace_string_put(f->ks, bytes_text(key), bytes_text(value), expires_ms);
    return keyspace_end(f->ks);
}

struct store_position expect(struct fixture *f, unsigned database, const char *key, const char *value)
{
    keyspace_begin(f->ks, database, f->now_ms);
    struct keyspace_entry en = keyspace_find(f->ks, bytes_text(key));
    if ((en.type != KEYSPACE_NONE) != (value != NULL)) fail_msg("key %s is %s", key, value ? "missing" : "there");
    if (value && !holds(f, &en, bytes_text(value))) fail_msg("key %s has another value", key);
    return keyspace_end(f->ks);
}

bool holds(struct fixture *f, const struct keyspace_entry *en, struct bytes value)
{
    struct arena arena = {0};
    bool same = keyspace_string_len(en) == value.len && bytes_equal(keyspace_string_whole(f->ks, en, &arena), value);
    arena_release(&arena);
    return same;
}

bool delete_key(struct fixture *f, unsigned database, const char *key)
{
    keyspace_begin(f->ks, database, f->now_ms);
    bool there = keyspace_delete(f->ks, bytes_text(key));
    keyspace_end(f->ks);
    return there;
}

bool expire_key(struct fixture *f, unsigned database, const char *key, int64_t expires_ms)
{
    keyspace_begin(f->ks, database, f->now_ms);
    bool there = keyspace_expire(f->ks, bytes_text(key), expires_ms);
    keyspace_end(f->ks);
    return there;
}

void flush(struct fixture *f, unsigned database)
{
    keyspace_begin(f->ks, database, f->now_ms);
    keyspace_flush(f->ks, database);
    keyspace_end(f->ks);
}

size_t sweep(struct fixture *f, size_t keys, int64_t now_ms)
{
    size_t deleted = 0;
    bool more = true;
    while (more && deleted < keys) {
        deleted += keyspace_sweep(f->ks, keys - deleted, now_ms, &more);
        store_flush(f->store);
    }
    return deleted;
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
