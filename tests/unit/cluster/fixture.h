/* What the tests of cluster share: states and commands in a line. Every command goes through its encoded form, as in a
 * cluster. */
#ifndef AIKV_TEST_CLUSTER_FIXTURE_H
#define AIKV_TEST_CLUSTER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/command.h"

#define CLUSTER_ID "c0ffee0000000000000000000000000000c0ffee"

/* Node `number`'s id: the number in 40 hex digits, from the left, so that prefixes differ ("0004" and then zeros and an
 * "a"). */
const char *node_id(unsigned number); /* lives until the 8th next call */
struct cluster_node_info node_info(unsigned number, const char *zone);

/* Applies and checks the invariants afterwards; a refused command must not have changed the version. Releases the
 * command. */
struct cluster_result apply(struct cluster_state *s, struct cluster_command c);
/* The same for commands that must change something; returns result.value. */
uint64_t change(struct cluster_state *s, struct cluster_command c);
/* That must find nothing to do; returns result.value. */
uint64_t nothing(struct cluster_state *s, struct cluster_command c);
/* That must be refused with `code` and a text that holds `text`. */
void refused(struct cluster_state *s, struct cluster_command c, enum error_code code, const char *text);

struct cluster_command found(unsigned node);
struct cluster_command admit(unsigned node);
struct cluster_command update_node(struct cluster_node_info info);
struct cluster_command set_role(unsigned node, enum cluster_role role);
struct cluster_command create_shard(unsigned node);
struct cluster_command assign_slots(uint32_t shard, unsigned from, unsigned to);
struct cluster_command replicate(unsigned node, uint32_t shard);
struct cluster_command set_reachable(unsigned node, bool up);
struct cluster_command remove_node(unsigned node);
struct cluster_command detach(unsigned node);
struct cluster_command drop_shard(uint32_t shard);
struct cluster_command move_slots(uint32_t from_shard, uint32_t to, unsigned from, unsigned last);
struct cluster_command set_leaving(unsigned node, bool on);
struct cluster_command set_labels(unsigned node, const char *labels);
struct cluster_command set_setting(enum cluster_setting setting, int64_t value);
struct cluster_command load_script(const char *name, unsigned version, const char *source);
struct cluster_command delete_script(const char *name);
struct cluster_command set_current(const char *name, unsigned version);
struct cluster_command run_start(const char *script);
struct cluster_command run_round(uint64_t run, uint32_t round, uint32_t steps,
                                 ...); /* steps: struct cluster_step, owned from now on */
struct cluster_command run_step(uint64_t run, uint32_t round, uint32_t index, enum cluster_step_status status,
                                const char *text);
struct cluster_command run_pause(uint64_t run, bool on);
struct cluster_command run_end(uint64_t run, enum cluster_run_status status, const char *text);
/* Every ten minutes, with one parameter. */
struct cluster_command trigger_set(const char *name, const char *script);
struct cluster_command trigger_delete(const char *name);
struct cluster_command triggers_pause(bool on);

struct cluster_step step_node(enum cluster_op op, unsigned node);
struct cluster_step step_slots(uint32_t shard, unsigned from, unsigned to);
struct cluster_step step_replicate(unsigned node, uint32_t shard);
struct cluster_step step_wait(uint32_t ms);

/* A cluster of `nodes` members, node 1 the founder and only voter. */
struct cluster_state *cluster_of(unsigned nodes);
/* What init makes of six nodes: voters 1 to 3, shards s1 to s3 on nodes 1 to 3 with all slots, replicas on nodes 4
 * to 6. */
struct cluster_state *cluster_of_six(void);

/* Encoded forms; release the buffer. */
struct buffer encoded(const struct cluster_state *s);
struct buffer encoded_command(const struct cluster_command *c);
void assert_same_state(const struct cluster_state *a, const struct cluster_state *b);

/* From AIKV_SEED, or 1; printed with the name of the test. */
uint64_t seed_of(const char *test);

/* The groups, one a file. */
int run_slots_tests(void);
int run_info_tests(void);
int run_member_tests(void);
int run_role_tests(void);
int run_shard_tests(void);
int run_script_tests(void);
int run_policy_tests(void);
int run_run_tests(void);
int run_step_tests(void);
int run_meet_tests(void);
int run_find_tests(void);
int run_encode_tests(void);
int run_command_tests(void);
int run_check_tests(void);
int run_routing_tests(void);
int run_size_tests(void);
int run_random_tests(void);
int run_golden_tests(void);

#endif
