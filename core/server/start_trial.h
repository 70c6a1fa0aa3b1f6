/* A start tried out: the store and the keyspace of a data directory opened as a node would, but nothing is changed. */
#ifndef AIKV_SERVER_START_TRIAL_H
#define AIKV_SERVER_START_TRIAL_H

#include "keyspace/inspect.h"

struct start_trial {
    bool reads_rows; /* all of them, which a start does not; only where LMDB's pages are sound, else it may take forever
                      */
    /* In the process of the trial, once every row was read; or NULL. */
    void (*visit)(void *user, struct keyspace *ks);
    void *user;
    /* found */
    bool accepted; /* a start would be */
    struct store_report report;
};

/* Runs one in a process of its own, since damaged pages may end it. The directory must be locked. Errors: those of
 * store_open and keyspace_open, then `accepted` is false; those of keyspace_check, which a start, reading no more than
 * it needs, would not see. */
int start_trial_run(const char *dir, struct start_trial *trial, struct error *e);

#endif
