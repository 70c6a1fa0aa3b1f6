/* The handshake against somebody who does not know the secret, and somebody who does but says what he likes.
 *
 * Input: a byte (bit 0: we begin; bit 1: the MACs of the other side are put right; the rest: size of the pieces), then
 * what the other side sends. Without the secret it never ends well; with it, it ends well only for a proper identity of
 * no foreign cluster. */
#include <stdio.h>
#include <stdlib.h>

#include "net/crypto.h"
#include "net/handshake.h"

#define MESSAGE_SIZE 118

static const struct handshake_identity self = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                               "1111111111111111111111111111111111111111"};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool is_hex(const char *id)
{
    return strlen(id) == HANDSHAKE_NODE_ID_LEN && strspn(id, "0123456789abcdef") == HANDSHAKE_NODE_ID_LEN;
}

static void check_done(const struct handshake *h)
{
    must(is_hex(h->peer.node_id) && strcmp(h->peer.node_id, self.node_id) != 0, "the peer has an id, and not ours");
    must(!h->peer.cluster_id[0] || strcmp(h->peer.cluster_id, self.cluster_id) == 0,
         "it is of our cluster, or of none");
    must(h->purpose >= BUS_CONTROL && h->purpose <= BUS_MIGRATION, "it wants something we know");
    must(memcmp(h->send_key, h->receive_key, FRAME_KEY_SIZE) != 0, "each direction has its key");
}

/* Feeds `input` in pieces, from memory of its exact size. */
static enum handshake_status feed(struct handshake *h, struct bytes input, size_t piece, struct buffer *output)
{
    enum handshake_status status = HANDSHAKE_MORE;
    for (size_t at = 0, end = 0; end < input.len && status == HANDSHAKE_MORE;) {
        end = input.len - end > piece ? end + piece : input.len;
        uint8_t *copy = malloc(end - at);
        memcpy(copy, input.data + at, end - at);
        size_t used;
        struct error e = {0};
        status = handshake_step(h, bytes_of(copy, end - at), &used, output, &e);
        must(used <= end - at, "no more is taken than there is");
        must((status == HANDSHAKE_FAILED) == (e.text[0] != 0), "a failure has a text");
        must(output->len <= HANDSHAKE_INPUT_MAX && !output->failed, "little is said");
        at += used;
        free(copy);
    }
    return status;
}

static void prove(const char *role, struct bytes first, struct bytes second, uint8_t mac[CRYPTO_MAC_SIZE])
{
    uint8_t master[CRYPTO_MAC_SIZE];
    crypto_derive(bytes_text("secret"), (struct bytes){0}, "aikv bus 1", master);
    struct bytes parts[] = {bytes_text(role), first, second};
    crypto_mac(master, parts, 3, mac);
}

/* The other side knows the secret: what it says is proved. `said` is what we have sent. */
static enum handshake_status feed_proved(struct handshake *h, struct bytes message, size_t piece, struct buffer *said)
{
    struct buffer reply;
    buffer_init(&reply, 1024);
    uint8_t mac[CRYPTO_MAC_SIZE];
    enum handshake_status status;
    if (h->initiator) {
        prove("acceptor", buffer_bytes(said), message, mac);
        buffer_append(&reply, message.data, message.len);
        buffer_append(&reply, mac, sizeof mac);
        status = feed(h, buffer_bytes(&reply), piece, said);
    } else {
        status = feed(h, message, piece, said);
        if (status == HANDSHAKE_MORE) {
            prove("initiator", message, buffer_bytes(said), mac);
            status = feed(h, bytes_of(mac, sizeof mac), piece, said);
        }
    }
    must(status != HANDSHAKE_MORE, "three messages are enough");
    buffer_release(&reply);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    bool initiator = data[0] & 1, proved = data[0] & 2;
    size_t piece = (size_t)(data[0] >> 2) + 1, used;
    struct bytes input = {data + 1, size - 1};
    if (proved && input.len < MESSAGE_SIZE) return 0;
    struct handshake h;
    struct buffer output;
    buffer_init(&output, 4096);
    handshake_init(&h, initiator, BUS_CONTROL, &self, bytes_text("secret"),
                   (const uint8_t *)"a nonce that consists of 32 bytes");
    if (initiator) handshake_step(&h, (struct bytes){0}, &used, &output, NULL);
    enum handshake_status status = proved ? feed_proved(&h, bytes_of(input.data, MESSAGE_SIZE), piece, &output)
                                          : feed(&h, input, piece, &output);
    must(proved || status != HANDSHAKE_DONE, "nobody gets in without the secret");
    if (status == HANDSHAKE_DONE) check_done(&h);
    buffer_release(&output);
    return 0;
}
