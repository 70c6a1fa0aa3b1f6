/* The two primitives of the bus, from OpenSSL. Private to core/net. */
#ifndef AIKV_NET_CRYPTO_H
#define AIKV_NET_CRYPTO_H

#include "base/bytes.h"

#define CRYPTO_MAC_SIZE 32

/* HMAC-SHA-256 over the parts, one after the other. Any thread. Aborts when libcrypto cannot do it: nothing may ever be
 * sent, or taken for genuine, without a MAC. */
void crypto_mac(const uint8_t key[CRYPTO_MAC_SIZE], const struct bytes *parts, size_t count,
                uint8_t out[CRYPTO_MAC_SIZE]);
/* HKDF-SHA-256 (RFC 5869), extract and expand, 32 bytes. `salt` may be empty, `secret` too. Aborts likewise. */
void crypto_derive(struct bytes secret, struct bytes salt, const char *info, uint8_t out[CRYPTO_MAC_SIZE]);
/* Whether two MACs agree, in a time that does not tell where they differ. */
bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len);
/* Clears memory that held a key, and is not optimised away. */
void crypto_wipe(void *memory, size_t len);

#endif
