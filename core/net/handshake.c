#include "net/handshake.h"

#include <assert.h>

#include "base/codec.h"
#include "net/crypto.h"

#define MAGIC        "AiKB"
#define VERSION      1
#define NONCE_SIZE   32
#define NONCE_AT     6 /* behind magic, version and purpose */
#define MESSAGE_SIZE (NONCE_AT + NONCE_SIZE + 2 * HANDSHAKE_NODE_ID_LEN)
#define REPLY_SIZE   (MESSAGE_SIZE + CRYPTO_MAC_SIZE)

_Static_assert(MESSAGE_SIZE + REPLY_SIZE <= HANDSHAKE_INPUT_MAX, "the transcript holds messages 1 and 2");

enum { BEGIN, AWAIT_HELLO, AWAIT_REPLY, AWAIT_PROOF, ENDED };

static bool is_hex_id(const uint8_t *id)
{
    for (size_t i = 0; i < HANDSHAKE_NODE_ID_LEN; i++)
        if (!((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f'))) return false;
    return true;
}

static bool is_zeros(const uint8_t *id)
{
    static const uint8_t zeros[HANDSHAKE_NODE_ID_LEN];
    return memcmp(id, zeros, HANDSHAKE_NODE_ID_LEN) == 0;
}

void handshake_init(struct handshake *h, bool initiator, enum bus_purpose purpose,
                    const struct handshake_identity *self, struct bytes secret, const uint8_t nonce[32])
{
    assert(is_hex_id((const uint8_t *)self->node_id));
    assert(!self->cluster_id[0] || is_hex_id((const uint8_t *)self->cluster_id));
    *h = (struct handshake){
        .initiator = initiator, .state = initiator ? BEGIN : AWAIT_HELLO, .purpose = purpose, .self = *self};
    memcpy(h->nonce, nonce, NONCE_SIZE);
    crypto_derive(secret, (struct bytes){0}, "aikv bus 1", h->master);
}

/* ---- what both messages share ---- */

static void remember(struct handshake *h, const void *data, size_t len)
{
    assert(len <= sizeof h->transcript - h->transcript_len);
    memcpy(h->transcript + h->transcript_len, data, len);
    h->transcript_len += len;
}

static void write_id(struct buffer *b, const char *id)
{
    static const char none[HANDSHAKE_NODE_ID_LEN];
    buffer_append(b, id[0] ? id : none, HANDSHAKE_NODE_ID_LEN);
}

/* Appends message 1, or 2 without its MAC, to the output and the transcript. */
static bool write_message(struct handshake *h, struct buffer *output)
{
    if (!buffer_reserve(output, REPLY_SIZE)) return false;
    size_t start = output->len;
    buffer_append(output, MAGIC, 4);
    write_u8(output, VERSION);
    write_u8(output, (uint8_t)h->purpose);
    buffer_append(output, h->nonce, NONCE_SIZE);
    write_id(output, h->self.node_id);
    write_id(output, h->self.cluster_id);
    remember(h, output->data + start, MESSAGE_SIZE);
    return true;
}

/* Whether what is there so far can be a message of ours; rubbish is refused at its first wrong byte. */
static bool may_be_message(struct bytes input, struct error *e)
{
    size_t seen = input.len < 4 ? input.len : 4;
    if (seen && memcmp(input.data, MAGIC, seen) != 0) {
        error_set(e, ERROR_FORMAT, "does not speak the protocol of the AiKv bus");
        return false;
    }
    if (input.len > 4 && input.data[4] != VERSION) {
        error_set(e, ERROR_FORMAT, "speaks version %u of the bus, this node %d", input.data[4], VERSION);
        return false;
    }
    return true;
}

/* Takes the other side's message 1 or 2 (without MAC) apart. */
static bool read_message(struct handshake *h, const uint8_t *message, struct error *e)
{
    unsigned purpose = message[5];
    const uint8_t *node = message + NONCE_AT + NONCE_SIZE, *cluster = node + HANDSHAKE_NODE_ID_LEN;
    if (purpose < BUS_CONTROL || purpose > BUS_MIGRATION || (h->initiator && purpose != (unsigned)h->purpose)) {
        error_set(e, ERROR_FORMAT, "names an unexpected purpose %u", purpose);
        return false;
    }
    if (!is_hex_id(node) || !(is_zeros(cluster) || is_hex_id(cluster))) {
        error_set(e, ERROR_FORMAT, "names no proper node and cluster id");
        return false;
    }
    h->purpose = (enum bus_purpose)purpose;
    memcpy(h->peer.node_id, node, HANDSHAKE_NODE_ID_LEN);
    memcpy(h->peer.cluster_id, cluster, HANDSHAKE_NODE_ID_LEN);
    remember(h, message, MESSAGE_SIZE);
    return true;
}

static void prove(const struct handshake *h, const char *role, uint8_t mac[CRYPTO_MAC_SIZE])
{
    struct bytes parts[] = {bytes_text(role), bytes_of(h->transcript, h->transcript_len)};
    crypto_mac(h->master, parts, 2, mac);
}

/* Whether we want to be linked to who that is. */
static bool acceptable(const struct handshake *h, struct error *e)
{
    const struct handshake_identity *self = &h->self, *peer = &h->peer;
    if (strcmp(self->node_id, peer->node_id) == 0) {
        error_set(e, ERROR_EXISTS, "has this node's own id %s: a connection to ourselves, or a copied data directory",
                  peer->node_id);
        return false;
    }
    if (self->cluster_id[0] && peer->cluster_id[0] && strcmp(self->cluster_id, peer->cluster_id) != 0) {
        error_set(e, ERROR_FOREIGN, "node %s belongs to another cluster (%s)", peer->node_id, peer->cluster_id);
        return false;
    }
    return true;
}

static enum handshake_status fail(struct handshake *h)
{
    h->state = ENDED;
    crypto_wipe(h->master, sizeof h->master);
    return HANDSHAKE_FAILED;
}

static enum handshake_status out_of_memory(struct handshake *h, struct error *e)
{
    error_set(e, ERROR_OOM, "no memory for a message of the handshake");
    return fail(h);
}

static enum handshake_status finish(struct handshake *h)
{
    /* The transcript is: message 1 with nonce A, message 2 with nonce B. */
    uint8_t salt[2 * NONCE_SIZE];
    memcpy(salt, h->transcript + NONCE_AT, NONCE_SIZE);
    memcpy(salt + NONCE_SIZE, h->transcript + MESSAGE_SIZE + NONCE_AT, NONCE_SIZE);
    struct bytes master = bytes_of(h->master, sizeof h->master), nonces = bytes_of(salt, sizeof salt);
    crypto_derive(master, nonces, "initiator to acceptor", h->initiator ? h->send_key : h->receive_key);
    crypto_derive(master, nonces, "acceptor to initiator", h->initiator ? h->receive_key : h->send_key);
    crypto_wipe(h->master, sizeof h->master);
    h->state = ENDED;
    return HANDSHAKE_DONE;
}

/* ---- the steps ---- */

static enum handshake_status begin(struct handshake *h, struct buffer *output, struct error *e)
{
    if (!write_message(h, output)) return out_of_memory(h, e);
    h->state = AWAIT_REPLY;
    return HANDSHAKE_MORE;
}

static enum handshake_status take_hello(struct handshake *h, struct bytes input, size_t *used, struct buffer *output,
                                        struct error *e)
{
    if (!may_be_message(input, e)) return fail(h);
    if (input.len < MESSAGE_SIZE) return HANDSHAKE_MORE;
    *used = MESSAGE_SIZE;
    if (!read_message(h, input.data, e)) return fail(h);
    if (!write_message(h, output)) return out_of_memory(h, e);
    uint8_t mac[CRYPTO_MAC_SIZE];
    prove(h, "acceptor", mac);
    buffer_append(output, mac, sizeof mac);
    remember(h, mac, sizeof mac);
    /* Judged behind the reply, so that the other side can say the same to its operator. */
    if (!acceptable(h, e)) return fail(h);
    h->state = AWAIT_PROOF;
    return HANDSHAKE_MORE;
}

static enum handshake_status take_reply(struct handshake *h, struct bytes input, size_t *used, struct buffer *output,
                                        struct error *e)
{
    if (!may_be_message(input, e)) return fail(h);
    if (input.len < REPLY_SIZE) return HANDSHAKE_MORE;
    *used = REPLY_SIZE;
    if (!read_message(h, input.data, e)) return fail(h);
    uint8_t mac[CRYPTO_MAC_SIZE];
    prove(h, "acceptor", mac);
    if (!crypto_equal(mac, input.data + MESSAGE_SIZE, sizeof mac)) {
        error_set(e, ERROR_DENIED, "does not know this node's cluster secret (the secrets differ)");
        return fail(h);
    }
    if (!acceptable(h, e)) return fail(h);
    remember(h, mac, sizeof mac);
    prove(h, "initiator", mac);
    if (!buffer_append(output, mac, sizeof mac)) return out_of_memory(h, e);
    return finish(h);
}

static enum handshake_status take_proof(struct handshake *h, struct bytes input, size_t *used, struct error *e)
{
    if (input.len < CRYPTO_MAC_SIZE) return HANDSHAKE_MORE;
    *used = CRYPTO_MAC_SIZE;
    uint8_t mac[CRYPTO_MAC_SIZE];
    prove(h, "initiator", mac);
    if (!crypto_equal(mac, input.data, sizeof mac)) {
        error_set(e, ERROR_DENIED, "does not know this node's cluster secret (the secrets differ)");
        return fail(h);
    }
    return finish(h);
}

enum handshake_status handshake_step(struct handshake *h, struct bytes input, size_t *used, struct buffer *output,
                                     struct error *e)
{
    *used = 0;
    switch (h->state) {
    case BEGIN: return begin(h, output, e);
    case AWAIT_HELLO: return take_hello(h, input, used, output, e);
    case AWAIT_REPLY: return take_reply(h, input, used, output, e);
    case AWAIT_PROOF: return take_proof(h, input, used, e);
    default: error_set(e, ERROR_GENERIC, "the handshake has ended"); return HANDSHAKE_FAILED;
    }
}
