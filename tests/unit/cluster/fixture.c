#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

const char *node_id(unsigned number)
{
    static char ids[8][CLUSTER_ID_LEN + 1];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, CLUSTER_ID_LEN + 1, "%08x%031da", number, 0);
    return id;
}

struct cluster_node_info node_info(unsigned number, const char *zone)
{
    struct cluster_node_info i = {.alias = number, .bus_port = 50051, .incarnation = 1, .endpoint_count = 1};
    snprintf(i.id, sizeof i.id, "%s", node_id(number));
    snprintf(i.name, sizeof i.name, "host%u", number);
    snprintf(i.version, sizeof i.version, "0.1.0");
    snprintf(i.bus_host, sizeof i.bus_host, "10.0.%u.%u", number / 256 % 256, number % 256);
    snprintf(i.zone, sizeof i.zone, "%s", zone);
    snprintf(i.endpoints[0].match, sizeof i.endpoints[0].match, "any");
    snprintf(i.endpoints[0].host, sizeof i.endpoints[0].host, "aikv%u", number);
    i.endpoints[0].port = 6379;
    return i;
}

struct buffer encoded(const struct cluster_state *s)
{
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_state_encode(s, &b);
    assert_false(b.failed);
    return b;
}

struct buffer encoded_command(const struct cluster_command *c)
{
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_command_encode(c, &b);
    assert_false(b.failed);
    return b;
}

void assert_same_state(const struct cluster_state *a, const struct cluster_state *b)
{
    struct buffer x = encoded(a), y = encoded(b);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buffer_release(&x);
    buffer_release(&y);
}

struct cluster_result apply(struct cluster_state *s, struct cluster_command c)
{
    struct cluster_result r;
    struct error e;
    const uint64_t version = s->version;
    struct buffer b = encoded_command(&c);
    cluster_apply(s, buffer_bytes(&b), &r);
    buffer_release(&b);
    cluster_command_release(&c);
    assert_int_equal(s->version, version + r.changed);
    if (cluster_state_check(s, &e) != 0) fail_msg("invariant broken: %s", e.text);
    return r;
}

uint64_t change(struct cluster_state *s, struct cluster_command c)
{
    struct cluster_result r = apply(s, c);
    if (r.error.code) fail_msg("refused: %s", r.error.text);
    assert_true(r.changed);
    return r.value;
}

uint64_t nothing(struct cluster_state *s, struct cluster_command c)
{
    struct cluster_result r = apply(s, c);
    if (r.error.code) fail_msg("refused: %s", r.error.text);
    assert_false(r.changed);
    return r.value;
}

void refused(struct cluster_state *s, struct cluster_command c, enum error_code code, const char *text)
{
    struct buffer before = encoded(s);
    struct cluster_result r = apply(s, c);
    struct buffer after = encoded(s);
    assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    buffer_release(&before);
    buffer_release(&after);
    if (!strstr(r.error.text, text)) fail_msg("'%s' does not hold '%s'", r.error.text, text);
    assert_int_equal(r.error.code, code);
    assert_false(r.changed);
}

struct cluster_command found(unsigned node)
{
    return (struct cluster_command){.type = CLUSTER_FOUND, .cluster_id = CLUSTER_ID, .info = node_info(node, "a")};
}

struct cluster_command admit(unsigned node)
{
    return (struct cluster_command){.type = CLUSTER_ADMIT, .info = node_info(node, "a")};
}

struct cluster_command update_node(struct cluster_node_info info)
{
    return (struct cluster_command){.type = CLUSTER_UPDATE_NODE, .info = info};
}

static struct cluster_command on_node(enum cluster_command_type type, unsigned node)
{
    struct cluster_command c = {.type = type};
    snprintf(c.node, sizeof c.node, "%s", node_id(node));
    return c;
}

struct cluster_command set_role(unsigned node, enum cluster_role role)
{
    struct cluster_command c = on_node(CLUSTER_SET_ROLE, node);
    c.role = role;
    return c;
}

struct cluster_command create_shard(unsigned node)
{
    return on_node(CLUSTER_CREATE_SHARD, node);
}

struct cluster_command assign_slots(uint32_t shard, unsigned from, unsigned to)
{
    struct cluster_command c = {.type = CLUSTER_ASSIGN_SLOTS, .shard = shard};
    assert_int_equal(cluster_ranges_add(&c.slots, from, to, NULL), 0);
    return c;
}

struct cluster_command replicate(unsigned node, uint32_t shard)
{
    struct cluster_command c = on_node(CLUSTER_REPLICATE, node);
    c.shard = shard;
    return c;
}

struct cluster_command set_reachable(unsigned node, bool up)
{
    struct cluster_command c = on_node(CLUSTER_SET_REACHABLE, node);
    c.up = up;
    return c;
}

struct cluster_command remove_node(unsigned node)
{
    return on_node(CLUSTER_REMOVE_NODE, node);
}

struct cluster_command detach(unsigned node)
{
    return on_node(CLUSTER_DETACH, node);
}

struct cluster_command drop_shard(uint32_t shard)
{
    return (struct cluster_command){.type = CLUSTER_DROP_SHARD, .shard = shard};
}

struct cluster_command move_slots(uint32_t from_shard, uint32_t to, unsigned from, unsigned last)
{
    struct cluster_command c = assign_slots(from_shard, from, last);
    c.type = CLUSTER_MOVE_SLOTS;
    c.to = to;
    return c;
}

struct cluster_command set_leaving(unsigned node, bool on)
{
    struct cluster_command c = on_node(CLUSTER_SET_LEAVING, node);
    c.on = on;
    return c;
}

struct cluster_command set_labels(unsigned node, const char *labels)
{
    struct cluster_command c = on_node(CLUSTER_SET_LABELS, node);
    snprintf(c.text, sizeof c.text, "%s", labels);
    return c;
}

struct cluster_command set_setting(enum cluster_setting setting, int64_t value)
{
    return (struct cluster_command){.type = CLUSTER_SET_SETTING, .setting = setting, .value = value};
}

struct cluster_command load_script(const char *name, unsigned version, const char *source)
{
    struct cluster_command c = {.type = CLUSTER_LOAD_SCRIPT, .wall_ms = 1000 + version};
    snprintf(c.name, sizeof c.name, "%s", name);
    snprintf(c.version, sizeof c.version, "%016x", version);
    c.source = strdup(source);
    c.source_len = strlen(source);
    return c;
}

static struct cluster_command on_name(enum cluster_command_type type, const char *name)
{
    struct cluster_command c = {.type = type};
    snprintf(c.name, sizeof c.name, "%s", name);
    return c;
}

struct cluster_command delete_script(const char *name)
{
    return on_name(CLUSTER_DELETE_SCRIPT, name);
}

struct cluster_command set_current(const char *name, unsigned version)
{
    struct cluster_command c = on_name(CLUSTER_SET_CURRENT, name);
    snprintf(c.version, sizeof c.version, "%016x", version);
    return c;
}

static struct cluster_param *one_param(const char *name, const char *value)
{
    struct cluster_param *p = calloc(1, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->value = strdup(value);
    return p;
}

struct cluster_command run_start(const char *script)
{
    struct cluster_command c = load_script(script, 7, "return {}");
    c.type = CLUSTER_RUN_START;
    c.params = one_param("voters", "3");
    c.param_count = 1;
    return c;
}

struct cluster_command run_round(uint64_t run, uint32_t round, uint32_t steps, ...)
{
    struct cluster_command c = {.type = CLUSTER_RUN_ROUND, .run = run, .round = round, .step_count = steps};
    c.steps = calloc(steps ? steps : 1, sizeof *c.steps);
    va_list args;
    va_start(args, steps);
    for (uint32_t i = 0; i < steps; i++) c.steps[i] = va_arg(args, struct cluster_step);
    va_end(args);
    return c;
}

struct cluster_command run_step(uint64_t run, uint32_t round, uint32_t index, enum cluster_step_status status,
                                const char *text)
{
    struct cluster_command c = {
        .type = CLUSTER_RUN_STEP, .run = run, .round = round, .index = index, .step_status = status};
    snprintf(c.text, sizeof c.text, "%s", text);
    return c;
}

struct cluster_command run_pause(uint64_t run, bool on)
{
    return (struct cluster_command){.type = CLUSTER_RUN_PAUSE, .run = run, .on = on};
}

struct cluster_command run_end(uint64_t run, enum cluster_run_status status, const char *text)
{
    struct cluster_command c = {.type = CLUSTER_RUN_END, .run = run, .run_status = status, .wall_ms = 9000};
    snprintf(c.text, sizeof c.text, "%s", text);
    return c;
}

struct cluster_command trigger_set(const char *name, const char *script)
{
    struct cluster_command c = {.type = CLUSTER_TRIGGER_SET};
    c.trigger = (struct cluster_trigger){.event = CLUSTER_EVENT_SCHEDULE, .every_s = 600, .cooldown_s = 60, .param_count = 1};
    c.trigger.params = one_param("by", "bytes");
    snprintf(c.trigger.name, sizeof c.trigger.name, "%s", name);
    snprintf(c.trigger.script, sizeof c.trigger.script, "%s", script);
    return c;
}

struct cluster_command trigger_delete(const char *name)
{
    return on_name(CLUSTER_TRIGGER_DELETE, name);
}

struct cluster_command triggers_pause(bool on)
{
    return (struct cluster_command){.type = CLUSTER_TRIGGERS_PAUSE, .on = on};
}

struct cluster_step step_node(enum cluster_op op, unsigned node)
{
    struct cluster_step s = {.op = op, .why = "it was asked for"};
    snprintf(s.node, sizeof s.node, "%s", node_id(node));
    return s;
}

struct cluster_step step_slots(uint32_t shard, unsigned from, unsigned to)
{
    struct cluster_step s = {.op = CLUSTER_OP_assign_slots, .shard = shard};
    assert_int_equal(cluster_ranges_add(&s.slots, from, to, NULL), 0);
    return s;
}

struct cluster_step step_replicate(unsigned node, uint32_t shard)
{
    struct cluster_step s = step_node(CLUSTER_OP_replicate, node);
    s.shard = shard;
    return s;
}

struct cluster_step step_wait(uint32_t ms)
{
    return (struct cluster_step){.op = CLUSTER_OP_wait, .ms = ms};
}

struct cluster_state *cluster_of(unsigned nodes)
{
    struct cluster_state *s = cluster_state_new();
    change(s, found(1));
    for (unsigned n = 2; n <= nodes; n++) change(s, admit(n));
    return s;
}

struct cluster_state *cluster_of_six(void)
{
    struct cluster_state *s = cluster_of(6);
    for (unsigned n = 2; n <= 3; n++) {
        change(s, set_role(n, CLUSTER_ROLE_LEARNER));
        change(s, set_role(n, CLUSTER_ROLE_VOTER));
    }
    for (unsigned n = 1; n <= 3; n++) assert_int_equal(change(s, create_shard(n)), n);
    change(s, assign_slots(1, 0, 5460));
    change(s, assign_slots(2, 5461, 10922));
    change(s, assign_slots(3, 10923, 16383));
    for (unsigned n = 1; n <= 3; n++) change(s, replicate(n + 3, n));
    return s;
}

uint64_t seed_of(const char *test)
{
    const char *text = getenv("AIKV_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
    print_message("[ SEED     ] %s: AIKV_SEED=%llu\n", test, (unsigned long long)seed);
    return seed;
}
