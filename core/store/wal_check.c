/* A log looked at and not changed. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/wal_scan.h"
#include "store/wal_truncate.h"

static int scan_files(struct wal_scan *scan, struct wal_report *report, struct error *e)
{
    int rc = wal_truncate_read(scan->dir, scan->calls, &scan->until, e);
    if (!rc) rc = wal_segment_list(scan->dir, scan->calls, O_RDONLY, &scan->segments, e);
    if (!rc) rc = wal_scan_run(scan, e);
    wal_segment_free_all(scan->segments, scan->calls);
    if (report) *report = scan->report;
    return rc;
}

int wal_look(const char *dir, struct store_position checkpoint, wal_replay replay, void *user, struct wal_report *report,
             struct error *e)
{
    struct wal_scan scan = {.dir = dir, .calls = &wal_calls_system, .checkpoint = checkpoint, .replay = replay, .user = user};
    if (access(dir, F_OK) == 0 || errno != ENOENT) return scan_files(&scan, report, e);
    *report = (struct wal_report){.last = checkpoint};
    return 0;
}

int wal_check(const char *dir, wal_replay visit, void *user, struct wal_report *report, struct error *e)
{
    struct wal_scan scan = {.dir = dir, .calls = &wal_calls_system, .all = true, .replay = visit, .user = user};
    return scan_files(&scan, report, e);
}
