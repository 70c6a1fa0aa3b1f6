/* What the frames of the bus carry, for control: structs, encoders, decoders (layout of RAFT's payload: meta/wire.h
 * behind the prefix here). Pure. Decoders take hostile bytes: everything is bounded and checked, and what they return
 * points into the input.
 *
 *   ANNOUNCE           node info · cluster id · leader id
 *   PULSE              term · sequence · version
 *   PULSE_ACK          sequence · version
 *   METADATA_SNAPSHOT  term · sequence · encoded state
 *   METADATA_DELTA     term · sequence · from version · count · encoded commands
 *   CALL               request · protocol(1) · count · arguments
 *   CALL_REPLY         request · outcome(1) · reply as RESP
 *   CANDIDATE          node info
 *   RAFT               to · from (raft ids) · libraft's message
 *   LOAD               sequence · keys · thousandths of commands a second · uptime, ms · bytes of disk, their limit, of memory, their limit · count ·
 *                      slots: each how many were left out before it · keys · bytes · thousandths of commands a second, as varints
 *   LOAD_ACK           sequence
 *   PUBLISH            channel · message */
#ifndef AIKV_CONTROL_MESSAGE_H
#define AIKV_CONTROL_MESSAGE_H

#include "base/codec.h"
#include "cluster/live.h"

#define MESSAGE_ARGS_MAX 20000 /* ADDSLOTS with every slot fits */

struct message_announce {
    struct cluster_node_info info;
    char cluster_id[CLUSTER_ID_LEN + 1]; /* "": none */
    char leader[CLUSTER_ID_LEN + 1];     /* "": none known; without a cluster its own id: it is to found one */
};
void message_announce_write(struct buffer *b, const struct message_announce *m);
int message_announce_read(struct bytes in, struct message_announce *out, struct error *e);

/* Sequences rise with everything that a leader sends to anybody; an answer names the one it answers. */
struct message_pulse {
    uint64_t term, sequence, version;
};
void message_pulse_write(struct buffer *b, const struct message_pulse *m);
int message_pulse_read(struct bytes in, struct message_pulse *out, struct error *e);

struct message_pulse_ack {
    uint64_t sequence; /* of the frame it answers */
    uint64_t version;  /* of the metadata that the node has now; 0: none */
};
void message_pulse_ack_write(struct buffer *b, const struct message_pulse_ack *m);
int message_pulse_ack_read(struct bytes in, struct message_pulse_ack *out, struct error *e);

struct message_snapshot {
    uint64_t term, sequence;
    struct bytes state;
};
void message_snapshot_write(struct buffer *b, const struct message_snapshot *m);
int message_snapshot_read(struct bytes in, struct message_snapshot *out, struct error *e);

struct message_delta {
    uint64_t term, sequence, from_version;
    uint32_t count;
    struct bytes commands; /* `count` of them, each with its length: read_bytes */
};
void message_delta_write(struct buffer *b, const struct message_delta *m);
/* That `commands` holds `count` of them is checked. */
int message_delta_read(struct bytes in, struct message_delta *out, struct error *e);

struct message_call {
    uint64_t request; /* the asking node's number for it */
    int protocol;
    int argc;
    struct bytes *argv; /* owned by the struct after reading; the bytes are the input's */
};
void message_call_write(struct buffer *b, const struct message_call *m);
/* On success free argv. */
int message_call_read(struct bytes in, struct message_call *out, struct error *e);

enum message_outcome { MESSAGE_ANSWERED, MESSAGE_NOT_LEADER };
struct message_call_reply {
    uint64_t request;
    enum message_outcome outcome; /* NOT_LEADER: nothing was done */
    struct bytes reply;
};
void message_call_reply_write(struct buffer *b, const struct message_call_reply *m);
int message_call_reply_read(struct bytes in, struct message_call_reply *out, struct error *e);

int message_candidate_read(struct bytes in, struct cluster_node_info *out, struct error *e);

struct message_raft {
    uint64_t to, from;
    struct bytes message;
};
void message_raft_write(struct buffer *b, const struct message_raft *m);
int message_raft_read(struct bytes in, struct message_raft *out, struct error *e);

struct message_load_slot {
    unsigned slot;
    uint64_t keys, bytes, milliops; /* at most CLUSTER_LOAD_MAX each */
};
#define MESSAGE_LOAD_SLOT_MAX  (3 + 3 * 7)             /* one as bytes */
#define MESSAGE_LOAD_SLOTS_MAX ((256u << 10) - 9 * 8)  /* all of a frame */
/* Appends one. They must rise; `after` is the last one's number plus 1, 0 at first. */
void message_load_slot_write(struct buffer *b, unsigned *after, const struct message_load_slot *s);

struct message_load {
    uint64_t sequence; /* of this node's reports */
    struct cluster_node_load node;
    uint32_t count;
    struct bytes slots; /* `count` of them */
};
void message_load_write(struct buffer *b, const struct message_load *m);
/* That `slots` holds `count` different ones within their bounds is checked. */
int message_load_read(struct bytes in, struct message_load *out, struct error *e);

/* The slots of a message that was read, in order. */
struct message_load_reader {
    struct reader in;
    unsigned after;
};
struct message_load_reader message_load_slots(const struct message_load *m);
bool message_load_next(struct message_load_reader *r, struct message_load_slot *out);

struct message_load_ack {
    uint64_t sequence;
};
void message_load_ack_write(struct buffer *b, const struct message_load_ack *m);
int message_load_ack_read(struct bytes in, struct message_load_ack *out, struct error *e);

struct message_publish {
    struct bytes channel, text;
};
void message_publish_write(struct buffer *b, const struct message_publish *m);
int message_publish_read(struct bytes in, struct message_publish *out, struct error *e);

/* Whether text is an id: 40 lower-case hex digits. */
bool message_is_id(const char *text);

#endif
