/* Places on Earth as numbers of 52 bits, and the search for those within a distance: Redis's, so that positions, distances and the order of what
 * is found are the same to the last digit.
 *
 * Longitude and latitude are cut into 2^26 steps each and their bits interleaved (Morton order, 1966; as text: Niemeyer's geohash, 2008), so that
 * places with a beginning in common are within one cell of a grid, the finer the longer it is. Latitudes end at Mercator's limit. Distances are
 * along a great circle of a sphere (haversine). Pure. */
#ifndef AIKV_BASE_GEOHASH_H
#define AIKV_BASE_GEOHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEOHASH_LONGITUDE_MAX 180.0
#define GEOHASH_LATITUDE_MAX  85.05112878

struct geohash_point { /* in degrees */
    double longitude, latitude;
};

bool geohash_is_valid(struct geohash_point p);
/* `p` is valid. */
uint64_t geohash_encode(struct geohash_point p);
/* The middle of the smallest cell. Any number is one. */
struct geohash_point geohash_decode(uint64_t bits);
/* The same of a sorted set's score, whatever it is: it becomes a number as the conversion of an x86-64 processor makes it one. */
struct geohash_point geohash_decode_score(double score);
/* The usual text of eleven characters (the last is always 0) and a NUL. `p` is valid. */
#define GEOHASH_TEXT_SIZE 12
void geohash_text(struct geohash_point p, char out[GEOHASH_TEXT_SIZE]);

double geohash_distance_m(struct geohash_point a, struct geohash_point b);

struct geohash_shape {
    struct geohash_point center;
    bool is_box;
    double radius_m;          /* of a circle */
    double width_m, height_m; /* of a box, whose sides run north and east */
};
/* Whether `p` is in the shape; then also how far from its centre. */
bool geohash_within(const struct geohash_shape *s, struct geohash_point p, double *distance_m);

/* Numbers from `from` to below `to`, as scores of a sorted set. */
struct geohash_range {
    double from, to;
};
/* Ranges that hold all numbers whose places are within the shape, and others; in Redis's order. Returns how many. */
#define GEOHASH_COVER_MAX 9
size_t geohash_cover(const struct geohash_shape *s, struct geohash_range out[GEOHASH_COVER_MAX]);

#endif
