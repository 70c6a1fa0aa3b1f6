#include "control/policy_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define STACK_SIZE (2u << 20)
#define REPLY_MAX  (16u << 20)

struct policy_thread {
    pthread_t thread;
    pthread_mutex_t lock; /* of the queue and `ends` */
    pthread_cond_t changed;
    struct policy_job *first, **end;
    size_t waiting; /* without dry runs */
    size_t dry_runs;
    bool ends;
    atomic_bool stop; /* what scripts look at */
    struct mailbox *mailbox;
};

/* ---- jobs ---- */

static void *allocate(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p) abort();
    return p;
}

struct policy_job *policy_job_new(enum policy_job_kind kind)
{
    struct policy_job *j = allocate(sizeof *j);
    j->kind = kind;
    j->protocol = 2;
    buffer_init(&j->reply, REPLY_MAX);
    return j;
}

void policy_job_set_source(struct policy_job *j, const char *name, const char *version, struct bytes text)
{
    snprintf(j->name, sizeof j->name, "%s", name);
    snprintf(j->version, sizeof j->version, "%s", version);
    j->text = allocate(text.len + 1);
    if (text.len) memcpy(j->text, text.data, text.len);
    j->text_len = text.len;
}

void policy_job_set_params(struct policy_job *j, const struct cluster_param *params, uint32_t count)
{
    j->params = allocate(count * sizeof *params);
    j->param_count = count;
    for (uint32_t i = 0; i < count; i++) {
        j->params[i] = params[i];
        j->params[i].value = strdup(params[i].value);
        if (!j->params[i].value) abort();
    }
}

void policy_job_set_argv(struct policy_job *j, const struct bytes *argv, uint32_t argc)
{
    size_t size = argc * sizeof *argv;
    for (uint32_t i = 0; i < argc; i++) size += argv[i].len;
    j->argv = allocate(size);
    j->argc = argc;
    uint8_t *at = (uint8_t *)(j->argv + argc);
    for (uint32_t i = 0; i < argc; i++) {
        if (argv[i].len) memcpy(at, argv[i].data, argv[i].len);
        j->argv[i] = bytes_of(at, argv[i].len);
        at += argv[i].len;
    }
}

void policy_job_free(struct policy_job *j)
{
    free(j->text);
    for (uint32_t i = 0; i < j->param_count; i++) free(j->params[i].value);
    free(j->params);
    free(j->argv);
    if (j->state) cluster_state_free(j->state);
    cluster_live_release(&j->live);
    buffer_release(&j->reply);
    script_steps_release(&j->steps);
    script_dry_run_free(j->dry_run);
    free(j);
}

static void deliver(struct mailbox_message *m, void *user)
{
    struct policy_job *j = (struct policy_job *)m;
    j->done(user, j);
    policy_job_free(j);
}

/* Whether there is more to do. */
static bool work(struct policy_job *j, const atomic_bool *stop)
{
    struct script_limits limits = script_limits_default;
    limits.stop = stop;
    struct script_source source = {j->name, j->version, bytes_of(j->text, j->text_len)};
    struct script_world world = {j->state, &j->live, j->run ? cluster_run_find(j->state, j->run) : NULL};
    switch (j->kind) {
    case POLICY_CHECK: script_check(&source, &limits, j->doc, sizeof j->doc, &j->error); break;
    case POLICY_PARAMS: script_check_params(&source, j->params, j->param_count, &world, &limits, &j->error); break;
    case POLICY_PLAN:
        script_plan(&source, j->params, j->param_count, &world, &limits, &j->steps, &j->score, &j->error);
        break;
    case POLICY_EVAL:
        script_eval(&source, j->argv, j->argc, &world, &limits, j->protocol, &j->reply,
                    j->wants_steps ? &j->steps : NULL, &j->error);
        break;
    case POLICY_VIEW: script_view_json(&world, &j->reply, &j->error); break;
    case POLICY_DRY_RUN: return script_dry_run_advance(j->dry_run, &limits);
    }
    return false;
}

/* ---- the thread ---- */

static size_t *count_of(struct policy_thread *t, const struct policy_job *job)
{
    return job->kind == POLICY_DRY_RUN ? &t->dry_runs : &t->waiting;
}

/* Behind the plans, if it is one; else last. */
static void enqueue(struct policy_thread *t, struct policy_job *job)
{
    struct policy_job **at = job->kind == POLICY_PLAN ? &t->first : t->end;
    while (*at && (*at)->kind == POLICY_PLAN) at = &(*at)->next;
    job->next = *at;
    *at = job;
    if (!job->next) t->end = &job->next;
}

/* Waits for a job; NULL: the end. */
static struct policy_job *take(struct policy_thread *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->first && !t->ends) pthread_cond_wait(&t->changed, &t->lock);
    struct policy_job *j = t->ends ? NULL : t->first;
    if (j) {
        t->first = j->next;
        if (!t->first) t->end = &t->first;
        if (j->kind != POLICY_DRY_RUN) t->waiting--; /* a dry run counts until it ends */
    }
    pthread_mutex_unlock(&t->lock);
    return j;
}

/* Others get their turn before it goes on. */
static void put_back(struct policy_thread *t, struct policy_job *job)
{
    pthread_mutex_lock(&t->lock);
    enqueue(t, job);
    pthread_mutex_unlock(&t->lock);
}

static void finish(struct policy_thread *t, struct policy_job *job)
{
    if (job->kind == POLICY_DRY_RUN) {
        pthread_mutex_lock(&t->lock);
        t->dry_runs--;
        pthread_mutex_unlock(&t->lock);
    }
    if (!mailbox_post(t->mailbox, &job->message)) policy_job_free(job); /* control is closing */
}

static void *run(void *argument)
{
    struct policy_thread *t = argument;
    log_set_thread("policy");
    for (struct policy_job *j; (j = take(t));) {
        if (work(j, &t->stop))
            put_back(t, j);
        else
            finish(t, j);
    }
    return NULL;
}

static bool start(struct policy_thread *t)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool started = pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
                   pthread_create(&t->thread, &attributes, run, t) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

struct policy_thread *policy_thread_new(struct mailbox *mailbox)
{
    struct policy_thread *t = allocate(sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    t->end = &t->first;
    t->mailbox = mailbox;
    if (start(t)) return t;
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}

static size_t room_for(const struct policy_job *job)
{
    if (job->kind == POLICY_DRY_RUN) return POLICY_DRY_RUNS_MAX;
    return POLICY_JOBS_MAX + (job->kind == POLICY_PLAN ? POLICY_PLANS_ROOM : 0);
}

bool policy_thread_submit(struct policy_thread *t, struct policy_job *job)
{
    job->message.deliver = deliver;
    pthread_mutex_lock(&t->lock);
    bool taken = *count_of(t, job) < room_for(job);
    if (taken) {
        enqueue(t, job);
        ++*count_of(t, job);
        pthread_cond_signal(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
    return taken;
}

void policy_thread_free(struct policy_thread *t)
{
    if (!t) return;
    atomic_store(&t->stop, true);
    pthread_mutex_lock(&t->lock);
    t->ends = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    while (t->first) {
        struct policy_job *j = t->first;
        t->first = j->next;
        policy_job_free(j);
    }
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
