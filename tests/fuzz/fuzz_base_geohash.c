/* Any numbers as scores, positions and sizes of shapes: places stay on the map, ranges are ranges, and the search's own cell is among them.
 *
 * Input: a score, a longitude, a latitude, a width (or radius), a height, as doubles; then a byte: whether it is a box. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/geohash.h"

struct input {
    double score, longitude, latitude, width_m, height_m;
};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void decode(double score)
{
    struct geohash_point p = geohash_decode_score(score);
    char text[GEOHASH_TEXT_SIZE];
    must(geohash_is_valid(p), "a score is a place on the map");
    geohash_text(p, text);
    must(strlen(text) == GEOHASH_TEXT_SIZE - 1, "which has a text");
    struct geohash_point again = geohash_decode(geohash_encode(p));
    must(geohash_distance_m(p, again) < 2, "and is found again");
}

static void search(const struct input *in, bool is_box)
{
    struct geohash_shape s = {{in->longitude, in->latitude}, is_box, in->width_m, in->width_m, in->height_m};
    struct geohash_range ranges[GEOHASH_COVER_MAX];
    double distance, score;
    if (!geohash_is_valid(s.center) || !(in->width_m >= 0) || !(in->height_m >= 0)) return;
    size_t count = geohash_cover(&s, ranges);
    must(count >= 1 && count <= GEOHASH_COVER_MAX, "a shape has some ranges");
    for (size_t i = 0; i < count; i++) must(ranges[i].from < ranges[i].to, "none is empty");
    score = (double)geohash_encode(s.center);
    must(score >= ranges[0].from && score < ranges[0].to, "the first has the middle");
    struct geohash_point p = geohash_decode_score(in->score);
    if (geohash_within(&s, p, &distance)) must(distance >= 0 && isfinite(distance), "a distance is a number");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    if (size != sizeof in + 1) return 0;
    memcpy(&in, data, sizeof in);
    decode(in.score);
    search(&in, data[sizeof in] & 1);
    return 0;
}
