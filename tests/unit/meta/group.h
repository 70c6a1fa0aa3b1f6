/* Members of MetaRaft in one process, on one loop, with a network in memory that can lose, delay and cut. */
#ifndef META_TEST_GROUP_H
#define META_TEST_GROUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>

#include <cmocka.h>

#include "files.h"
#include "meta/meta.h"

#define CALM_MS 2000
#define SEATS   6 /* members 1 to 6; a member's raft id is its number */

struct message;
struct group;

struct seat {
    struct group *group;
    uint64_t id;
    char dir[300];
    struct meta *member; /* NULL while it is not open */
    bool closing, cut;   /* cut: nothing goes in or out */
    bool leads;
    bool may_fail;
    struct error failure;
    unsigned replaced;
    uint64_t *applied; /* digests of the commands that changed something, in order */
    size_t applied_count, applied_max;
};

struct group {
    uv_loop_t loop;
    uv_timer_t pump;
    char root[FILES_DIR_MAX];
    uint64_t seed, random;
    unsigned
        election_ms; /* 200; a test that needs member 1 to stay the leader takes CALM_MS, however slow the machine */
    unsigned loss_percent, delay_max_ms;
    struct message *messages;
    size_t sent;
    unsigned refused; /* messages that meta_receive refused; 0 among honest members */
    struct seat seats[SEATS + 1];
};

void group_init(struct group *g);
/* Closes what is open, and checks that no honest message was refused and no member failed. */
void group_release(struct group *g);

/* Opens member `id`; with `found` it founds the cluster if its directory is empty. */
void group_open(struct group *g, uint64_t id, bool found);
void group_close(struct group *g, uint64_t id);
/* Members 1 to `voters`, all of them voters. */
void group_grow(struct group *g, unsigned voters);

/* Runs the loop until `is` holds; fails the test when it does not within 30 s. */
typedef bool (*group_condition)(struct group *g, uint64_t argument);
void group_until(struct group *g, group_condition is, uint64_t argument);
void group_run(struct group *g, unsigned turns);

bool group_has_leader(struct group *g, uint64_t unused);
bool group_leads(struct group *g, uint64_t id);
bool group_leads_elsewhere(struct group *g, uint64_t id); /* somebody leads, and it is not `id` */
bool group_voters_are(struct group *g, uint64_t count);   /* as each member's libraft has it, and no change fails */
bool group_agrees(struct group *g, uint64_t unused);      /* all open members have the leader's state */
bool group_is_quiet(struct group *g,
                    uint64_t unused);       /* and all that is in the leader's log is committed and applied by all */
struct seat *group_leader(struct group *g); /* NULL: nobody */

/* The node that member `id` is. */
const char *group_node(uint64_t id);
struct cluster_command group_found_command(void);
struct cluster_command group_admit_command(uint64_t id);
struct cluster_command group_role_command(uint64_t id, enum cluster_role role);
/* Changes node 1's incarnation to `n`: a change that can be told from every other one, and made once only. */
struct cluster_command group_mark_command(uint64_t n);
uint64_t group_digest(const struct cluster_command *c);
/* How often a member has applied a command. */
unsigned group_applied(const struct seat *s, const struct cluster_command *c);

/* Proposes at the leader, whoever it is, until it is applied; returns the result. */
struct cluster_result group_apply(struct group *g, const struct cluster_command *c);
void group_mark_many(struct group *g, uint64_t first, uint64_t count);

/* cmocka fixtures: *state is a struct group. */
int group_setup(void **state);
int group_teardown(void **state);

#endif
