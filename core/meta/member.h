/* This member: what the files of this folder share. Private.
 *
 * Whatever moves libraft — a tick, a message, a finished write, a proposal — comes through this folder, and ends with
 * meta_wake: the next turn of the loop then looks at where libraft is now, and acts. So nothing calls out from inside
 * libraft, except the state machine. */
#ifndef AIKV_META_MEMBER_H
#define AIKV_META_MEMBER_H

#include <raft.h>
#include <raft/uv.h>

#include "meta/meta.h"

/* ---- proposals (propose.c) ---- */
#define META_PROPOSALS_MAX      256
#define META_PROPOSAL_BYTES_MAX (4u << 20)
#define META_APPENDED_BYTES_MAX (1u << 20) /* handed to libraft and not applied yet; one larger proposal goes alone */

struct meta_proposal {
    struct raft_apply request;
    struct meta *member;
    struct raft_buffer entry; /* owned until libraft takes it */
    meta_done done;           /* NULL: nobody asks */
    void *user;
    struct cluster_result result;
    struct meta_proposal *next;
};

struct meta_queue { /* first in, first out */
    struct meta_proposal *first, *last;
    size_t count, bytes;
};

/* ---- network and disk (io.c) ---- */
struct meta_io {
    struct raft_io disk; /* the functions as raft_uv has them */
    raft_io_tick_cb tick;
    raft_io_recv_cb recv;
    struct raft_io_send **sent; /* their callbacks are due */
    size_t sent_count, sent_max;
    bool dropping;           /* what libraft sends now is not to be sent */
    raft_term snapshot_term; /* of the snapshot that libraft is about to send */
    struct buffer scratch;
    uint64_t writes_open;          /* log writes that have not ended */
    uint64_t writes_open_since_ms; /* when the oldest of them may have begun */
};

/* Changes of libraft's configuration, the most urgent first (membership.c). */
enum meta_change_kind {
    META_CHANGE_NONE,
    META_CHANGE_ADD,
    META_CHANGE_STANDBY,
    META_CHANGE_DEMOTE,
    META_CHANGE_REMOVE,
    META_CHANGE_PROMOTE,
};

struct meta {
    struct raft raft;
    struct raft_io io; /* libraft's `io`: found from it by its place in here */
    struct raft_fsm fsm;
    struct raft_uv_transport transport;
    struct meta_io net;

    uv_loop_t *loop;
    uv_idle_t turn; /* active while there is something to do outside libraft */
    struct meta_handler handler;
    struct meta_options options;
    char *dir;
    struct cluster_state *state;
    bool open;          /* meta_open has returned */
    uint64_t snapshots; /* taken and installed since then */
    bool failed;        /* nothing moves any more; `failure` says why */
    bool told_failed;
    struct error failure;
    bool closing;
    void (*closed)(void *user);
    void *closed_user;

    struct buffer found; /* the founding command, encoded, until it is applied; else empty */
    bool founding;       /* it is proposed */
    struct raft_barrier barrier;
    bool barrier_open;
    uint64_t barrier_term;           /* the term it was asked for in */
    uint64_t ready_term;             /* the newest term of ours whose beginning we have applied */
    uint64_t told_term;              /* the term handler.leadership(true) was called for; 0: told false last */
    uint64_t seen_term, seen_leader; /* who sent entries in the newest term */

    struct meta_queue waiting, appended, finished;

    struct meta_change {
        struct raft_change request; /* libraft may keep it after a failed raft_assign: never freed before the end */
        bool open;
        uint64_t raft_id; /* whom it is for */
        enum meta_change_kind kind;
        unsigned failures;  /* in a row */
        uint64_t failed_id; /* whose change failed last: others go first */
        uint64_t retry_ms;  /* on the loop's clock */
        char problem[320];
    } change;
    struct raft_transfer transfer;
    bool transfer_open;
    uint64_t disk_checked_ms, disk_warned_ms;
};

/* Has the turn run before the loop waits again. */
void meta_wake(struct meta *m);
/* libraft cannot go on: from now on nothing is sent, received or proposed, and the next turn says so to the handler. */
void meta_fail(struct meta *m, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* io.c: puts us between libraft and raft_uv, whose io `m->io` holds. */
void meta_io_interpose(struct meta *m);
/* Ends the sends that are due. */
void meta_io_complete_sends(struct meta *m, int status);

/* machine.c: libraft's view of cluster_state. */
void meta_machine_init(struct meta *m);
/* An entry of libraft's log for an encoded command: a length, the bytes, zeros up to a multiple of 8. False: too
 * large, or no memory. */
bool meta_machine_entry(struct bytes command, struct raft_buffer *out);
/* Whether `data` is a snapshot that restore would take; a state of another cluster than ours is none. */
int meta_machine_check_snapshot(const struct meta *m, struct bytes data, struct error *e);

/* propose.c */
/* Queues an encoded command, whether or not this member leads. */
int meta_proposals_add(struct meta *m, struct bytes command, meta_done done, void *user, struct error *e);
/* Hands waiting proposals to libraft, as far as the bounds allow. */
void meta_proposals_push(struct meta *m);
/* Calls `done` of the finished ones. */
void meta_proposals_deliver(struct meta *m);
/* Ends the ones that libraft has not got. */
void meta_proposals_refuse_waiting(struct meta *m);
/* The entry at `index` was applied: whoever proposed it gets this result. */
void meta_proposals_applied(struct meta *m, uint64_t index, const struct cluster_result *result);

/* lead.c: leadership, and handing it over when the disk is full. */
void meta_lead_watch(struct meta *m);
void meta_lead_watch_disk(struct meta *m);

/* membership.c: the next change towards the wanted roles, if one is due. */
void meta_membership_step(struct meta *m);

/* receive.c */
/* The term of our log's entry `index`; 0 if the log does not reach to it (any more). */
uint64_t meta_term_of(const struct raft *r, uint64_t index);

#endif
