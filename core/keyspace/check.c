#include "keyspace/check.h"

#include <stdio.h>

#include "keyspace/keyspace_state.h"

/* The same numbers and ids, and nothing counted. */
static void copy_ids(const struct databases *from, struct databases *to)
{
    struct buffer b;
    buffer_init(&b, 4 * (size_t)DATABASES_MAX + 64);
    databases_write(&b, from);
    struct reader r = reader_of(buffer_bytes(&b));
    databases_init(to);
    databases_read(&r, to);
    buffer_release(&b);
}

static int differs(unsigned number, const char *what, uint64_t counted, uint64_t found, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "database %u: its counts say %llu %s, but there are %llu", number,
                     (unsigned long long)counted, what, (unsigned long long)found);
}

static int compare_database(unsigned number, const struct database *counted, const struct database *found,
                            struct error *e)
{
    for (unsigned slot = 0; slot < ROWKEY_SLOTS; slot++) {
        uint64_t a = databases_slot_size(counted, slot), b = databases_slot_size(found, slot);
        if (a == b) continue;
        char what[40];
        snprintf(what, sizeof what, "keys in slot %u", slot);
        return differs(number, what, a, b, e);
    }
    if (counted->size != found->size) return differs(number, "keys", counted->size, found->size, e);
    if (counted->expiring != found->expiring)
        return differs(number, "expiring keys", counted->expiring, found->expiring, e);
    return 0;
}

int keyspace_check(struct keyspace *ks, struct error *e)
{
    struct databases counted = ks->databases;
    copy_ids(&counted, &ks->databases);
    int rc = keyspace_count_rows(ks, e);
    for (unsigned n = 0; !rc && n < counted.count; n++)
        rc = compare_database(n, &counted.list[n], &ks->databases.list[n], e);
    databases_release(&ks->databases);
    ks->databases = counted;
    return rc;
}
