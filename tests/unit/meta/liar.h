/* A member that lies: its messages go straight into another one, with the term and the indexes that suit it. */
#ifndef META_TEST_LIAR_H
#define META_TEST_LIAR_H

#include "group.h"
#include "meta/member.h"

/* Bytes that are no command, and no snapshot. */
extern uint8_t liar_bytes[64];

/* Everything that a lie could have changed. */
struct picture {
    uint64_t term, last, commit, applied, version, leader;
};
struct picture picture_of(const struct seat *s);

/* Three voters led by member 1, all with the same log, all of it committed. */
void settle(struct group *g);

/* Sends as `from`; returns what meta_receive did. */
int lie(struct seat *victim, uint64_t from, const struct raft_message *m);
/* The lie is answered with `code`, and after a while all is as it was. */
void must_refuse(struct group *g, struct seat *victim, uint64_t from, const struct raft_message *m, int code);

/* A request for a vote, `above` the term of `s`; entries behind entry `previous` of `s`, with all of them committed. */
struct raft_message vote_message(struct seat *s, uint64_t above);
struct raft_message entries_message(struct seat *s, uint64_t previous, struct raft_entry *entries, unsigned n);

#endif
