#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc.h"
#include "base/random.h"

#define DEADLINE_MS 30000

struct message {
    struct message *next;
    uint64_t from, to, due_ms;
    size_t len;
    uint8_t data[];
};

/* ---- the network ---- */

static void seat_send(void *user, uint64_t raft_id, struct bytes bytes)
{
    struct seat *s = user;
    struct group *g = s->group;
    g->sent++;
    if (raft_id == 0 || raft_id > SEATS || !g->seats[raft_id].member || s->cut) return;
    if (random_below(&g->random, 100) < g->loss_percent) return;
    struct message *m = malloc(sizeof *m + bytes.len), **at = &g->messages;
    *m = (struct message){.from = s->id, .to = raft_id, .len = bytes.len};
    memcpy(m->data, bytes.data, bytes.len);
    m->due_ms = clock_monotonic_ms() + (g->delay_max_ms ? random_below(&g->random, g->delay_max_ms + 1) : 0);
    while (*at) at = &(*at)->next;
    *at = m;
}

static void deliver(struct group *g, const struct message *m)
{
    struct seat *to = &g->seats[m->to];
    struct error e = {0};
    if (!to->member || to->closing || to->cut || g->seats[m->from].cut) return;
    if (meta_receive(to->member, m->from, bytes_of(m->data, m->len), &e)) {
        g->refused++;
        print_message("refused by %d: %s\n", (int)m->to, e.text);
    }
}

static void pump(uv_timer_t *timer)
{
    struct group *g = timer->data;
    struct message **at = &g->messages;
    uint64_t now = clock_monotonic_ms();
    while (*at) {
        struct message *m = *at;
        if (m->due_ms > now) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        deliver(g, m);
        free(m);
    }
}

/* ---- what members tell ---- */

static void seat_applied(void *user, struct bytes command, const struct cluster_result *result)
{
    struct seat *s = user;
    if (!result->changed) return;
    if (s->applied_count == s->applied_max) {
        s->applied_max = s->applied_max ? 2 * s->applied_max : 64;
        s->applied = realloc(s->applied, s->applied_max * sizeof *s->applied);
    }
    s->applied[s->applied_count++] = crc32c(0, command.data, command.len);
}

static void seat_replaced(void *user)
{
    ((struct seat *)user)->replaced++;
}

static void seat_leadership(void *user, bool leads)
{
    struct seat *s = user;
    assert_true(s->leads != leads); /* told alternately */
    s->leads = leads;
    if (leads) assert_true(meta_leads(s->member));
}

static void seat_failed(void *user, const struct error *e)
{
    ((struct seat *)user)->failure = *e;
}

/* ---- members ---- */

void group_open(struct group *g, uint64_t id, bool found)
{
    struct seat *s = &g->seats[id];
    struct meta_options options = {.dir = s->dir, .raft_id = id, .election_ms = g->election_ms, .heartbeat_ms = 20};
    struct meta_handler handler = {s, seat_send, seat_applied, seat_replaced, seat_leadership, seat_failed};
    struct cluster_command command = group_found_command();
    struct error e = {0};
    assert_null(s->member);
    s->applied_count = 0; /* the log is applied anew */
    if (meta_open(&g->loop, &options, &handler, found ? &command : NULL, &s->member, &e))
        fail_msg("open %d: %s", (int)id, e.text);
}

static void seat_closed(void *user)
{
    struct seat *s = user;
    s->member = NULL;
    s->closing = s->leads = false;
}

static bool is_closed(struct group *g, uint64_t id)
{
    return !g->seats[id].member;
}

static void begin_close(struct seat *s)
{
    s->closing = true;
    meta_close(s->member, seat_closed, s);
}

void group_close(struct group *g, uint64_t id)
{
    begin_close(&g->seats[id]);
    group_until(g, is_closed, id);
}

void group_init(struct group *g)
{
    const char *seed = getenv("AIKV_SEED");
    memset(g, 0, sizeof *g);
    g->seed = seed ? strtoull(seed, NULL, 0) : clock_monotonic_us();
    g->random = g->seed;
    g->election_ms = 200;
    print_message("AIKV_SEED=%llu\n", (unsigned long long)g->seed);
    uv_loop_init(&g->loop);
    uv_timer_init(&g->loop, &g->pump);
    g->pump.data = g;
    uv_timer_start(&g->pump, pump, 1, 1);
    files_make(g->root, "meta");
    for (uint64_t id = 1; id <= SEATS; id++) {
        g->seats[id] = (struct seat){.group = g, .id = id};
        snprintf(g->seats[id].dir, sizeof g->seats[id].dir, "%s/%d", g->root, (int)id);
    }
}

void group_release(struct group *g)
{
    for (uint64_t id = 1; id <= SEATS; id++) {
        if (g->seats[id].member) begin_close(&g->seats[id]);
    }
    for (uint64_t id = 1; id <= SEATS; id++) {
        group_until(g, is_closed, id);
        if (!g->seats[id].may_fail) assert_string_equal(g->seats[id].failure.text, "");
        free(g->seats[id].applied);
    }
    files_remove(g->root);
    while (g->messages) {
        struct message *m = g->messages;
        g->messages = m->next;
        free(m);
    }
    uv_close((uv_handle_t *)&g->pump, NULL);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&g->loop), 0);
    assert_int_equal(g->refused, 0);
}

/* ---- waiting ---- */

void group_until(struct group *g, group_condition is, uint64_t argument)
{
    uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (!is(g, argument)) {
        if (clock_monotonic_ms() > deadline) {
            for (uint64_t id = 1; id <= SEATS; id++) {
                struct seat *s = &g->seats[id];
                if (!s->member) continue;
                struct meta_statistics t;
                meta_statistics(s->member, &t);
                print_message("member %d: leads=%d term=%d last=%d commit=%d applied=%d problem=%s failure=%s\n",
                              (int)id, s->leads, (int)t.term, (int)t.last_index, (int)t.commit_index,
                              (int)t.applied_index, meta_change_problem(s->member), s->failure.text);
            }
            fail_msg("waited for %d ms", DEADLINE_MS);
        }
        uv_run(&g->loop, UV_RUN_ONCE);
    }
}

void group_run(struct group *g, unsigned turns)
{
    while (turns--) uv_run(&g->loop, UV_RUN_ONCE);
}

struct seat *group_leader(struct group *g)
{
    struct seat *leader = NULL;
    for (uint64_t id = 1; id <= SEATS; id++) {
        struct seat *s = &g->seats[id];
        if (!s->member || s->closing || !meta_leads(s->member)) continue;
        if (!leader || meta_term(s->member) > meta_term(leader->member)) leader = s;
    }
    return leader;
}

bool group_has_leader(struct group *g, uint64_t unused)
{
    (void)unused;
    struct seat *leader = group_leader(g);
    return leader && !leader->cut;
}

bool group_leads(struct group *g, uint64_t id)
{
    return g->seats[id].leads;
}

bool group_leads_elsewhere(struct group *g, uint64_t id)
{
    struct seat *leader = group_leader(g);
    return leader && leader->id != id;
}

static size_t voters_known_to(const struct seat *s)
{
    struct meta_member members[SEATS];
    size_t n = meta_members(s->member, members, SEATS), voters = 0;
    for (size_t i = 0; i < n && i < SEATS; i++) voters += members[i].role == CLUSTER_ROLE_VOTER;
    return voters;
}

bool group_voters_are(struct group *g, uint64_t count)
{
    struct seat *leader = group_leader(g);
    if (!leader || meta_change_problem(leader->member)[0]) return false;
    for (uint64_t id = 1; id <= SEATS; id++) {
        if (g->seats[id].member && voters_known_to(&g->seats[id]) != count) return false;
    }
    return true;
}

static void encode(const struct seat *s, struct buffer *b)
{
    buffer_init(b, CLUSTER_ENCODED_MAX);
    cluster_state_encode(meta_state(s->member), b);
    assert_false(b->failed);
}

bool group_agrees(struct group *g, uint64_t unused)
{
    (void)unused;
    struct seat *leader = group_leader(g);
    bool agrees = leader != NULL;
    struct buffer mine = {0};
    if (leader) encode(leader, &mine);
    for (uint64_t id = 1; id <= SEATS && agrees; id++) {
        struct buffer theirs;
        if (!g->seats[id].member) continue;
        encode(&g->seats[id], &theirs);
        agrees = bytes_equal(buffer_bytes(&mine), buffer_bytes(&theirs));
        buffer_release(&theirs);
    }
    buffer_release(&mine);
    return agrees;
}

bool group_is_quiet(struct group *g, uint64_t unused)
{
    struct seat *leader = group_leader(g);
    struct meta_statistics l, m;
    if (!leader || !group_agrees(g, unused)) return false;
    meta_statistics(leader->member, &l);
    for (uint64_t id = 1; id <= SEATS; id++) {
        if (!g->seats[id].member) continue;
        meta_statistics(g->seats[id].member, &m);
        if (m.commit_index != l.last_index || m.applied_index != l.last_index) return false;
    }
    return true;
}

int group_setup(void **state)
{
    struct group *g = malloc(sizeof *g);
    group_init(g);
    *state = g;
    return 0;
}

int group_teardown(void **state)
{
    struct group *g = *state;
    group_release(g);
    free(g);
    return 0;
}
