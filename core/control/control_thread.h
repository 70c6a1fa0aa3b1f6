/* Control, inside: what its thread owns, and what its parts do for one another.
 *
 *   control.c  start and stop, from outside    loop.c         the thread, and what it does after every event
 *   links.c    links and their frames          members.c      a peer to every other member
 *   join.c     a node without a cluster        consensus.c    this node's part in MetaRaft
 *   removed.c  a node that is no member any more
 *   known.c    the pushed metadata             persist.c      its file
 *   push.c     the leader's pulses and pushes  ending.c       failures, and the stop
 *   load.c     reports of load to the leader, and what it makes of them
 *   reign.c    what a leader keeps true        runner.c, effect.c   runs of cluster scripts
 *   triggers.c what starts them by itself
 *   publish.c  messages of pub/sub, to other members and from them
 *   applied_log.c   log lines about what was done
 *   calls.c    calls on their way              call_reply.c   replies, and what carries calls out uses
 *   call_commands.c   the table of calls; admin.c, admission.c, dismissal.c, slots_command.c, script_*.c   its functions
 *
 * Everything is level-triggered: an event changes some state and calls control_touch; the loop then looks at what is
 * and does what is missing. All times are the loop's, in ms. */
#ifndef AIKV_CONTROL_CONTROL_THREAD_H
#define AIKV_CONTROL_CONTROL_THREAD_H

#include <stdatomic.h>
#include <uv.h>

#include "control/candidates.h"
#include "control/control.h"
#include "control/delta_ring.h"
#include "control/load_meter.h"
#include "control/load_table.h"
#include "control/message.h"
#include "control/policy_thread.h"
#include "control/route.h"
#include "control/run_decision.h"
#include "control/seen_shards.h"
#include "control/step_log.h"
#include "control/trigger_decision.h"
#include "meta/meta.h"
#include "net/bus.h"
#include "resp/write.h"

#define CONTROL_TICK_MS          50
#define CONTROL_PULSE_MS         200
#define CONTROL_LEADER_LOST_MS   2000 /* without a pulse */
#define CONTROL_SILENCE_MS       3000 /* until a member counts as down */
#define CONTROL_ANNOUNCE_MS      1000
#define CONTROL_PERSIST_MS       100
#define CONTROL_FOUND_MS         3000 /* a founder waits so long for all its join peers, then for most */
#define CONTROL_CALLS_MAX        256  /* of this node */
#define CONTROL_REMOTE_CALLS_MAX 1024 /* of other nodes, on the leader */
#define CONTROL_REMOTE_BYTES_MAX (64u << 20)
#define CONTROL_CALL_MS          15000
#define CONTROL_CALL_RETRY_MS    5000
#define RUNNER_AGAIN_MS          200          /* pause after a proposal that was not taken */
#define CONTROL_CALL_BYTES_MAX   (960u << 10) /* arguments of one call, in a CALL frame of 1 MiB */

/* A link that is up. */
struct link {
    uint64_t id;
    struct bus_link *at;
    char node[CLUSTER_ID_LEN + 1];
    bool announced;
    bool of_cluster;           /* it was a member while this link was up, or says that it is of this cluster */
    uint64_t since_ms;         /* it came up, or was a member last */
    uint64_t told_ms;          /* that it is no member; 0: not yet */
    uint64_t raft_id; /* what it said to be in MetaRaft; 0: nothing yet */
};

/* Another member of the cluster. */
struct member {
    char id[CLUSTER_ID_LEN + 1];
    struct bus_peer *peer;
    struct cluster_node_info *announced; /* its newest announcement; NULL: none; owned */
    uint64_t since_ms;                   /* it is a member, as far as this node knows */
    /* what this node knows of it as the leader */
    bool check_info, proposing_info, proposing_reach;
    uint64_t heard_ms; /* its last answer; 0: none in this reign */
    uint64_t version;  /* it has acknowledged */
    struct cluster_node_load load; /* it has reported */
    uint64_t load_ms;              /* when; 0: not in this reign */
    uint64_t push_link, push_sequence; /* the link it answers on, and the push under way or the last */
    bool answered, push_open, push_failed, wants_snapshot;
    bool told_newer; /* that its metadata is newer than the leader's: once a reign */
    uint32_t alias;  /* as its record has it */
};

/* Who was taken out of the cluster lately, as far as this process knows. */
#define CONTROL_DISMISSED_MAX 256
struct dismissed {
    char id[CLUSTER_ID_LEN + 1];
    uint32_t alias;
};

struct join_peer {
    char host[254];
    uint16_t port;
    struct bus_peer *peer; /* NULL: who is there is a member and has one */
    char node[CLUSTER_ID_LEN + 1];
    bool answered; /* has announced itself, without a cluster */
};

struct call;
typedef void (*call_advance)(struct control *c, struct call *call);
enum call_state { CALL_WAITING, CALL_SENT, CALL_EXECUTING };

/* A call, on its way: at the node it was made at, and again (remote) on the leader. */
struct call {
    struct mailbox_message message; /* first: how it comes from the data thread */
    struct call *next;
    uint64_t id;
    bool remote;
    uint64_t token;                  /* local: whose reply it is */
    uint64_t link_id, request;       /* remote: where the reply goes */
    char origin[CLUSTER_ID_LEN + 1]; /* the node the client is connected to */
    int protocol, argc;
    struct bytes *argv; /* one block with the bytes */
    size_t size;        /* of that */
    size_t too_large;   /* bytes of arguments that were left out because they are too many; 0: none */
    const struct call_command *command;
    uint64_t deadline_ms;
    enum call_state state;
    uint64_t waiting_since_ms; /* for a leader */
    uint64_t sent_link;
    /* executing: command->advance does what comes next; it is called after everything that happens, and replies in the
     * end */
    unsigned stage;       /* advance's own */
    bool busy;            /* a proposal or a policy job is under way: advance is not called */
    bool has_effect;      /* a proposal was applied, or may be: it must not be begun anew elsewhere */
    struct error problem; /* code not 0: what that ended with */
    uint64_t value;       /* a proposal's */
    uint64_t stage_since_ms;
    struct bus_peer *dialled;
    char node[CLUSTER_ID_LEN + 1];
    struct policy_job *result; /* of the last job; owned */
};

struct load {
    struct load_meter *meter; /* of this node's slots */
    struct load_table *table; /* of all slots, while it leads */
    atomic_uint_least64_t disk_bytes, memory_bytes, memory_limit_bytes; /* from the data thread */
    uint64_t disk_free_bytes;
    uv_fs_t disk_request;
    bool disk_asked, disk_known;
    struct cluster_node_load node; /* as last reported */
    /* Reports: to whom, and the one under way or the last. */
    char leader[CLUSTER_ID_LEN + 1];
    uint64_t term, sequence, reported_ms, sent_ms, whole_ms;
    bool unanswered;
};

struct outgoing; /* a reply on its way to the data thread */

/* What this leader knows of a step that has started. */
struct step_under_way {
    bool begun;     /* seen as started */
    bool beginning; /* that is being recorded */
    bool proposing; /* its record or its command is on its way */
    bool applied;   /* its command was applied, or had nothing to do: waiting for the effect to show */
    uint64_t since_ms;
    uint64_t again_ms; /* leadership is not handed over again before */
    uint32_t shards[SEEN_SHARDS_A_STEP]; /* it touches */
};

struct runner {
    struct run_memory memory;
    bool proposing; /* a round, or the end */
    bool planning;
    uint64_t not_before_ms; /* a pause, after a proposal that was not taken */
    uint64_t plan_after_ms; /* a run that was taken over is not planned on before */
    /* the round being carried out */
    uint64_t round_run;
    uint32_t round;
    struct step_under_way *steps; /* one for each of its steps; owned */
    uint32_t step_count;
    uint32_t beginning;       /* steps whose beginning is being recorded */
    uint64_t first_ticket;    /* the steps' proposals are known by this and the index: those of other rounds match none */
    struct seen_shards seen;  /* as they were when the round was planned, or when this leader took it over */
    /* EVAL RUN: the steps of the run that is being started, and what they were made from */
    struct script_steps eval_steps;
    struct seen_shards eval_seen;
    bool eval_starting;
    uint64_t eval_run;
    char waiting_for[600]; /* "" or what the run waits for, for STATUS */
    uint32_t waiting;      /* steps that wait */
};

struct triggers {
    struct trigger_memory *memory; /* of the state's triggers, in their order; owned */
    uint32_t count;
    struct trigger_question { /* the last one; open until it was answered and, if a run comes of it, that has begun */
        uint64_t number;
        bool open;
        char trigger[CLUSTER_NAME_MAX + 1];
        enum trigger_text text;
        uint64_t ups; /* when it was asked */
    } question;
    /* trigger_facts */
    uint64_t ups, free_since_ms;
    bool refused, imbalance;
    uint64_t imbalance_until_ms; /* so long that holds */
    uint64_t look_ms;            /* the next look */
};

struct control {
    struct control_options options; /* its pointers are control's own copies */
    struct cluster_node_info self;
    struct control_identity identity;

    uv_thread_t thread;
    uv_sem_t started;
    int start_code;
    struct error start_error;
    bool starting;
    struct failure *failure; /* to be told to the data thread */
    uint16_t bound_port;
    atomic_bool stop_asked;
    atomic_uint calls_open; /* local ones without a posted reply */
    struct load load;
    struct control_room *room_out, *room_in; /* publish.c */
    atomic_uint_fast64_t messages_lost;

    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    struct mailbox *mailbox;
    struct route *route;
    struct policy_thread *policy;
    struct bus *bus;
    struct meta *meta;
    bool meta_closing; /* one that was left has raft/ open still */
    bool stopping, closing, broken;
    uint64_t stop_deadline_ms, ticks, ticked_ms;

    struct link *links; /* sorted by id */
    uint32_t link_count, link_room;
    struct member **members; /* sorted by id; this node is not among them */
    uint32_t member_count;
    struct join_peer *joins;
    bool founding;
    uint64_t started_ms;
    struct candidates candidates;

    /* known.c */
    struct cluster_state *empty;     /* what a node knows that knows nothing */
    struct cluster_state *known;     /* pushed by the leader, or from the file; NULL: none */
    bool known_pushed;               /* since the start, so not just what the file says */
    bool said_removed;               /* that this node is no member any more */
    bool known_suspect;              /* a delta did not fit it: the leader is asked for the whole */
    char leader[CLUSTER_ID_LEN + 1]; /* another node that pulsed; "": none */
    uint64_t leader_term, leader_heard_ms, highest_term;
    uv_work_t persist_work;
    struct buffer persisting;
    struct error persist_error;
    bool persist_running, persist_failed;
    uint64_t persisted_version, persisted_ms;

    /* the leader's */
    bool leads; /* as the loop has last seen: MetaRaft may have another leader, and a later term, already */
    uint64_t reign_term;
    uint64_t leads_since_ms;
    uint64_t push_sequence;
    struct delta_ring deltas;
    struct buffer snapshot; /* encoded state of snapshot_version, kept for the next one who needs it */
    uint64_t snapshot_version;
    bool check_self, proposing_self;

    struct dismissed dismissed[CONTROL_DISMISSED_MAX]; /* a ring */
    uint32_t dismissed_count;                          /* ever */

    struct call *calls; /* newest last */
    uint64_t next_call;
    uint32_t remote_calls;
    size_t remote_bytes; /* of their arguments */
    struct outgoing *outbox;
    struct runner runner;
    struct triggers triggers;
    struct step_log steps;

    /* what was published last */
    uint64_t routed_version, routed_term;
    char routed_leader[CLUSTER_ID_LEN + 1];
    bool routed_once;
    uint64_t synced_version;
};

/* ---- loop.c ---- */
void control_thread_main(void *control);
/* Something has changed: the loop will look at everything soon. */
void control_touch(struct control *c);
uint64_t control_now_ms(const struct control *c);

/* ---- ending.c ---- */
/* The process must end. */
void control_fail(struct control *c, const struct error *e);
/* Tells the data thread so, if there is something to tell and its mailbox has room. */
void control_fail_tell(struct control *c);
/* Hands leadership over if this node has it; the ticks see to the rest. */
void control_end_begin(struct control *c);
void control_end_tick(struct control *c);
/* Closes what there is; the loop ends when all of it has closed. */
void control_end_close(struct control *c);

/* ---- control.c ---- */
/* Cleared; aborts without memory. */
void *control_allocate(size_t size);

/* ---- consensus.c ---- */
/* Starts MetaRaft as the member that the identity says. */
int control_open_meta(struct control *c, const struct cluster_command *found, struct error *e);
/* The same, where an error ends the process. */
void control_take_part(struct control *c, const struct cluster_command *found);
/* Takes part, or leaves, if the metadata says so. */
void control_join_meta(struct control *c);
void control_leave_meta(struct control *c);
/* Proposes; `done` is called once, from the loop, with what was given. Errors as meta_propose, then `done` is not
 * called. */
typedef void (*control_proposed)(struct control *c, const struct cluster_result *result, uint64_t number,
                                 const char *node);
int control_propose(struct control *c, const struct cluster_command *command, control_proposed done, uint64_t number,
                    const char *node, struct error *e);

/* ---- links.c ---- */
void control_links_handler(struct control *c, struct bus_handler *out);
struct link *control_link_find(struct control *c, uint64_t id);
/* A link to the node, its peer's if that is up; NULL: none. */
struct bus_link *control_link_to(struct control *c, const char *node);
void control_links_announce(struct control *c, struct bus_link *at);
/* Announces this node once more on every link. */
void control_links_announce_all(struct control *c);
void control_send_raft(struct control *c, uint64_t raft_id, struct bytes message);

/* ---- removed.c ---- */
/* Whether this node was taken out of its cluster, as the newest metadata it has say. */
bool control_is_removed(const struct control *c);
/* Says so once, in the log. */
void control_removed_notice(struct control *c);
/* Tells nodes that take themselves for members that they are none. */
void control_removed_tell(struct control *c);
/* A snapshot from a node that does not lead: it can only say that this node was removed. Returns whether it was taken
 * over. */
bool control_removed_learn(struct control *c, const char *from, struct cluster_state *s);
void control_removed_reset(struct control *c, struct call *call);

/* ---- members.c ---- */
struct member *control_member_find(const struct control *c, const char *id);
/* Peers for exactly the members of the state, at their addresses. */
void control_members_sync(struct control *c);
void control_members_announced(struct control *c, const struct cluster_node_info *info);
void control_members_release(struct control *c);

/* ---- join.c ---- */
void control_join_start(struct control *c);
void control_join_dial(struct control *c); /* connects to the join addresses */
void control_join_tick(struct control *c);
void control_join_announced(struct control *c, const struct message_announce *a);
/* What a member or a candidate says of itself; NULL: it is neither. */
const struct cluster_node_info *control_info_of(const struct control *c, const char *id);
/* Somebody who is no member has announced himself: for the leader's table, here or there. */
void control_join_candidate(struct control *c, const struct cluster_node_info *info);
void control_join_release(struct control *c);

/* ---- known.c ---- */
/* The newest metadata this node has; never NULL. Valid until control returns to its loop, or changes it. */
const struct cluster_state *control_state(const struct control *c);
/* "" if none is known. */
const char *control_leader(const struct control *c);
uint64_t control_term(const struct control *c);
int control_known_pulse(struct control *c, struct bus_link *from, const struct message_pulse *m, struct error *e);
int control_known_snapshot(struct control *c, struct bus_link *from, const struct message_snapshot *m, struct error *e);
int control_known_delta(struct control *c, struct bus_link *from, const struct message_delta *m, struct error *e);
/* Takes over newer metadata. */
void control_known_install(struct control *c, struct cluster_state *s);
void control_known_release(struct control *c);

/* ---- persist.c ---- */
/* Reads the file. A damaged one is no error: the leader pushes its content anew. */
int control_persist_load(struct control *c, struct error *e);
/* Writes the file if there is something new. */
void control_persist_tick(struct control *c);
/* The same, and waits for it; not while persist_running. */
void control_persist_now(struct control *c);

/* ---- push.c ---- */
void control_push_begin(struct control *c); /* a reign begins */
void control_push_pulse(struct control *c);
void control_push_changes(struct control *c);
void control_push_applied(struct control *c, struct bytes command);
/* The whole state over one link; `term` 0: this node does not lead. */
void control_push_snapshot(struct control *c, struct bus_link *to, uint64_t term);
int control_push_acknowledged(struct control *c, struct bus_link *from, const struct message_pulse_ack *ack,
                              struct error *e);
void control_push_link_down(struct control *c, uint64_t link_id);

/* ---- load.c ---- */
void control_load_init(struct control *c);
void control_load_release(struct control *c);
void control_load_begin(struct control *c); /* a reign begins */
/* Reports to the leader if it is time. */
void control_load_tick(struct control *c);
/* Whether a report of this node is looked at now: those that come too fast are left out unread. */
bool control_load_is_due(const struct control *c, const char *node);
int control_load_reported(struct control *c, struct bus_link *from, const struct message_load *m, struct error *e);
int control_load_acknowledged(struct control *c, struct bus_link *from, const struct message_load_ack *m, struct error *e);

/* ---- reign.c ---- */
/* Proposes what the record of a member lacks: reachability, new addresses. */
void control_reign_tick(struct control *c);
/* What policies see beside the state. Release it. */
void control_reign_live(struct control *c, struct cluster_live *out);
/* The node's role in libraft's configuration now. */
enum cluster_role control_reign_role(const struct control *c, const struct cluster_node *n);
/* Whether the member has acknowledged metadata in which it is a member. */
bool control_reign_has_metadata(const struct control *c, const char *node);

/* ---- runner.c ---- */
void control_runner_begin(struct control *c); /* a reign begins */
void control_runner_advance(struct control *c);
/* EVAL RUN: the next run started gets these steps (taken over), which were made from `s`. False: another is being
 * started. */
bool control_runner_offer(struct control *c, struct script_steps *steps, const struct cluster_state *s);
void control_runner_eval_started(struct control *c, uint64_t run); /* 0: it was not */
void control_runner_release(struct control *c);
/* The run if it is active and this node leads; else NULL. */
const struct cluster_run *control_runner_active(struct control *c, uint64_t id);
/* The step of the present round that a proposal was for, by its ticket; NULL: it was for another round. */
struct step_under_way *control_runner_step(struct control *c, uint64_t ticket);
uint64_t control_runner_ticket(const struct control *c, uint32_t index);
/* Records what became of a step. */
void control_runner_record(struct control *c, const struct cluster_run *run, uint32_t index,
                           enum cluster_step_status status, const char *error);

/* ---- triggers.c ---- */
void control_triggers_begin(struct control *c); /* a reign begins */
void control_triggers_advance(struct control *c);
void control_triggers_applied(struct control *c, struct bytes command);
/* An operator's run was refused because another is active: triggers leave him time to repeat it when that has ended. */
void control_triggers_stay_back(struct control *c);
/* What the leader sees now; brings c->triggers.memory up to date. */
void control_triggers_look(struct control *c, struct trigger_facts *out);
void control_triggers_release(struct control *c);

/* ---- applied_log.c ---- */
void control_log_applied(struct control *c, struct bytes command, const struct cluster_result *result);
/* A step for people: "admit 9a571de7 [2 vm]". */
void control_step_text(struct control *c, const struct cluster_step *step, char *out, size_t size);

/* ---- dismissal.c ---- */
/* A command that changed the state: notes whom it took out of the cluster. */
void control_dismissal_applied(struct control *c, struct bytes command);
/* Whether the step takes the last of a node that counts in majorities of MetaRaft still: it has to wait. A node that is
 * told that it has no part any more goes at once, and must be missed by nobody. */
bool control_dismissal_early(struct control *c, const struct cluster_step *step);

/* ---- effect.c ---- */
/* Goes on with a step that has started. */
void control_effect_advance(struct control *c, const struct cluster_run *run, uint32_t index);

/* ---- calls.c ---- */
/* From the data thread's message. */
void control_calls_deliver(struct mailbox_message *m, void *user);
int control_calls_remote(struct control *c, struct bus_link *from, const struct message_call *m, struct error *e);
int control_calls_reply(struct control *c, struct bus_link *from, const struct message_call_reply *m, struct error *e);
void control_calls_tick(struct control *c);                     /* every call: deadlines, the leader, what comes next */
void control_calls_fail_all(struct control *c);                 /* at the end */
struct call *control_call_find(struct control *c, uint64_t id); /* NULL: it has ended */
void control_call_end(struct control *c, struct call *call);    /* frees it */

/* ---- call_reply.c ---- */
/* Posts replies that wait for room in the data thread's mailbox. */
void control_outbox_flush(struct control *c);
/* What could not be posted is handed over directly, on the data thread. */
void control_outbox_release(struct control *c);
/* Sends an answer to the node that asked. */
void control_call_answer(struct control *c, uint64_t link_id, uint64_t request, enum message_outcome outcome,
                         struct bytes reply);
/* For what carries calls out. A reply is begun with a writer to a buffer that this makes. */
struct resp_writer control_call_writer(const struct call *call, struct buffer *b);
/* Each of these ends the call and frees it. */
void control_call_reply(struct control *c, struct call *call, struct buffer *reply); /* releases the buffer */
void control_call_ok(struct control *c, struct call *call);
void control_call_integer(struct control *c, struct call *call, uint64_t value);
void control_call_error(struct control *c, struct call *call, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void control_call_error_of(struct control *c, struct call *call, const struct error *e);
/* These set `busy` until it is done, then `advance` is called; or end the call with an error (false). */
bool control_call_propose(struct control *c, struct call *call, const struct cluster_command *command,
                          control_proposed done);
bool control_call_submit(struct control *c, struct call *call, struct policy_job *job);
/* It did nothing yet, and its outcome would be another node's matter: it looks for the leader anew. */
void control_call_again(struct control *c, struct call *call);
/* Moves to a stage, whose time begins now. */
void control_call_stage(struct control *c, struct call *call, unsigned stage);

/* What ends a proposal of a call (`number` is the call's id). */
void control_call_proposed(struct control *c, const struct cluster_result *result, uint64_t number, const char *node);

/* ---- call_commands.c: the table; admin.c, slots_command.c, script_*.c: its functions ---- */
struct call_command {
    const char *group, *name; /* "SCRIPT", "LOAD"; or NULL, "MEET" */
    int argc_min, argc_max;   /* CLUSTER counted; max 0: any */
    bool local;               /* answered by the node that is asked */
    bool repeatable;          /* may be sent again when it is not known whether it was carried out */
    call_advance advance;
};
/* The row for these arguments; NULL: `e` says what is wrong with them. */
const struct call_command *control_commands_find(int argc, const struct bytes *argv, struct error *e);
/* How long RUN WAIT may take; 0: it does not wait. */
uint64_t control_script_wait_ms(int argc, const struct bytes *argv);
/* Gives a command a copy of a script's text. */
void control_script_copy(struct cluster_command *command, struct bytes text);
/* The run that argv[3] names; NULL: there is none, which ended the call. */
const struct cluster_run *control_script_find_run(struct control *c, struct call *call);
/* A field of a map: null for NAN. */
void control_script_write_score(struct resp_writer *w, const char *name, double score);
/* Two fields of a map, error and why: what ended the run, or why its policy had nothing more to do. */
void control_script_write_reason(struct resp_writer *w, const struct cluster_run *run);

/* script_params.c: names and values, in pairs, from argv[from]; free them. NULL with `e`. */
struct cluster_param *control_script_params(const struct call *call, int from, uint32_t *count, struct error *e);
void control_script_params_free(struct cluster_param *params, uint32_t count);
/* Has the script look at them, as control_call_submit. */
struct script_found;
void control_script_params_check(struct control *c, struct call *call, const struct script_found *found,
                                 const struct cluster_param *params, uint32_t count);

void control_admin_members(struct control *c, struct call *call);
void control_admin_status(struct control *c, struct call *call);
void control_admin_help(struct control *c, struct call *call);
void control_admin_add_learner(struct control *c, struct call *call);
void control_admin_promote(struct control *c, struct call *call);
void control_admin_meet(struct control *c, struct call *call);
void control_dismiss_demote(struct control *c, struct call *call);
void control_dismiss_remove(struct control *c, struct call *call);
void control_dismiss_transfer(struct control *c, struct call *call);
void control_dismiss_forget(struct control *c, struct call *call);
void control_slots_add(struct control *c, struct call *call);
void control_slots_add_range(struct control *c, struct call *call);
void control_slots_replicate(struct control *c, struct call *call);
void control_slots_add_replication(struct control *c, struct call *call);
void control_script_load(struct control *c, struct call *call);
void control_script_list(struct control *c, struct call *call);
void control_script_get(struct control *c, struct call *call);
void control_script_run(struct control *c, struct call *call);
void control_script_eval(struct control *c, struct call *call);
void control_script_status(struct control *c, struct call *call);
void control_script_view(struct control *c, struct call *call);
void control_script_versions(struct control *c, struct call *call);
void control_script_delete(struct control *c, struct call *call);
void control_script_rollback(struct control *c, struct call *call);
void control_script_plan(struct control *c, struct call *call);
void control_script_history(struct control *c, struct call *call);
void control_script_cancel(struct control *c, struct call *call);
void control_script_pause(struct control *c, struct call *call);
void control_script_resume(struct control *c, struct call *call);
void control_script_trigger(struct control *c, struct call *call);
void control_script_help(struct control *c, struct call *call);

/* ---- publish.c ---- */
/* What messages between the threads may take; a message under way keeps it. */
struct control_room *control_room_new(void);
void control_room_release(struct control_room *room);
int control_publish_received(struct control *c, struct bus_link *from, const struct message_publish *m, struct error *e);

#endif
