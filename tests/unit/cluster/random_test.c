/* Random commands, most of them sensible: the invariants hold after each, a refused one changes nothing, and the ones
 * that changed something give the same state again, also from a snapshot taken in the middle. */
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "cluster/record.h"
#include "fixture.h"

#define COMMANDS 10000
#define NODES    12 /* more than that are tried, as strangers */

static struct cluster_step random_step(uint64_t *seed)
{
    const unsigned node = 1 + (unsigned)random_below(seed, NODES + 1), from = (unsigned)random_below(seed, CLUSTER_SLOTS);
    struct cluster_step s = {.op = (enum cluster_op)random_below(seed, CLUSTER_OPS)};
    const unsigned fields = cluster_op_info(s.op)->fields;
    if (fields & CLUSTER_FIELD_SLOTS)
        cluster_ranges_add(&s.slots, from, from + (unsigned)random_below(seed, CLUSTER_SLOTS - from), NULL);
    if (fields & CLUSTER_FIELD_NODE) memcpy(s.node, node_id(node), sizeof s.node);
    if (fields & (CLUSTER_FIELD_SHARD | CLUSTER_FIELD_FROM)) s.shard = 1 + (uint32_t)random_below(seed, 6);
    if (fields & CLUSTER_FIELD_TO) s.to = s.shard + 1 + (uint32_t)random_below(seed, 3);
    if (fields & CLUSTER_FIELD_MS) s.ms = (uint32_t)random_below(seed, 100);
    if (fields & CLUSTER_FIELD_KEY) s.key = (enum cluster_setting)random_below(seed, CLUSTER_SETTINGS);
    const struct cluster_setting_info *setting = cluster_setting_info(s.key);
    if (fields & CLUSTER_FIELD_VALUE) s.value = random_below(seed, 2) ? setting->least : setting->most;
    s.on = (fields & CLUSTER_FIELD_ON) && random_below(seed, 2);
    if (fields & CLUSTER_FIELD_LABELS) s.labels[0] = "\0ab"[random_below(seed, 3)];
    return s;
}

static struct cluster_command random_admission(uint64_t *seed, unsigned node)
{
    struct cluster_command c = admit(node);
    c.info.alias = (uint32_t)random_below(seed, NODES + 3);
    return c;
}

static struct cluster_command random_update(uint64_t *seed, unsigned node)
{
    struct cluster_command c = update_node(node_info(node, random_below(seed, 2) ? "a" : "b"));
    c.info.incarnation = random_below(seed, 8);
    c.info.alias = (uint32_t)random_below(seed, NODES + 3);
    return c;
}

static struct cluster_command random_script(uint64_t *seed)
{
    char name[16], source[32];
    unsigned version = (unsigned)random_below(seed, 14);
    snprintf(name, sizeof name, "script%llu", (unsigned long long)random_below(seed, 4));
    snprintf(source, sizeof source, "version %llu", (unsigned long long)(version + (random_below(seed, 20) == 0)));
    switch (random_below(seed, 16)) {
    case 0: return delete_script(name);
    case 1:
    case 2: return set_current(name, version);
    default: return load_script(name, version, source);
    }
}

static struct cluster_command random_trigger(uint64_t *seed)
{
    char name[16];
    snprintf(name, sizeof name, "t%llu", (unsigned long long)random_below(seed, CLUSTER_TRIGGERS_MAX + 6u));
    struct cluster_command c = trigger_set(name, "random");
    c.trigger.event = (enum cluster_event)random_below(seed, CLUSTER_EVENTS);
    if (c.trigger.event != CLUSTER_EVENT_SCHEDULE) c.trigger.every_s = 0;
    if (random_below(seed, 8)) return c;
    cluster_command_release(&c);
    return random_below(seed, 2) ? trigger_delete(name) : triggers_pause(random_below(seed, 2));
}

/* By an operator or a trigger, which may not be there. */
static struct cluster_command random_start(uint64_t *seed)
{
    struct cluster_command c = run_start("random");
    if (random_below(seed, 2)) snprintf(c.text, sizeof c.text, "t%llu", (unsigned long long)random_below(seed, 99));
    c.one_round = random_below(seed, 8) == 0;
    return c;
}

/* Of the run that runs, or of one before or after it. */
static struct cluster_command random_run_command(uint64_t *seed, const struct cluster_state *s)
{
    const struct cluster_run *r = cluster_run_active(s);
    uint64_t run = r && random_below(seed, 10) ? r->id : random_below(seed, s->next_run + 1);
    uint32_t round = r ? r->round : 1;
    if (random_below(seed, 40) == 0) round += (uint32_t)random_below(seed, 3);
    switch (random_below(seed, r ? 13 : 2)) {
    case 0: return random_below(seed, 4) ? random_start(seed) : run_end(run, CLUSTER_RUN_FAILED, "it was enough");
    case 1: return random_below(seed, 40) ? random_start(seed) : run_end(run, CLUSTER_RUN_CANCELLED, "");
    case 2: return run_round(run, round + 1, 0);
    case 5: return run_pause(run, random_below(seed, 4) == 0);
    case 3:
    case 4: return run_round(run, round + 1, 3, random_step(seed), random_step(seed), random_step(seed));
    default:
        return run_step(run, round, (uint32_t)random_below(seed, 4), (enum cluster_step_status)random_below(seed, 4),
                        random_below(seed, 2) ? "it did not work" : "");
    }
}

/* A step as the runner would carry it out; NOTHING when that is refused. */
static struct cluster_command random_step_command(uint64_t *seed, const struct cluster_state *s)
{
    const struct cluster_node_info candidate = node_info(1 + (unsigned)random_below(seed, NODES), "c");
    struct cluster_step step = random_step(seed);
    struct cluster_command c;
    struct error e;
    if (cluster_step_command(s, &candidate, 1, &step, &c, &e) == 0 && c.type != CLUSTER_NOTHING) {
        struct cluster_state *copy = cluster_state_clone(s, true);
        struct cluster_command again;
        assert_int_equal(cluster_step_command(s, &candidate, 1, &step, &again, &e), 0);
        change(copy, again); /* what a step's command promises, apply keeps */
        cluster_state_free(copy);
    }
    cluster_step_release(&step);
    return c;
}

static struct cluster_command random_role(uint64_t *seed, unsigned node)
{
    return set_role(node, (enum cluster_role)random_below(seed, 3));
}

static struct cluster_command random_member_command(uint64_t *seed, unsigned node)
{
    switch (random_below(seed, 12)) {
    case 0: return found(node);
    case 1: return random_update(seed, node);
    case 2: return remove_node(node);
    case 3: return set_leaving(node, random_below(seed, 2));
    case 4: return set_labels(node, random_below(seed, 2) ? "rack 7" : "");
    case 5:
    case 6: return random_role(seed, node);
    case 7: return set_reachable(node, random_below(seed, 3) != 0);
    case 8: return set_reachable(node, true);
    default: return random_admission(seed, node);
    }
}

/* All slots of a shard to another: else one is hardly ever without any. */
static struct cluster_command drain(const struct cluster_state *s, uint32_t shard, uint32_t to)
{
    struct cluster_command c = {.type = CLUSTER_MOVE_SLOTS, .shard = shard, .to = to};
    assert_int_equal(cluster_shard_slots(s, shard, &c.slots), 0);
    return c;
}

static struct cluster_command random_shard_command(uint64_t *seed, const struct cluster_state *s, unsigned node)
{
    const uint32_t newest = s->next_shard - 1, oldest = newest > 6 ? newest - 6 : 0; /* or numbers that are none */
    const uint32_t shard = oldest + (uint32_t)random_below(seed, 8), to = oldest + (uint32_t)random_below(seed, 8);
    const unsigned from = (unsigned)random_below(seed, CLUSTER_SLOTS), len = (unsigned)random_below(seed, 40);
    const unsigned last = from + len < CLUSTER_SLOTS ? from + len : from;
    switch (random_below(seed, 8)) {
    case 0: return random_below(seed, 4) ? replicate(node, shard) : create_shard(node);
    case 1: return replicate(node, shard);
    case 2: return detach(node);
    case 3: return drop_shard(shard);
    case 4: return move_slots(shard, to, from, last);
    case 5: return drain(s, shard, to);
    default: return assign_slots(shard, from, last);
    }
}

static struct cluster_command random_setting(uint64_t *seed)
{
    return set_setting((enum cluster_setting)random_below(seed, CLUSTER_SETTINGS), (int64_t)random_below(seed, 9));
}

static struct cluster_command random_command(uint64_t *seed, const struct cluster_state *s)
{
    const unsigned node = 1 + (unsigned)random_below(seed, NODES + 1);
    switch (random_below(seed, 16)) {
    case 0:
    case 1:
    case 2:
    case 3: return random_member_command(seed, node);
    case 4:
    case 5:
    case 6: return random_shard_command(seed, s, node);
    case 7: return random_script(seed);
    case 8: return random_trigger(seed);
    case 9: return random_setting(seed);
    case 10: return random_step_command(seed, s);
    default: return random_run_command(seed, s);
    }
}

struct history {
    struct buffer now;   /* the state, encoded */
    struct buffer *list; /* commands that changed something */
    size_t count;
    size_t at_snapshot;
    struct buffer snapshot;
};

static void replay(struct cluster_state *s, const struct history *h, size_t from)
{
    for (size_t i = from; i < h->count; i++) {
        struct cluster_result r;
        cluster_apply(s, buffer_bytes(&h->list[i]), &r);
        assert_true(r.changed);
    }
}

/* Applies one command; keeps it if it changed something, and else checks that nothing did change. */
static void play(struct cluster_state *s, struct cluster_command c, struct history *h,
                 size_t counts[CLUSTER_TRIGGERS_PAUSE + 1])
{
    struct cluster_result r;
    struct error e;
    struct buffer command = encoded_command(&c);
    const uint64_t version = s->version;
    cluster_apply(s, buffer_bytes(&command), &r);
    assert_int_equal(s->version, version + r.changed);
    struct buffer before = h->now;
    h->now = encoded(s);
    if (r.changed) {
        assert_int_equal(r.error.code, 0);
        assert_int_equal(h->now.len, cluster_state_size(s));
        if (cluster_state_check(s, &e) != 0)
            fail_msg("%s broke an invariant: %s", cluster_command_name(c.type), e.text);
        counts[c.type]++;
        h->list[h->count++] = command;
    } else {
        assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&h->now)));
        buffer_release(&command);
    }
    buffer_release(&before);
    cluster_command_release(&c);
}

static void test_random_commands_keep_the_invariants_and_replay_to_the_same_state(void **state)
{
    (void)state;
    uint64_t seed = seed_of(__func__);
    size_t counts[CLUSTER_TRIGGERS_PAUSE + 1] = {0};
    struct history h = {.list = calloc(COMMANDS, sizeof *h.list)};
    struct cluster_state *s = cluster_state_new();
    h.now = encoded(s);
    for (int i = 0; i < COMMANDS; i++) {
        play(s, random_command(&seed, s), &h, counts);
        if (i != COMMANDS / 2) continue;
        h.snapshot = encoded(s);
        h.at_snapshot = h.count;
    }
    for (enum cluster_command_type t = CLUSTER_FOUND; t <= CLUSTER_TRIGGERS_PAUSE; t++)
        if (counts[t] == 0) fail_msg("no %s ever changed anything: the test is too weak", cluster_command_name(t));

    struct cluster_state *again = cluster_state_new(), *restored;
    replay(again, &h, 0);
    assert_same_state(s, again);
    assert_int_equal(cluster_state_decode(buffer_bytes(&h.snapshot), &restored, NULL), 0);
    replay(restored, &h, h.at_snapshot);
    assert_same_state(s, restored);

    cluster_state_free(s);
    cluster_state_free(again);
    cluster_state_free(restored);
    for (size_t i = 0; i < h.count; i++) buffer_release(&h.list[i]);
    buffer_release(&h.snapshot);
    buffer_release(&h.now);
    free(h.list);
}

int run_random_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_commands_keep_the_invariants_and_replay_to_the_same_state),
    };
    return cmocka_run_group_tests_name("cluster at random", tests, NULL, NULL);
}
