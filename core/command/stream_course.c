/* How far along a stream a group has come (stream_group.h). As Redis 7.0 does it: exact as long as nothing was deleted out of the middle, and known again at the
 * stream's ends. */
#include "command/stream_group.h"

static bool is_zero(struct stream_id id)
{
    return !id.ms && !id.seq;
}

/* Whether an entry from `id` on was deleted by its id, where others before it are still there. */
static bool has_gaps(const struct stream_course *course, struct stream_id id)
{
    struct stream_id deleted = course->head.max_deleted;
    if (!course->count || is_zero(deleted) || stream_id_compare(course->first, deleted) > 0) return false;
    return stream_id_compare(id, deleted) <= 0;
}

/* Entries up to `id`, from the first ever; STREAM_READ_UNKNOWN. */
static int64_t distance(const struct stream_course *course, struct stream_id id)
{
    const struct stream_head *head = &course->head;
    uint64_t gone = head->added - course->count;
    if (!head->added) return 0;
    int to_last = stream_id_compare(id, head->last), to_first = stream_id_compare(id, course->first);
    if (to_last == 0 || (!course->count && to_last < 0)) return (int64_t)head->added;
    if (to_last > 0) return STREAM_READ_UNKNOWN;
    if (!is_zero(head->max_deleted) && stream_id_compare(head->max_deleted, course->first) >= 0) return STREAM_READ_UNKNOWN;
    return to_first > 0 ? STREAM_READ_UNKNOWN : (int64_t)(to_first < 0 ? gone : gone + 1);
}

struct stream_course command_stream_course(struct keyspace_stream *s)
{
    struct stream_course course = {.head = s->head, .count = s->count};
    struct keyspace_stream_walk w;
    struct stream_entry first;
    keyspace_stream_walk(s, 0, false, &w);
    if (keyspace_stream_next(s, &w, &first)) course.first = first.id;
    return course;
}

void stream_course_read(const struct stream_course *course, struct stream_group *g, struct stream_id id)
{
    if (g->read != STREAM_READ_UNKNOWN && !has_gaps(course, id))
        g->read = (int64_t)((uint64_t)g->read + 1); /* ENTRIESREAD may have been the greatest */
    else if (course->head.added)
        g->read = distance(course, id);
    g->last = id;
}

bool stream_course_lag(const struct stream_course *course, const struct stream_group *g, int64_t *out)
{
    int64_t read = g->read;
    *out = 0;
    if (!course->head.added) return true;
    if (read == STREAM_READ_UNKNOWN || has_gaps(course, g->last)) read = distance(course, g->last);
    *out = (int64_t)(course->head.added - (uint64_t)read);
    return read != STREAM_READ_UNKNOWN;
}
