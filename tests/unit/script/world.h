/* A small cluster to ask policies about. */
#ifndef AIKV_TEST_SCRIPT_WORLD_H
#define AIKV_TEST_SCRIPT_WORLD_H

#include "script/policy.h"

struct test_world {
    struct cluster_state *state;
    struct cluster_live live;
    struct script_world world;
};

/* Members with aliases 1 to `members` (the first one founded it, votes, and leads), candidates with the next ones, all
 * named node<alias>, in zones a, b, c in turn. */
struct test_world *test_world_new(uint32_t members, uint32_t candidates);
void test_world_free(struct test_world *w);
/* Applies a command that must be accepted, and releases it; returns result.value. */
uint64_t test_world_apply(struct test_world *w, struct cluster_command *c);
/* Brings live up to date with the state. */
void test_world_look(struct test_world *w);
/* The id of the node with this alias. */
const char *test_world_id(uint32_t alias);

struct script_source test_source(const char *text);

#endif
