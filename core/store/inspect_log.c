/* The log as a list of changes. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "store/inspect.h"
#include "store/wal.h"

struct inspection {
    store_inspect_visit *visit;
    void *user;
    struct store_log_report *out;
    uint64_t epoch;    /* of the record being read */
    uint64_t sequence; /* of the batch before */
};

static void count(struct store_log_report *out, enum store_operation_code code)
{
    switch (code) {
    case STORE_OPERATION_PUT: out->puts++; return;
    case STORE_OPERATION_DELETE: out->deletes++; return;
    case STORE_OPERATION_SPLICE: out->splices++; return;
    case STORE_OPERATION_DROP_SLOTS:
    case STORE_OPERATION_DROP_DATABASE: out->drops++; return;
    }
}

static int visit_operation(void *user, const struct store_operation *o, struct error *e)
{
    struct inspection *in = user;
    count(in->out, o->code);
    in->out->batches += o->sequence != in->sequence;
    in->sequence = o->sequence;
    return in->visit ? in->visit(in->user, in->epoch, o, e) : 0;
}

static int visit_record(void *user, struct store_position first, uint64_t last, struct bytes batches, struct error *e)
{
    struct inspection *in = user;
    (void)last;
    if (in->out->records++ == 0) in->out->first = first;
    in->epoch = first.epoch;
    int rc = store_read_record(batches, visit_operation, in, e);
    if (rc && e)
        error_prefix(e, "record of %llu/%llu: ", (unsigned long long)first.epoch, (unsigned long long)first.sequence);
    return rc;
}

int store_inspect_log(const char *dir, store_inspect_visit *visit, void *user, struct store_log_report *out,
                      struct error *e)
{
    char path[4096];
    struct wal_report found = {0};
    *out = (struct store_log_report){0};
    struct inspection in = {.visit = visit, .user = user, .out = out};
    if (snprintf(path, sizeof path, "%s/log", dir) >= (int)sizeof path)
        return error_set(e, ERROR_IO, "the name of the store's directory is too long");
    if (access(path, F_OK) && errno == ENOENT) return 0;
    int rc = wal_check(path, visit_record, &in, &found, e);
    out->segments = found.segments;
    out->bytes = found.bytes;
    out->torn_bytes = found.dropped_bytes;
    if (out->records) out->last = found.last;
    return rc;
}
