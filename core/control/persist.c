/* Keeps what this node knows over a restart: the file `metadata`, read at the start, written on a worker thread. */
#include "base/log.h"
#include "control/control_thread.h"
#include "control/metadata_file.h"

#define PERSIST_AGAIN_MS 1000 /* after a failure */

int control_persist_load(struct control *c, struct error *problem)
{
    struct error e;
    struct cluster_state *s = NULL;
    int code = metadata_file_check(c->options.data_dir, problem);
    if (code || !c->identity.cluster_id[0]) return code;
    code = metadata_file_read(c->options.data_dir, &s, &e);
    if (code == 0 && strcmp(s->id, c->identity.cluster_id) != 0) {
        code = error_set(&e, ERROR_FOREIGN, "%s/metadata is of cluster %s", c->options.data_dir, s->id);
        cluster_state_free(s);
    }
    if (code == 0) {
        c->known = s;
        c->persisted_version = s->version;
        step_log_seed(&c->steps, s);
    } else if (code != ERROR_NOT_FOUND) {
        log_warn("the metadata file is left alone: waits for the leader to push it", "error=%s", log_quote(e.text));
    }
    return 0;
}

static void persist_work(uv_work_t *work)
{
    struct control *c = work->data;
    c->persist_error = (struct error){0};
    metadata_file_write(c->options.data_dir, buffer_bytes(&c->persisting), &c->persist_error);
}

static void persist_report(struct control *c)
{
    bool failed = c->persist_error.code != 0;
    if (failed && !c->persist_failed)
        log_error("the metadata file cannot be written", "error=%s", log_quote(c->persist_error.text));
    if (!failed && c->persist_failed)
        log_info("the metadata file is written again", "version=%llu", (unsigned long long)c->persisted_version);
    if (failed) c->persisted_version = 0;
    c->persist_failed = failed;
    buffer_release(&c->persisting);
}

static void persist_done(uv_work_t *work, int status)
{
    (void)status; /* never cancelled */
    struct control *c = work->data;
    c->persist_running = false;
    persist_report(c);
}

/* Whether there is something to write; then it is encoded. */
static bool persist_prepare(struct control *c)
{
    const struct cluster_state *s = control_state(c);
    if (!c->identity.cluster_id[0] || s->version == 0 || s->version == c->persisted_version || c->persist_running)
        return false;
    buffer_init(&c->persisting, CLUSTER_ENCODED_MAX);
    cluster_state_encode(s, &c->persisting);
    c->persisted_version = s->version;
    c->persisted_ms = control_now_ms(c);
    return true;
}

void control_persist_tick(struct control *c)
{
    uint64_t pause = c->persist_failed ? PERSIST_AGAIN_MS : CONTROL_PERSIST_MS;
    if (control_now_ms(c) - c->persisted_ms < pause || !persist_prepare(c)) return;
    c->persist_work.data = c;
    c->persist_running = uv_queue_work(&c->loop, &c->persist_work, persist_work, persist_done) == 0;
    if (c->persist_running) return;
    error_set(&c->persist_error, ERROR_OOM, "no worker thread for it");
    persist_report(c);
}

void control_persist_now(struct control *c)
{
    if (!persist_prepare(c)) return;
    c->persist_work.data = c;
    persist_work(&c->persist_work);
    persist_report(c);
}
