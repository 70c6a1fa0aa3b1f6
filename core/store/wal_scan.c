#include "store/wal_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/wal_io.h"

static int refuse(const struct wal_scan *s, uint64_t number, size_t at, const char *why, struct error *e)
{
    char *path = wal_segment_path(s->dir, number);
    error_set(e, ERROR_FORMAT, "%s: offset %zu: %s (the log is intact up to %" PRIu64 "/%" PRIu64 ")", path, at, why,
              s->report.last.epoch, s->report.last.sequence);
    free(path);
    return ERROR_FORMAT;
}

/* out->data is to be freed. */
static int load(const struct wal_scan *s, const struct wal_segment *segment, struct bytes *out, struct error *e)
{
    char *path = wal_segment_path(s->dir, segment->number);
    uint8_t *data = malloc(segment->size);
    int rc = data ? wal_io_read(s->calls, segment->fd, data, segment->size, 0) : 0;
    if (!data)
        rc = error_set(e, ERROR_OOM, "%s: no memory for its %zu bytes", path, segment->size);
    else if (rc)
        rc = error_system(e, ERROR_IO, rc, "%s: reading", path);
    free(path);
    if (rc) free(data);
    *out = bytes_of(rc ? NULL : data, segment->size);
    return rc;
}

/* Whether the end is where it is to be. */
static bool is_reached(const struct wal_scan *s)
{
    return s->until.sequence && store_position_compare(s->report.last, s->until) == 0;
}

static int refuse_until(const struct wal_scan *s, const struct wal_record_header *over, struct error *e)
{
    const struct store_position *last = &s->report.last;
    char why[200];
    if (last->sequence == s->until.sequence)
        snprintf(why, sizeof why, "batch %" PRIu64 " is of epoch %" PRIu64, last->sequence, last->epoch);
    else if (over)
        snprintf(why, sizeof why, "batches %" PRIu64 " to %" PRIu64 " are one record", over->first.sequence, over->last);
    else
        snprintf(why, sizeof why, "it ends at %" PRIu64 "/%" PRIu64, last->epoch, last->sequence);
    return error_set(e, ERROR_NOT_FOUND, "the log in %s cannot be cut off behind %" PRIu64 "/%" PRIu64 ": %s", s->dir, s->until.epoch,
                     s->until.sequence, why);
}

/* Hands over the records of a segment until one is torn or out of order, or the end is to be there. Only replay's own errors are errors. */
static int replay_records(struct wal_scan *s, const struct wal_segment *segment, struct bytes data, struct error *e)
{
    uint32_t seed = wal_seed(&segment->header);
    struct wal_record_header h;
    for (s->end_at = WAL_BEGIN; !is_reached(s) && wal_record_header_read(data, s->end_at, seed, &h);
         s->end_at += wal_record_size(h.len)) {
        if (!wal_record_follows(&h, s->report.last) || !wal_record_is_whole(data, s->end_at, seed, &h)) break;
        if (s->until.sequence && h.last > s->until.sequence) return refuse_until(s, &h, e);
        struct store_position last = {h.first.epoch, h.last};
        if (s->replay && (s->all || store_position_compare(last, s->checkpoint) > 0)) {
            int rc = s->replay(s->user, h.first, h.last, bytes_of(data.data + s->end_at + WAL_HEADER, h.len), e);
            if (rc) return rc;
        }
        s->report.last = last;
        s->report.records++;
        s->report.bytes += h.len;
    }
    return 0;
}

/* Looks through what lies in a segment from `from` on, which is behind the end, for records of its own. */
static int look_behind(struct wal_scan *s, struct wal_segment *segment, struct bytes data, size_t from, struct error *e)
{
    uint32_t seed = wal_seed(&segment->header);
    struct wal_record_header h;
    static const uint8_t mark[WAL_MARK];
    segment->extent = from;
    if (data.len - from > WAL_HEADER && memcmp(data.data + from, mark, WAL_MARK) != 0)
        segment->extent = from + WAL_HEADER; /* something was written here, if only a part of a header */
    for (size_t at = from; at + WAL_HEADER <= data.len; at += 8) {
        if (!wal_record_header_read(data, at, seed, &h)) continue;
        if (h.synced > s->end_offset && !is_reached(s))
            return refuse(s, s->end ? s->end->number : s->segments->number, s->end ? s->end_at : 0,
                          "the log is damaged: what follows shows that more of it had been synced", e);
        size_t extent = at + wal_record_size(h.len);
        if (extent > segment->extent) segment->extent = extent;
    }
    s->remains = s->remains || segment->extent > from;
    *(is_reached(s) ? &s->report.truncated_bytes : &s->report.dropped_bytes) += segment->extent - from;
    return 0;
}

/* The end is found; `torn` is the first segment behind it. */
static int judge_the_rest(struct wal_scan *s, struct wal_segment *torn, struct bytes data, struct error *e)
{
    int rc = data.data ? look_behind(s, s->end, data, s->end_at, e) : 0;
    for (struct wal_segment *g = torn; !rc && g; g = g->next) {
        struct bytes behind;
        if (!g->begun) continue;
        s->remains = true;
        rc = load(s, g, &behind, e);
        if (!rc) rc = look_behind(s, g, behind, WAL_BEGIN, e);
        free((void *)(uintptr_t)behind.data);
        g->extent = WAL_BEGIN; /* without its header, none of it is found again */
    }
    return rc;
}

static int check_beginning(struct wal_scan *s, struct error *e)
{
    const struct wal_segment *first = s->segments;
    s->report.last = s->checkpoint;
    if (!first || !first->begun) return 0;
    s->end_offset = first->header.start;
    if (!s->all && store_position_compare(first->header.base, s->checkpoint) > 0) {
        s->report.last = first->header.base;
        return refuse(s, first->number, 0, "records between the checkpoint and the beginning of the log are missing",
                      e);
    }
    s->report.last = first->header.base;
    return 0;
}

static bool continues(const struct wal_scan *s, const struct wal_segment *segment)
{
    return segment->begun && segment->header.start == s->end_offset &&
           store_position_compare(segment->header.base, s->report.last) == 0;
}

/* Whether all of a segment is in the checkpoint, so that it need not be looked at. */
static bool is_old(const struct wal_scan *s, const struct wal_segment *segment)
{
    const struct wal_segment *next = segment->next;
    return !s->all && next && next->begun && store_position_compare(next->header.base, s->checkpoint) <= 0 &&
           next->header.start >= segment->header.start + WAL_BEGIN &&
           next->header.start - segment->header.start <= segment->size;
}

static int check_numbers(const struct wal_scan *s, const struct wal_segment *last_begun, struct error *e)
{
    for (const struct wal_segment *g = s->segments; g && g != last_begun; g = g->next)
        if (g->next->number != g->number + 1) return refuse(s, g->number + 1, 0, "the segment is missing", e);
    return 0;
}

static int walk(struct wal_scan *s, const struct wal_segment *last_begun, struct error *e)
{
    struct bytes data = {0};
    struct wal_segment *g = s->segments;
    int rc = 0;
    for (; last_begun && g != last_begun->next && continues(s, g); g = g->next) {
        s->end = g;
        s->report.segments++;
        free((void *)(uintptr_t)data.data);
        data = (struct bytes){0};
        if (is_old(s, g)) {
            s->end_at = (size_t)(g->next->header.start - g->header.start);
            s->report.last = g->next->header.base;
        } else {
            rc = load(s, g, &data, e);
            if (!rc) rc = replay_records(s, g, data, e);
            if (rc) break;
        }
        s->end_offset = g->header.start + s->end_at;
        if (is_reached(s)) {
            g = g->next;
            break;
        }
    }
    if (!rc && last_begun) rc = judge_the_rest(s, g == last_begun->next ? NULL : g, data, e);
    free((void *)(uintptr_t)data.data);
    return rc;
}

int wal_scan_run(struct wal_scan *s, struct error *e)
{
    struct wal_segment *last_begun = NULL;
    for (struct wal_segment *g = s->segments; g; g = g->next)
        if (g->begun) last_begun = g;
    int rc = last_begun ? check_numbers(s, last_begun, e) : 0;
    if (!rc) rc = check_beginning(s, e);
    if (!rc) rc = walk(s, last_begun, e);
    if (!rc && !s->all && store_position_compare(s->report.last, s->checkpoint) < 0)
        rc = refuse(s, s->end->number, s->end_at, "the log ends before the checkpoint", e);
    if (!rc && s->until.sequence && !is_reached(s)) rc = refuse_until(s, NULL, e);
    return rc;
}
