#include "server/start_trial.h"

#include "keyspace/check.h"
#include "server/faults.h"

struct work {
    const char *dir;
    struct start_trial trial;
};

static int open_all(void *user, struct error *e)
{
    struct work *w = user;
    struct store *store;
    struct keyspace *ks;
    int code = store_open(&(struct store_options){.dir = w->dir, .read_only = true, .expiry = keyspace_expiry}, &store, &w->trial.report, e);
    if (code) return code;
    if (!(code = keyspace_open_read_only(store, &ks, e))) {
        w->trial.accepted = true;
        if (w->trial.reads_rows) code = keyspace_check(ks, e);
        if (!code && w->trial.visit) w->trial.visit(w->trial.user, ks);
        keyspace_close(ks);
    }
    store_close(store);
    return code;
}

int start_trial_run(const char *dir, struct start_trial *trial, struct error *e)
{
    struct work w = {dir, *trial};
    int code = faults_contain(open_all, &w, sizeof w, e);
    *trial = w.trial;
    return code;
}
