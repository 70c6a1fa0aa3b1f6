#include "cluster/command.h"

#include <stdlib.h>

#include "alloc.h"
#include "bounds.h"
#include "info.h"
#include "record.h"
#include "text.h"

#define TYPES (CLUSTER_TRIGGERS_PAUSE + 1)

const char *cluster_command_name(enum cluster_command_type type)
{
    static const char *const names[TYPES] = {
        "nothing",       "found",       "admit",       "update_node", "set_role",      "create_shard", "assign_slots",
        "replicate",     "set_reachable", "load_script", "run_start",   "run_round",     "run_step",     "run_end",
        "remove_node",   "drop_shard",  "detach",      "move_slots",  "set_setting",   "set_leaving",  "set_labels",
        "delete_script", "set_current", "run_pause",   "trigger_set", "trigger_delete", "triggers_pause"};
    return type < TYPES ? names[type] : "unknown";
}

void cluster_command_release(struct cluster_command *c)
{
    cluster_ranges_release(&c->slots);
    free(c->source);
    cluster_params_release(c->params, c->param_count);
    for (uint32_t i = 0; i < c->step_count; i++) cluster_step_release(&c->steps[i]);
    free(c->steps);
    cluster_trigger_release(&c->trigger);
    *c = (struct cluster_command){0};
}

static void write_script(struct buffer *b, const struct cluster_command *c)
{
    write_text(b, c->name);
    write_text(b, c->version);
    write_bytes(b, bytes_of(c->source, c->source_len));
}

static void write_steps(struct buffer *b, const struct cluster_command *c)
{
    write_u32(b, c->step_count);
    for (uint32_t i = 0; i < c->step_count; i++) cluster_step_write(b, &c->steps[i]);
}

void cluster_command_encode(const struct cluster_command *c, struct buffer *out)
{
    write_u8(out, CLUSTER_FORMAT);
    write_u8(out, (uint8_t)c->type);
    switch (c->type) {
    case CLUSTER_NOTHING: break;
    case CLUSTER_FOUND:
        write_text(out, c->cluster_id);
        cluster_node_info_write(out, &c->info);
        break;
    case CLUSTER_ADMIT:
    case CLUSTER_UPDATE_NODE: cluster_node_info_write(out, &c->info); break;
    case CLUSTER_SET_ROLE:
        write_text(out, c->node);
        write_u8(out, (uint8_t)c->role);
        break;
    case CLUSTER_CREATE_SHARD:
    case CLUSTER_REMOVE_NODE:
    case CLUSTER_DETACH: write_text(out, c->node); break;
    case CLUSTER_ASSIGN_SLOTS:
        write_u32(out, c->shard);
        cluster_ranges_write(out, &c->slots);
        break;
    case CLUSTER_REPLICATE:
        write_text(out, c->node);
        write_u32(out, c->shard);
        break;
    case CLUSTER_SET_REACHABLE:
        write_text(out, c->node);
        write_u8(out, c->up);
        break;
    case CLUSTER_LOAD_SCRIPT:
        write_script(out, c);
        write_u64(out, (uint64_t)c->wall_ms);
        break;
    case CLUSTER_RUN_START:
        write_script(out, c);
        cluster_params_write(out, c->params, c->param_count);
        write_u8(out, c->one_round);
        write_text(out, c->text);
        write_u64(out, (uint64_t)c->wall_ms);
        break;
    case CLUSTER_RUN_ROUND:
        write_u64(out, c->run);
        write_u32(out, c->round);
        write_steps(out, c);
        cluster_record_write_score(out, c->score);
        break;
    case CLUSTER_RUN_STEP:
        write_u64(out, c->run);
        write_u32(out, c->round);
        write_u32(out, c->index);
        write_u8(out, (uint8_t)c->step_status);
        write_text(out, c->text);
        break;
    case CLUSTER_RUN_END:
        write_u64(out, c->run);
        write_u8(out, (uint8_t)c->run_status);
        write_text(out, c->text);
        cluster_record_write_score(out, c->score);
        write_u64(out, (uint64_t)c->wall_ms);
        break;
    case CLUSTER_DROP_SHARD: write_u32(out, c->shard); break;
    case CLUSTER_MOVE_SLOTS:
        write_u32(out, c->shard);
        write_u32(out, c->to);
        cluster_ranges_write(out, &c->slots);
        break;
    case CLUSTER_SET_SETTING:
        write_u8(out, (uint8_t)c->setting);
        write_u64(out, (uint64_t)c->value);
        break;
    case CLUSTER_SET_LEAVING:
        write_text(out, c->node);
        write_u8(out, c->on);
        break;
    case CLUSTER_SET_LABELS:
        write_text(out, c->node);
        write_text(out, c->text);
        break;
    case CLUSTER_DELETE_SCRIPT:
    case CLUSTER_TRIGGER_DELETE: write_text(out, c->name); break;
    case CLUSTER_SET_CURRENT:
        write_text(out, c->name);
        write_text(out, c->version);
        break;
    case CLUSTER_RUN_PAUSE:
        write_u64(out, c->run);
        write_u8(out, c->on);
        break;
    case CLUSTER_TRIGGER_SET: cluster_trigger_write(out, &c->trigger); break;
    case CLUSTER_TRIGGERS_PAUSE: write_u8(out, c->on); break;
    }
}

static void read_script(struct reader *in, struct cluster_command *c)
{
    read_text(in, c->name, sizeof c->name);
    read_text(in, c->version, sizeof c->version);
    c->source = cluster_record_blob(in, CLUSTER_SCRIPT_MAX, &c->source_len);
}

static int read_steps(struct reader *in, struct cluster_command *c, struct error *e)
{
    uint32_t count = read_count(in, CLUSTER_STEPS_MAX, CLUSTER_STEP_MIN_SIZE);
    c->steps = cluster_alloc_array(count, sizeof *c->steps);
    for (; c->step_count < count; c->step_count++) {
        int code = cluster_step_read(in, &c->steps[c->step_count], e);
        if (code != 0) return code;
    }
    return 0;
}

static int read_round(struct reader *in, struct cluster_command *c, struct error *e)
{
    int code = read_steps(in, c, e);
    c->score = cluster_record_score(in);
    return code;
}

static int read_fields(struct reader *in, struct cluster_command *c, struct error *e)
{
    switch (c->type) {
    case CLUSTER_NOTHING: return 0;
    case CLUSTER_FOUND:
        read_text(in, c->cluster_id, sizeof c->cluster_id);
        return cluster_node_info_read(in, &c->info, e);
    case CLUSTER_ADMIT:
    case CLUSTER_UPDATE_NODE: return cluster_node_info_read(in, &c->info, e);
    case CLUSTER_SET_ROLE:
        read_text(in, c->node, sizeof c->node);
        c->role = (enum cluster_role)cluster_record_enum(in, CLUSTER_ROLE_VOTER + 1);
        return 0;
    case CLUSTER_CREATE_SHARD:
    case CLUSTER_REMOVE_NODE:
    case CLUSTER_DETACH: read_text(in, c->node, sizeof c->node); return 0;
    case CLUSTER_ASSIGN_SLOTS: c->shard = read_u32(in); return cluster_ranges_read(in, &c->slots, e);
    case CLUSTER_REPLICATE:
        read_text(in, c->node, sizeof c->node);
        c->shard = read_u32(in);
        return 0;
    case CLUSTER_SET_REACHABLE:
        read_text(in, c->node, sizeof c->node);
        c->up = cluster_record_flag(in);
        return 0;
    case CLUSTER_LOAD_SCRIPT:
        read_script(in, c);
        c->wall_ms = (int64_t)read_u64(in);
        return 0;
    case CLUSTER_RUN_START:
        read_script(in, c);
        cluster_params_read(in, &c->params, &c->param_count);
        c->one_round = cluster_record_flag(in);
        read_text(in, c->text, sizeof c->text);
        c->wall_ms = (int64_t)read_u64(in);
        return 0;
    case CLUSTER_RUN_ROUND:
        c->run = read_u64(in);
        c->round = read_u32(in);
        return read_round(in, c, e);
    case CLUSTER_RUN_STEP:
        c->run = read_u64(in);
        c->round = read_u32(in);
        c->index = read_u32(in);
        c->step_status = (enum cluster_step_status)cluster_record_enum(in, CLUSTER_STEP_STATUSES);
        read_text(in, c->text, sizeof c->text);
        return 0;
    case CLUSTER_RUN_END:
        c->run = read_u64(in);
        c->run_status = (enum cluster_run_status)cluster_record_enum(in, CLUSTER_RUN_CANCELLED + 1);
        read_text(in, c->text, sizeof c->text);
        c->score = cluster_record_score(in);
        c->wall_ms = (int64_t)read_u64(in);
        return 0;
    case CLUSTER_DROP_SHARD: c->shard = read_u32(in); return 0;
    case CLUSTER_MOVE_SLOTS:
        c->shard = read_u32(in);
        c->to = read_u32(in);
        return cluster_ranges_read(in, &c->slots, e);
    case CLUSTER_SET_SETTING:
        c->setting = (enum cluster_setting)cluster_record_enum(in, CLUSTER_SETTINGS);
        c->value = (int64_t)read_u64(in);
        return 0;
    case CLUSTER_SET_LEAVING:
        read_text(in, c->node, sizeof c->node);
        c->on = cluster_record_flag(in);
        return 0;
    case CLUSTER_SET_LABELS:
        read_text(in, c->node, sizeof c->node);
        read_text(in, c->text, CLUSTER_LABELS_MAX + 1);
        return 0;
    case CLUSTER_DELETE_SCRIPT:
    case CLUSTER_TRIGGER_DELETE: read_text(in, c->name, sizeof c->name); return 0;
    case CLUSTER_SET_CURRENT:
        read_text(in, c->name, sizeof c->name);
        read_text(in, c->version, sizeof c->version);
        return 0;
    case CLUSTER_RUN_PAUSE:
        c->run = read_u64(in);
        c->on = cluster_record_flag(in);
        return 0;
    case CLUSTER_TRIGGER_SET: cluster_trigger_read(in, &c->trigger); return 0;
    case CLUSTER_TRIGGERS_PAUSE: c->on = cluster_record_flag(in); return 0;
    }
    return error_set(e, ERROR_FORMAT, "type %d, which this version does not know", (int)c->type);
}

static int check_name(const struct cluster_command *c, struct error *e)
{
    if (cluster_text_is_word(c->name)) return 0;
    return error_set(e, ERROR_FORMAT, "name must be printable, without blanks, and not empty");
}

static int check_script(const struct cluster_command *c, struct error *e)
{
    bool no_version = c->type == CLUSTER_RUN_START && !c->version[0]; /* a one-off, or a built-in */
    if (check_name(c, e) != 0) return ERROR_FORMAT;
    if (!no_version && !cluster_text_is_hex(c->version, CLUSTER_VERSION_DIGITS))
        return error_set(e, ERROR_FORMAT, "version must be %d lower-case hex digits", CLUSTER_VERSION_DIGITS);
    if (c->type == CLUSTER_SET_CURRENT) return 0;
    if (c->text[0] && !cluster_text_is_word(c->text))
        return error_set(e, ERROR_FORMAT, "the trigger's name must be printable, without blanks");
    if (strlen(c->text) > CLUSTER_NAME_MAX) return error_set(e, ERROR_FORMAT, "the trigger's name is too long");
    if (!c->source) return error_set(e, ERROR_FORMAT, "the source is empty");
    for (uint32_t i = 0; i < c->param_count; i++)
        if (!cluster_text_is_word(c->params[i].name))
            return error_set(e, ERROR_FORMAT, "a parameter's name must be printable, without blanks, and not empty");
    return 0;
}

/* What the types of the fields do not say yet. */
static int check_fields(const struct cluster_command *c, struct error *e)
{
    switch (c->type) {
    case CLUSTER_FOUND:
        if (cluster_text_is_hex(c->cluster_id, CLUSTER_ID_LEN)) return 0;
        return error_set(e, ERROR_FORMAT, "cluster id must be 40 lower-case hex digits");
    case CLUSTER_SET_ROLE:
    case CLUSTER_CREATE_SHARD:
    case CLUSTER_REPLICATE:
    case CLUSTER_SET_REACHABLE:
    case CLUSTER_REMOVE_NODE:
    case CLUSTER_DETACH:
    case CLUSTER_SET_LEAVING:
    case CLUSTER_SET_LABELS:
        if (!cluster_text_is_hex(c->node, CLUSTER_ID_LEN))
            return error_set(e, ERROR_FORMAT, "node must be 40 lower-case hex digits");
        break;
    case CLUSTER_MOVE_SLOTS:
        if (c->shard == c->to) return error_set(e, ERROR_FORMAT, "from s%u to s%u", c->shard, c->to);
        break;
    case CLUSTER_DELETE_SCRIPT:
    case CLUSTER_TRIGGER_DELETE: return check_name(c, e);
    case CLUSTER_SET_SETTING: return cluster_setting_check(c->setting, c->value, e);
    case CLUSTER_TRIGGER_SET: return cluster_trigger_check(&c->trigger, e);
    case CLUSTER_SET_CURRENT:
    case CLUSTER_LOAD_SCRIPT:
    case CLUSTER_RUN_START: return check_script(c, e);
    case CLUSTER_RUN_END:
        if (c->run_status == CLUSTER_RUN_RUNNING) return error_set(e, ERROR_FORMAT, "a run ends done, failed or cancelled");
        break;
    default: break;
    }
    return cluster_text_is_line(c->text) ? 0 : error_set(e, ERROR_FORMAT, "text holds a control character");
}

int cluster_command_decode(struct bytes in, struct cluster_command *out, struct error *e)
{
    *out = (struct cluster_command){0};
    struct reader r = reader_of(in);
    uint8_t format = read_u8(&r), type = read_u8(&r);
    if (r.failed) return error_set(e, ERROR_FORMAT, "metadata command of %zu bytes", in.len);
    if (format != CLUSTER_FORMAT)
        return error_set(e, ERROR_FORMAT, "metadata command in format %u; this version reads %d", format,
                         CLUSTER_FORMAT);
    out->type = (enum cluster_command_type)type;
    struct error why = {0};
    int code = read_fields(&r, out, &why);
    if (code == 0 && !reader_done(&r))
        code = error_set(&why, ERROR_FORMAT, "damaged, cut short, or with bytes left over");
    if (code == 0) code = check_fields(out, &why);
    if (code == 0) return 0;
    cluster_command_release(out);
    return error_set(e, ERROR_FORMAT, "metadata command %s: %s", cluster_command_name((enum cluster_command_type)type),
                     why.text);
}
