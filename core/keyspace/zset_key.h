/* How members and scores are written: in packed elements and the linear hash as member and score, in the tree as one key. Within zset*.c; keys of the tree also for
 * hash_expiry.c, whose fields are in order of their expiry. */
#ifndef AIKV_KEYSPACE_ZSET_KEY_H
#define AIKV_KEYSPACE_ZSET_KEY_H

#include <endian.h>

#include "keyspace/zset.h"

#define ZSET_SCORE 8 /* bytes */

/* Bytes that order as the score does: a double's bits with the sign turned, big endian. Both zeros are one; the tree's mark tells which it was. */
static inline uint64_t zset_order(double score)
{
    uint64_t bits;
    score = score == 0 ? 0 : score;
    memcpy(&bits, &score, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static inline double zset_score_of_order(uint64_t order)
{
    uint64_t bits = order >> 63 ? order & ~((uint64_t)1 << 63) : ~order;
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* ---- member and score ---- */

static inline struct bytes zset_score_write(uint8_t out[ZSET_SCORE], double score)
{
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits = htole64(bits);
    memcpy(out, &bits, sizeof bits);
    return bytes_of(out, ZSET_SCORE);
}

static inline double zset_score_read(struct bytes value)
{
    uint64_t bits = 0;
    double score;
    memcpy(&bits, value.data, value.len < sizeof bits ? value.len : sizeof bits);
    bits = le64toh(bits);
    memcpy(&score, &bits, sizeof score);
    return score;
}

static inline struct keyspace_scored zset_scored(const struct element *el)
{
    return (struct keyspace_scored){el->key, zset_score_read(el->value)};
}

/* ---- the tree's keys ---- */

/* A key being made: order(8, big endian) · member. Released by zset_key_release. */
struct zset_key {
    struct bytes bytes;
    uint8_t *heap;
    uint8_t room[256];
};
void zset_key_make(struct zset_key *k, uint64_t order, struct bytes member);
void zset_key_release(struct zset_key *k);

static inline struct keyspace_scored zset_scored_of_key(const struct element *el)
{
    uint64_t order;
    memcpy(&order, el->key.data, ZSET_SCORE);
    double score = zset_score_of_order(be64toh(order));
    return (struct keyspace_scored){bytes_of(el->key.data + ZSET_SCORE, el->key.len - ZSET_SCORE), el->mark ? -score : score};
}

#endif
