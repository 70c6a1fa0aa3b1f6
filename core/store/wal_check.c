#include <fcntl.h>

#include "store/wal_scan.h"
#include "store/wal_truncate.h"

int wal_check(const char *dir, wal_replay visit, void *user, struct wal_report *report, struct error *e)
{
    struct wal_scan scan = {.dir = dir, .calls = &wal_calls_system, .all = true, .replay = visit, .user = user};
    int rc = wal_truncate_read(dir, scan.calls, &scan.until, e);
    if (!rc) rc = wal_segment_list(dir, scan.calls, O_RDONLY, &scan.segments, e);
    if (!rc) {
        rc = wal_scan_run(&scan, e);
        wal_segment_free_all(scan.segments, scan.calls);
    }
    if (report) *report = scan.report;
    return rc;
}
