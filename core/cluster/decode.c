/* The inverse of encode.c, for bytes that may be hostile: an array is made only when the bytes for all its elements are
 * there. */
#include "alloc.h"
#include "bounds.h"
#include "cluster/state.h"
#include "info.h"
#include "record.h"

/* Least bytes of an encoded record. */
#define NODE_MIN_SIZE   (CLUSTER_INFO_MIN_SIZE + 1 + 8 + 4 + 1 + 1 + 1 + 4)
#define SHARD_MIN_SIZE  (4 + 8 + 8 + 4 + CLUSTER_ID_LEN)
#define SCRIPT_MIN_SIZE (5 + 4 + CLUSTER_VERSION_DIGITS + 1 + 8 + 5)
#define RUN_MIN_SIZE    (8 + 5 + 4 + 4 + 4 + 4 + 1 + 1 + 1 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 8 + 8 + 8 + 4)
#define TRIGGER_MIN_SIZE (5 + 5 + 1 + 4 + 4 + 4 + 8 + 8)

static int read_nodes(struct reader *in, struct cluster_state *s, struct error *e)
{
    s->node_count = read_count(in, CLUSTER_NODES_MAX, NODE_MIN_SIZE);
    s->nodes = cluster_alloc_array(s->node_count, sizeof *s->nodes);
    for (uint32_t i = 0; i < s->node_count; i++) {
        struct cluster_node *n = &s->nodes[i];
        int code = cluster_node_info_read(in, &n->info, e);
        if (code != 0) return code;
        n->role = (enum cluster_role)cluster_record_enum(in, CLUSTER_ROLE_VOTER + 1);
        n->raft_id = read_u64(in);
        n->shard = read_u32(in);
        n->in_sync = cluster_record_flag(in);
        n->up = cluster_record_flag(in);
        n->leaving = cluster_record_flag(in);
        read_text(in, n->labels, sizeof n->labels);
    }
    return 0;
}

static void read_shards(struct reader *in, struct cluster_state *s)
{
    s->shard_count = read_count(in, CLUSTER_NODES_MAX, SHARD_MIN_SIZE);
    s->shards = cluster_alloc_array(s->shard_count, sizeof *s->shards);
    for (uint32_t i = 0; i < s->shard_count; i++) {
        struct cluster_shard *shard = &s->shards[i];
        shard->number = read_u32(in);
        shard->epoch = read_u64(in);
        shard->reign = read_u64(in);
        read_text(in, shard->primary, sizeof shard->primary);
    }
}

static int read_owners(struct reader *in, struct cluster_state *s, struct error *e)
{
    for (unsigned slot = 0; slot < CLUSTER_SLOTS;) {
        uint32_t shard = read_u32(in);
        unsigned end = slot + read_u16(in);
        bool longest = slot == 0 || s->owner[slot - 1] != shard;
        if (in->failed || end == slot || end > CLUSTER_SLOTS || !longest)
            return error_set(e, ERROR_FORMAT, "slot owners are not well-formed from slot %u on", slot);
        while (slot < end) s->owner[slot++] = shard;
    }
    return 0;
}

static void read_scripts(struct reader *in, struct cluster_state *s)
{
    s->script_count = read_count(in, CLUSTER_SCRIPTS_MAX, SCRIPT_MIN_SIZE);
    s->scripts = cluster_alloc_array(s->script_count, sizeof *s->scripts);
    for (uint32_t i = 0; i < s->script_count; i++) {
        struct cluster_script *script = &s->scripts[i];
        read_text(in, script->name, sizeof script->name);
        read_text(in, script->version, sizeof script->version);
        script->current = cluster_record_flag(in);
        script->loaded_ms = (int64_t)read_u64(in);
        script->source = cluster_record_blob(in, CLUSTER_SCRIPT_MAX, &script->source_len);
    }
}

static int read_steps(struct reader *in, struct cluster_run *r, struct error *e)
{
    r->step_count = read_count(in, CLUSTER_STEPS_MAX, CLUSTER_STEP_MIN_SIZE + 1 + 4);
    r->steps = cluster_alloc_array(r->step_count, sizeof *r->steps);
    for (uint32_t i = 0; i < r->step_count; i++) {
        int code = cluster_step_read(in, &r->steps[i].step, e);
        if (code != 0) return code;
        r->steps[i].status = (enum cluster_step_status)cluster_record_enum(in, CLUSTER_STEP_STATUSES);
        read_text(in, r->steps[i].error, sizeof r->steps[i].error);
    }
    return 0;
}

static int read_failures(struct reader *in, struct cluster_run *r, struct error *e)
{
    r->failed_count = read_count(in, CLUSTER_FAILURES_MAX, 4 + CLUSTER_STEP_MIN_SIZE + 4);
    r->failed = cluster_alloc_array(r->failed_count, sizeof *r->failed);
    for (uint32_t i = 0; i < r->failed_count; i++) {
        r->failed[i].round = read_u32(in);
        int code = cluster_step_read(in, &r->failed[i].step, e);
        if (code != 0) return code;
        read_text(in, r->failed[i].error, sizeof r->failed[i].error);
    }
    return 0;
}

static void read_completions(struct reader *in, struct cluster_run *r)
{
    r->steps_done = read_u32(in);
    r->slots_moved = read_u32(in);
    r->completion_count = read_count(in, CLUSTER_COMPLETIONS_MAX, 8 + 4);
    r->completions = cluster_alloc_array(r->completion_count, sizeof *r->completions);
    for (uint32_t i = 0; i < r->completion_count; i++) {
        r->completions[i].digest = read_u64(in);
        r->completions[i].count = read_u32(in);
    }
}

static int read_run(struct reader *in, struct cluster_run *r, struct error *e)
{
    r->id = read_u64(in);
    read_text(in, r->script, sizeof r->script);
    read_text(in, r->version, sizeof r->version);
    read_text(in, r->trigger, sizeof r->trigger);
    r->source = cluster_record_blob(in, CLUSTER_SCRIPT_MAX, &r->source_len);
    cluster_params_read(in, &r->params, &r->param_count);
    r->one_round = cluster_record_flag(in);
    r->status = (enum cluster_run_status)cluster_record_enum(in, CLUSTER_RUN_CANCELLED + 1);
    r->paused = cluster_record_flag(in);
    r->round = read_u32(in);
    int code = read_steps(in, r, e);
    if (code == 0) code = read_failures(in, r, e);
    if (code != 0) return code;
    read_completions(in, r);
    r->score_before = cluster_record_score(in);
    r->score_after = cluster_record_score(in);
    r->started_ms = (int64_t)read_u64(in);
    r->ended_ms = (int64_t)read_u64(in);
    read_text(in, r->error, sizeof r->error);
    return 0;
}

static int read_runs(struct reader *in, struct cluster_state *s, struct error *e)
{
    s->run_count = read_count(in, CLUSTER_RUNS_MAX, RUN_MIN_SIZE);
    s->runs = cluster_alloc_array(s->run_count, sizeof *s->runs);
    for (uint32_t i = 0; i < s->run_count; i++) {
        int code = read_run(in, &s->runs[i], e);
        if (code != 0) return code;
    }
    return 0;
}

static void read_triggers(struct reader *in, struct cluster_state *s)
{
    s->trigger_count = read_count(in, CLUSTER_TRIGGERS_MAX, TRIGGER_MIN_SIZE);
    s->triggers = cluster_alloc_array(s->trigger_count, sizeof *s->triggers);
    for (uint32_t i = 0; i < s->trigger_count; i++) cluster_trigger_read(in, &s->triggers[i]);
}

/* As many as the version that wrote it had. */
static int read_settings(struct reader *in, struct cluster_state *s, struct error *e)
{
    uint8_t count = read_u8(in);
    if (count > CLUSTER_SETTINGS)
        return error_set(e, ERROR_FORMAT, "%u settings; this version knows %d", count, CLUSTER_SETTINGS);
    for (unsigned i = 0; i < count; i++) s->settings[i] = (int64_t)read_u64(in);
    return 0;
}

static int read_state(struct reader *in, struct cluster_state *s, struct error *e)
{
    uint8_t format = read_u8(in);
    if (in->failed) return error_set(e, ERROR_FORMAT, "no bytes at all");
    if (format != CLUSTER_FORMAT)
        return error_set(e, ERROR_FORMAT, "format %u; this version reads %d", format, CLUSTER_FORMAT);
    read_text(in, s->id, sizeof s->id);
    s->version = read_u64(in);
    s->next_raft_id = read_u64(in);
    s->next_run = read_u64(in);
    s->next_shard = read_u32(in);
    s->triggers_paused = cluster_record_flag(in);
    int code = read_settings(in, s, e);
    if (code == 0) code = read_nodes(in, s, e);
    if (code != 0) return code;
    read_shards(in, s);
    code = read_owners(in, s, e);
    if (code != 0) return code;
    read_scripts(in, s);
    code = read_runs(in, s, e);
    if (code != 0) return code;
    read_triggers(in, s);
    if (!reader_done(in))
        return error_set(e, ERROR_FORMAT, "damaged, cut short, or with bytes left over after byte %zu", in->at);
    return cluster_state_check(s, e);
}

int cluster_state_decode(struct bytes in, struct cluster_state **out, struct error *e)
{
    *out = NULL;
    if (in.len > CLUSTER_ENCODED_MAX)
        return error_set(e, ERROR_FORMAT, "cluster metadata: %zu bytes; at most %u", in.len, CLUSTER_ENCODED_MAX);
    struct error why = {0};
    struct reader r = reader_of(in);
    struct cluster_state *s = cluster_state_new();
    if (read_state(&r, s, &why) != 0) {
        cluster_state_free(s);
        return error_set(e, ERROR_FORMAT, "cluster metadata: %s", why.text);
    }
    *out = s;
    return 0;
}
