#include "wal_world.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

uint64_t world_seed(const char *test)
{
    const char *text = getenv("AIKV_SEED");
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    if (text) seed = strtoull(text, NULL, 0);
    print_message("%s: AIKV_SEED=%" PRIu64 "\n", test, seed);
    return seed;
}

void world_begin(struct world *w, uint64_t seed)
{
    *w = (struct world){.random = seed};
    files_make(w->dir, "wal");
    snprintf(w->log_dir, sizeof w->log_dir, "%s/log", w->dir);
    char graveyard[300];
    snprintf(graveyard, sizeof graveyard, "%s/graveyard", w->dir);
    sim_init(&w->sim, graveyard, random_next(&w->random));
    w->options = (struct wal_options){
        .dir = w->log_dir,
        .segment_size = WORLD_SEGMENT,
        .reserve = 2,
        .mode = WAL_ALWAYS,
        .calls = &w->sim.calls,
    };
    log_set_level(LOG_ERROR + 1);
}

void world_end(struct world *w)
{
    world_close(w);
    sim_release(&w->sim);
    files_remove(w->dir);
    free(w->records);
    log_set_level(LOG_INFO);
}

static void make_bytes(const struct expected *r, uint8_t *out)
{
    uint64_t state = r->seed;
    for (size_t at = 0; at < r->len; at += 8) {
        uint64_t v = random_next(&state);
        memcpy(out + at, &v, r->len - at < 8 ? r->len - at : 8);
    }
}

bool world_is_record(const struct expected *r, struct store_position first, uint64_t last, struct bytes batches)
{
    if (store_position_compare(r->first, first) || r->last != last || r->len != batches.len) return false;
    uint8_t *bytes = malloc(r->len);
    make_bytes(r, bytes);
    bool same = memcmp(bytes, batches.data, r->len) == 0;
    free(bytes);
    return same;
}

static int replay(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    struct world *w = user;
    (void)e;
    if (w->seen < w->count && world_is_record(&w->records[w->seen], first, last, batches))
        w->seen++;
    else
        snprintf(w->wrong, sizeof w->wrong, "%" PRIu64 "/%" PRIu64 " to %" PRIu64 ", %zu bytes", first.epoch,
                 first.sequence, last, batches.len);
    return 0;
}

size_t world_records_up_to(const struct world *w, struct store_position p)
{
    size_t n = 0;
    while (n < w->count &&
           store_position_compare((struct store_position){w->records[n].first.epoch, w->records[n].last}, p) <= 0)
        n++;
    return n;
}

int world_open(struct world *w)
{
    w->wrong[0] = 0;
    w->seen = world_records_up_to(w, w->checkpoint);
    w->error.text[0] = 0;
    int rc = wal_open(&w->options, w->checkpoint, replay, w, &w->wal, &w->report, &w->error);
    if (w->wrong[0]) fail_msg("replay gave %s", w->wrong);
    if (rc) {
        w->wal = NULL;
        return rc;
    }
    w->count = w->seen;
    return 0;
}

void world_open_ok(struct world *w)
{
    if (world_open(w)) fail_msg("%s", w->error.text);
}

void world_close(struct world *w)
{
    if (w->wal) wal_close(w->wal);
    w->wal = NULL;
}

bool world_wait_for_room(struct world *w, size_t len)
{
    for (uint64_t until = clock_monotonic_ms() + 20000; clock_monotonic_ms() < until; usleep(50)) {
        if (wal_has_room(w->wal, len)) return true;
        if (wal_failed(w->wal, NULL) || wal_full(w->wal, NULL)) return false;
    }
    fail_msg("no room within 20 s");
    return false;
}

bool world_wait_durable(struct world *w)
{
    for (uint64_t until = clock_monotonic_ms() + 20000; clock_monotonic_ms() < until; usleep(50)) {
        if (store_position_compare(wal_durable(w->wal), wal_written(w->wal)) == 0) return true;
        if (wal_failed(w->wal, NULL)) return false;
    }
    fail_msg("not durable within 20 s");
    return false;
}

void world_wait_for_reserve(struct world *w)
{
    struct wal_statistics t;
    for (unsigned i = 0; i < 100000; i++) {
        wal_statistics(w->wal, &t);
        if (t.segments_ready >= w->options.reserve) return;
        usleep(100);
    }
    fail_msg("no reserve within 10 s");
}

bool world_append_len(struct world *w, size_t len)
{
    if (!world_wait_for_room(w, len)) return false;
    struct expected r = {{1, 1}, 0, random_next(&w->random), len};
    if (w->count) {
        const struct expected *before = &w->records[w->count - 1];
        r.first = (struct store_position){before->first.epoch, before->last + 1};
        if (random_below(&w->random, 50) == 0)
            r.first = (struct store_position){before->first.epoch + 1, before->last + 1};
    }
    r.last = r.first.sequence + random_below(&w->random, 20);
    uint8_t *bytes = malloc(len);
    make_bytes(&r, bytes);
    struct iovec parts[40];
    int count = 0;
    for (size_t at = 0; at < len; count++) {
        size_t n = count == 39 ? len - at : random_below(&w->random, len - at + 1);
        parts[count] = (struct iovec){bytes + at, n};
        at += n;
    }
    /* What failed may still be found later, so it is expected, but not acknowledged. */
    if (w->count == w->cap) w->records = realloc(w->records, (w->cap = w->cap * 2 + 64) * sizeof *w->records);
    w->records[w->count++] = r;
    int rc = wal_append(w->wal, r.first, r.last, parts, count, len, &w->error);
    free(bytes);
    return rc == 0;
}

bool world_append(struct world *w)
{
    uint64_t kind = random_below(&w->random, 100);
    size_t max = kind < 70 ? 200 : kind < 99 ? 3000 : 40000;
    return world_append_len(w, 1 + random_below(&w->random, max));
}

void world_trim(struct world *w)
{
    size_t from = world_records_up_to(w, w->checkpoint), to = world_records_up_to(w, wal_durable(w->wal));
    if (to <= from) return;
    const struct expected *r = &w->records[from + random_below(&w->random, to - from)];
    w->checkpoint = (struct store_position){r->first.epoch, r->last};
    wal_trim(w->wal, w->checkpoint);
}

void world_path(const struct world *w, uint64_t number, char out[400])
{
    snprintf(out, 400, "%s/%020" PRIu64 ".log", w->log_dir, number);
}
