#include "net/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Fetching an algorithm costs more than the MAC of a small frame, so it is done once a process, and a thread keeps its
 * context. Neither holds state between calls that a caller could see. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MAC *hmac;
static EVP_KDF *hkdf;

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "libcrypto: %s: %s\n", what, ERR_error_string(ERR_get_error(), NULL));
    abort();
}

static void free_context(void *context)
{
    EVP_MAC_CTX_free(context);
}

static void fetch(void)
{
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    must(hmac, "fetching HMAC");
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    must(hkdf, "fetching HKDF");
    must(pthread_key_create(&context_key, free_context) == 0, "making a thread key");
}

static EVP_MAC_CTX *thread_context(void)
{
    pthread_once(&once, fetch);
    EVP_MAC_CTX *context = pthread_getspecific(context_key);
    if (context) return context;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    context = EVP_MAC_CTX_new(hmac);
    must(context && EVP_MAC_CTX_set_params(context, params), "making an HMAC context");
    must(pthread_setspecific(context_key, context) == 0, "keeping an HMAC context");
    return context;
}

void crypto_mac(const uint8_t key[CRYPTO_MAC_SIZE], const struct bytes *parts, size_t count,
                uint8_t out[CRYPTO_MAC_SIZE])
{
    EVP_MAC_CTX *context = thread_context();
    must(EVP_MAC_init(context, key, CRYPTO_MAC_SIZE, NULL), "keying HMAC");
    for (size_t i = 0; i < count; i++)
        if (parts[i].len) must(EVP_MAC_update(context, parts[i].data, parts[i].len), "HMAC");
    size_t len = 0;
    must(EVP_MAC_final(context, out, &len, CRYPTO_MAC_SIZE) && len == CRYPTO_MAC_SIZE, "finishing HMAC");
}

/* libcrypto refuses NULL, and takes parameters as pointers to what it does not change. */
static OSSL_PARAM octets(const char *name, struct bytes value)
{
    static uint8_t nothing;
    return OSSL_PARAM_construct_octet_string(name, value.len ? (void *)(uintptr_t)value.data : &nothing, value.len);
}

void crypto_derive(struct bytes secret, struct bytes salt, const char *info, uint8_t out[CRYPTO_MAC_SIZE])
{
    pthread_once(&once, fetch);
    char digest[] = "SHA256";
    OSSL_PARAM params[5] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_INFO, bytes_text(info)),
    };
    params[3] = salt.len ? octets(OSSL_KDF_PARAM_SALT, salt) : OSSL_PARAM_construct_end();
    params[4] = OSSL_PARAM_construct_end();
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(hkdf);
    must(context && EVP_KDF_derive(context, out, CRYPTO_MAC_SIZE, params) > 0, "HKDF");
    EVP_KDF_CTX_free(context);
}

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wipe(void *memory, size_t len)
{
    OPENSSL_cleanse(memory, len);
}
