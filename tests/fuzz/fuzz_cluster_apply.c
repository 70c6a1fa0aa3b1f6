/* Any bytes as metadata commands: no invariant breaks, what is refused changes nothing, what was decoded encodes to the
 * same bytes. Input: one byte that picks the state to begin with, then commands, each behind its length (16 bits,
 * little endian). */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/command.h"

#define STATES 3

static struct cluster_state *prepared[STATES]; /* unfounded; six nodes; six nodes with a run in its first round */
static struct buffer prepared_forms[STATES];
static struct buffer forms[2]; /* of the state that is played with: now, and after the next command */

static void require(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_cluster_apply: %s\n", what);
    abort();
}

static void encode(const struct cluster_state *s, struct buffer *out)
{
    buffer_clear(out);
    cluster_state_encode(s, out);
    require(!out->failed, "a state has more than the maximum");
}

static void prepare(struct cluster_state *s, struct cluster_command c)
{
    struct cluster_result r;
    struct buffer b;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_command_encode(&c, &b);
    cluster_apply(s, buffer_bytes(&b), &r);
    require(r.changed, r.error.text);
    buffer_release(&b);
}

static struct cluster_node_info info(unsigned node)
{
    struct cluster_node_info i = {.alias = node,
                                  .name = "host",
                                  .version = "0.1.0",
                                  .bus_host = "h",
                                  .bus_port = 1,
                                  .incarnation = 1,
                                  .endpoint_count = 1};
    i.endpoints[0] = (struct cluster_endpoint){"any", "h", 1};
    snprintf(i.id, sizeof i.id, "%08x%031da", node, 0);
    return i;
}

static struct cluster_command on_node(enum cluster_command_type type, unsigned node)
{
    struct cluster_command c = {.type = type};
    memcpy(c.node, info(node).id, sizeof c.node);
    return c;
}

static struct cluster_state *six_nodes(void)
{
    struct cluster_state *s = cluster_state_new();
    struct cluster_command c = {.type = CLUSTER_FOUND, .info = info(1)};
    memset(c.cluster_id, 'c', CLUSTER_ID_LEN);
    prepare(s, c);
    for (unsigned n = 2; n <= 6; n++) prepare(s, (struct cluster_command){.type = CLUSTER_ADMIT, .info = info(n)});
    for (unsigned n = 2; n <= 4; n++) {
        c = on_node(CLUSTER_SET_ROLE, n);
        c.role = CLUSTER_ROLE_LEARNER;
        prepare(s, c);
        c.role = CLUSTER_ROLE_VOTER;
        if (n < 4) prepare(s, c);
    }
    prepare(s, on_node(CLUSTER_CREATE_SHARD, 1));
    prepare(s, on_node(CLUSTER_CREATE_SHARD, 2));
    struct cluster_range slots = {100, 8000};
    prepare(s, (struct cluster_command){.type = CLUSTER_ASSIGN_SLOTS, .shard = 1, .slots = {&slots, 1}});
    return s;
}

static struct cluster_state *with_run(const struct cluster_state *from)
{
    struct cluster_state *s = cluster_state_clone(from, true);
    char source[] = "return {}";
    struct cluster_command c = {
        .type = CLUSTER_LOAD_SCRIPT, .name = "init", .version = "0123456789abcdef", .source = source, .source_len = 9};
    prepare(s, c);
    c.type = CLUSTER_RUN_START;
    prepare(s, c);
    struct cluster_step steps[3] = {
        {.op = CLUSTER_OP_wait}, {.op = CLUSTER_OP_wait, .ms = 1}, {.op = CLUSTER_OP_wait, .ms = 2}};
    prepare(s,
            (struct cluster_command){.type = CLUSTER_RUN_ROUND, .run = 1, .round = 1, .steps = steps, .step_count = 3});
    prepare(s, (struct cluster_command){
                   .type = CLUSTER_RUN_STEP, .run = 1, .round = 1, .step_status = CLUSTER_STEP_STARTED});
    return s;
}

static void check_canonical(struct bytes command)
{
    struct cluster_command c;
    struct buffer b;
    if (cluster_command_decode(command, &c, NULL) != 0) return;
    buffer_init(&b, CLUSTER_ENCODED_MAX);
    cluster_command_encode(&c, &b);
    require(bytes_equal(buffer_bytes(&b), command), "a command has two encoded forms");
    buffer_release(&b);
    cluster_command_release(&c);
}

/* Applies one command to a state of the encoded form `before`, and puts the form it has then into `after`. Returns whether it
 * changed. */
static bool play(struct cluster_state *s, struct bytes command, struct bytes before, struct buffer *after)
{
    struct cluster_result r;
    struct error e;
    const uint64_t version = s->version;
    check_canonical(command);
    cluster_apply(s, command, &r);
    encode(s, after);
    require(s->version == version + r.changed, "the version does not say whether the state changed");
    require(bytes_equal(before, buffer_bytes(after)) == !r.changed, "a refused command changed the state");
    require(!r.changed || r.error.code == 0, "a refused command changed the version");
    if (r.changed && cluster_state_check(s, &e) != 0) require(false, e.text); /* else nothing changed */
    return r.changed;
}

static void check_round_trip(struct bytes form)
{
    struct buffer again;
    struct cluster_state *back;
    buffer_init(&again, CLUSTER_ENCODED_MAX);
    require(cluster_state_decode(form, &back, NULL) == 0, "a state is not decoded again");
    encode(back, &again);
    require(bytes_equal(form, buffer_bytes(&again)), "a state is not what it was after a round trip");
    buffer_release(&again);
    cluster_state_free(back);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    prepared[0] = cluster_state_new();
    prepared[1] = six_nodes();
    prepared[2] = with_run(prepared[1]);
    for (int i = 0; i < STATES; i++) {
        buffer_init(&prepared_forms[i], CLUSTER_ENCODED_MAX);
        encode(prepared[i], &prepared_forms[i]);
        check_round_trip(buffer_bytes(&prepared_forms[i]));
    }
    for (int i = 0; i < 2; i++) buffer_init(&forms[i], CLUSTER_ENCODED_MAX);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of(bytes_of(data, size));
    const unsigned first = read_u8(&in) % STATES;
    struct cluster_state *s = cluster_state_clone(prepared[first], true);
    struct bytes form = buffer_bytes(&prepared_forms[first]);
    bool changed = false;
    for (unsigned next = 0;;) {
        uint16_t len = read_u16(&in);
        struct bytes command = read_raw(&in, len);
        if (in.failed) break;
        if (!play(s, command, form, &forms[next])) continue;
        form = buffer_bytes(&forms[next]);
        next = !next;
        changed = true;
    }
    if (changed) check_round_trip(form);
    cluster_state_free(s);
    return 0;
}
