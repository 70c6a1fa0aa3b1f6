/* A state as bytes: snapshots, and what is pushed to nodes outside MetaRaft. Equal states have equal bytes. decode.c is
 * the inverse. */
#include "cluster/state.h"
#include "record.h"

static void write_node(struct buffer *b, const struct cluster_node *n)
{
    cluster_node_info_write(b, &n->info);
    write_u8(b, (uint8_t)n->role);
    write_u64(b, n->raft_id);
    write_u32(b, n->shard);
    write_u8(b, n->in_sync);
    write_u8(b, n->up);
    write_u8(b, n->leaving);
    write_text(b, n->labels);
}

static void write_shard(struct buffer *b, const struct cluster_shard *s)
{
    write_u32(b, s->number);
    write_u64(b, s->epoch);
    write_u64(b, s->reign);
    write_text(b, s->primary);
}

/* Stretches up to the last slot: their number need not be told. */
static void write_owners(struct buffer *b, const uint32_t owner[CLUSTER_SLOTS])
{
    for (unsigned from = 0, end; from < CLUSTER_SLOTS; from = end) {
        end = cluster_stretch_end(owner, from);
        write_u32(b, owner[from]);
        write_u16(b, (uint16_t)(end - from));
    }
}

static void write_script(struct buffer *b, const struct cluster_script *s)
{
    write_text(b, s->name);
    write_text(b, s->version);
    write_u8(b, s->current);
    write_u64(b, (uint64_t)s->loaded_ms);
    write_bytes(b, bytes_of(s->source, s->source_len));
}

static void write_progress(struct buffer *b, const struct cluster_run *r)
{
    write_u32(b, r->round);
    write_u32(b, r->step_count);
    for (uint32_t i = 0; i < r->step_count; i++) {
        cluster_step_write(b, &r->steps[i].step);
        write_u8(b, (uint8_t)r->steps[i].status);
        write_text(b, r->steps[i].error);
    }
    write_u32(b, r->failed_count);
    for (uint32_t i = 0; i < r->failed_count; i++) {
        write_u32(b, r->failed[i].round);
        cluster_step_write(b, &r->failed[i].step);
        write_text(b, r->failed[i].error);
    }
    write_u32(b, r->steps_done);
    write_u32(b, r->slots_moved);
    write_u32(b, r->completion_count);
    for (uint32_t i = 0; i < r->completion_count; i++) {
        write_u64(b, r->completions[i].digest);
        write_u32(b, r->completions[i].count);
    }
}

void cluster_run_write(struct buffer *b, const struct cluster_run *r)
{
    write_u64(b, r->id);
    write_text(b, r->script);
    write_text(b, r->version);
    write_text(b, r->trigger);
    write_bytes(b, bytes_of(r->source, r->source_len));
    cluster_params_write(b, r->params, r->param_count);
    write_u8(b, r->one_round);
    write_u8(b, (uint8_t)r->status);
    write_u8(b, r->paused);
    write_progress(b, r);
    cluster_record_write_score(b, r->score_before);
    cluster_record_write_score(b, r->score_after);
    write_u64(b, (uint64_t)r->started_ms);
    write_u64(b, (uint64_t)r->ended_ms);
    write_text(b, r->error);
}

static void write_header(struct buffer *b, const struct cluster_state *s)
{
    write_u8(b, CLUSTER_FORMAT);
    write_text(b, s->id);
    write_u64(b, s->version);
    write_u64(b, s->next_raft_id);
    write_u64(b, s->next_run);
    write_u32(b, s->next_shard);
    write_u8(b, s->triggers_paused);
    write_u8(b, CLUSTER_SETTINGS);
    for (int i = 0; i < CLUSTER_SETTINGS; i++) write_u64(b, (uint64_t)s->settings[i]);
}

void cluster_state_encode(const struct cluster_state *s, struct buffer *out)
{
    write_header(out, s);
    write_u32(out, s->node_count);
    for (uint32_t i = 0; i < s->node_count; i++) write_node(out, &s->nodes[i]);
    write_u32(out, s->shard_count);
    for (uint32_t i = 0; i < s->shard_count; i++) write_shard(out, &s->shards[i]);
    write_owners(out, s->owner);
    write_u32(out, s->script_count);
    for (uint32_t i = 0; i < s->script_count; i++) write_script(out, &s->scripts[i]);
    write_u32(out, s->run_count);
    for (uint32_t i = 0; i < s->run_count; i++) cluster_run_write(out, &s->runs[i]);
    write_u32(out, s->trigger_count);
    for (uint32_t i = 0; i < s->trigger_count; i++) cluster_trigger_write(out, &s->triggers[i]);
}

size_t cluster_run_size(const struct cluster_run *r)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    cluster_run_write(&b, r);
    size_t size = cluster_record_take_size(&b);
    buffer_release(&b);
    return size;
}

size_t cluster_trigger_size(const struct cluster_trigger *t)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    cluster_trigger_write(&b, t);
    size_t size = cluster_record_take_size(&b);
    buffer_release(&b);
    return size;
}

size_t cluster_state_size(const struct cluster_state *s)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    write_header(&b, s);
    size_t size = cluster_record_take_size(&b) + 4 + 4 + 4 + 4 + 4; /* the counts of nodes, shards, scripts, runs and triggers */
    for (uint32_t i = 0; i < s->node_count; i++, size += cluster_record_take_size(&b)) write_node(&b, &s->nodes[i]);
    for (uint32_t i = 0; i < s->shard_count; i++, size += cluster_record_take_size(&b)) write_shard(&b, &s->shards[i]);
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot = cluster_stretch_end(s->owner, slot)) size += 4 + 2;
    for (uint32_t i = 0; i < s->script_count; i++, size += cluster_record_take_size(&b)) {
        struct cluster_script without_source = s->scripts[i];
        without_source.source_len = 0;
        size += s->scripts[i].source_len;
        write_script(&b, &without_source);
    }
    buffer_release(&b);
    for (uint32_t i = 0; i < s->run_count; i++) size += cluster_run_size(&s->runs[i]);
    for (uint32_t i = 0; i < s->trigger_count; i++) size += cluster_trigger_size(&s->triggers[i]);
    return size;
}
