/* The handshake that opens a bus connection: each side proves that it knows the cluster's secret, and they agree on the keys of
 * the frames. Pure: no socket, no clock; randomness is given.
 *
 * key = HKDF-SHA-256(secret, info "aikv bus 1"). Messages (all fixed size fields, little endian):
 *   1 hello   initiator → acceptor: magic "AiKB" · version · purpose · nonce A(32) · node id A(40) · cluster id A(40, zeros: none)
 *   2 reply   acceptor → initiator: magic · version · purpose · nonce B · node id B · cluster id B · HMAC(key, "acceptor" · 1 · 2 without mac)
 *   3 proof   initiator → acceptor: HMAC(key, "initiator" · 1 · 2)
 * Frame keys of both directions: HKDF(key, salt nonce A · nonce B, info direction). The acceptor allocates nothing that grows before 3.
 * Different, non-empty cluster ids: refused as FOREIGN. Without a configured secret (loopback only) the secret is empty. */
#ifndef AIKV_NET_HANDSHAKE_H
#define AIKV_NET_HANDSHAKE_H

#include "net/frame.h"

#define HANDSHAKE_NODE_ID_LEN 40
#define HANDSHAKE_INPUT_MAX   512 /* no message of the handshake is longer */

enum bus_purpose { BUS_CONTROL = 1, BUS_REPLICATION = 2, BUS_MIGRATION = 3 };

struct handshake_identity {
    char node_id[HANDSHAKE_NODE_ID_LEN + 1];
    char cluster_id[HANDSHAKE_NODE_ID_LEN + 1]; /* "" : none yet */
};

struct handshake {
    bool initiator;
    int state; /* private */
    enum bus_purpose purpose;
    struct handshake_identity self, peer; /* peer: valid when done */
    uint8_t master[FRAME_KEY_SIZE], nonce[32];
    uint8_t transcript[HANDSHAKE_INPUT_MAX];
    size_t transcript_len;
    uint8_t send_key[FRAME_KEY_SIZE], receive_key[FRAME_KEY_SIZE]; /* valid when done */
};

/* `nonce` is 32 fresh random bytes. */
void handshake_init(struct handshake *h, bool initiator, enum bus_purpose purpose, const struct handshake_identity *self,
                    struct bytes secret, const uint8_t nonce[32]);

enum handshake_status { HANDSHAKE_MORE, HANDSHAKE_DONE, HANDSHAKE_FAILED };
/* Goes on with what has been received: takes `*used` bytes of `input`, appends what is to be sent. Call once with empty input to begin.
 * DONE: peer and keys are valid; the output must still be sent. FAILED: `e` says why (wrong secret, version, foreign cluster); what is
 * in the output should still be sent, as the other side learns from it that the clusters differ. */
enum handshake_status handshake_step(struct handshake *h, struct bytes input, size_t *used, struct buffer *output, struct error *e);

#endif
