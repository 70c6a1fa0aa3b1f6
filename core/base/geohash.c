#include "base/geohash.h"

#include <math.h>

#define STEPS           26 /* bits of a longitude, and of a latitude */
#define EARTH_RADIUS_M  6372797.560856
#define MERCATOR_MAX_M  20037726.37
#define RADIANS         (M_PI / 180.0)

/* ---- interleaving ---- */

static const uint64_t spread_masks[] = {0x0000ffff0000ffff, 0x00ff00ff00ff00ff, 0x0f0f0f0f0f0f0f0f, 0x3333333333333333, 0x5555555555555555};

/* A zero behind each bit (Stanford's bit twiddling hacks, InterleaveBMN). */
static uint64_t spread(uint32_t value)
{
    uint64_t x = value;
    for (unsigned i = 0; i < 5; i++) x = (x | x << (16 >> i)) & spread_masks[i];
    return x;
}

static uint32_t gather(uint64_t x)
{
    x &= spread_masks[4];
    for (unsigned i = 4; i > 0; i--) x = (x | x >> (16 >> i)) & spread_masks[i - 1];
    return (uint32_t)(x | x >> 16);
}

/* ---- cells ---- */

/* A cell of a grid of 2^step by 2^step; 2^step itself is what lies on the outermost edge. */
struct cell {
    uint32_t longitude, latitude;
    unsigned step;
};

struct box {
    struct geohash_point min, max;
};

static const struct box whole = {{-GEOHASH_LONGITUDE_MAX, -GEOHASH_LATITUDE_MAX}, {GEOHASH_LONGITUDE_MAX, GEOHASH_LATITUDE_MAX}};

static uint32_t index_of(double at, double min, double max, unsigned step)
{
    double offset = (at - min) / (max - min);
    return (uint32_t)(offset * (double)(1ull << step));
}

static struct cell cell_of(struct geohash_point p, const struct box *within, unsigned step)
{
    return (struct cell){index_of(p.longitude, within->min.longitude, within->max.longitude, step),
                         index_of(p.latitude, within->min.latitude, within->max.latitude, step), step};
}

static uint64_t cell_bits(const struct cell *c)
{
    return spread(c->latitude) | spread(c->longitude) << 1;
}

static double edge(uint32_t index, double min, double max, unsigned step)
{
    return min + (index * 1.0 / (double)(1ull << step)) * (max - min);
}

static struct box cell_box(const struct cell *c)
{
    const struct geohash_point *min = &whole.min, *max = &whole.max;
    return (struct box){{edge(c->longitude, min->longitude, max->longitude, c->step), edge(c->latitude, min->latitude, max->latitude, c->step)},
                        {edge(c->longitude + 1, min->longitude, max->longitude, c->step), edge(c->latitude + 1, min->latitude, max->latitude, c->step)}};
}

/* The next cell to the east and north, or, negative, west and south: around the Earth. */
static struct cell cell_beside(const struct cell *c, int east, int north)
{
    uint32_t mask = (1u << c->step) - 1;
    struct cell beside = *c;
    if (east) beside.longitude = (c->longitude + (uint32_t)east) & mask;
    if (north) beside.latitude = (c->latitude + (uint32_t)north) & mask;
    return beside;
}

/* ---- numbers and text ---- */

static double clamp(double value, double max)
{
    return value > max ? max : value < -max ? -max : value;
}

bool geohash_is_valid(struct geohash_point p)
{
    return p.longitude >= -GEOHASH_LONGITUDE_MAX && p.longitude <= GEOHASH_LONGITUDE_MAX && p.latitude >= -GEOHASH_LATITUDE_MAX &&
           p.latitude <= GEOHASH_LATITUDE_MAX;
}

uint64_t geohash_encode(struct geohash_point p)
{
    struct cell c = cell_of(p, &whole, STEPS);
    return cell_bits(&c);
}

struct geohash_point geohash_decode(uint64_t bits)
{
    struct cell c = {gather(bits >> 1), gather(bits), STEPS};
    struct box b = cell_box(&c);
    return (struct geohash_point){clamp((b.min.longitude + b.max.longitude) / 2, GEOHASH_LONGITUDE_MAX),
                                  clamp((b.min.latitude + b.max.latitude) / 2, GEOHASH_LATITUDE_MAX)};
}

struct geohash_point geohash_decode_score(double score)
{
    if (!(score < 0x1p64)) return geohash_decode(0);
    if (score >= 0) return geohash_decode((uint64_t)score);
    return geohash_decode(score > -0x1p63 ? (uint64_t)(int64_t)score : (uint64_t)1 << 63);
}

void geohash_text(struct geohash_point p, char out[GEOHASH_TEXT_SIZE])
{
    static const struct box usual = {{-180, -90}, {180, 90}};
    struct cell c = cell_of(p, &usual, STEPS);
    uint64_t bits = cell_bits(&c);
    for (unsigned i = 0; i < 10; i++) out[i] = "0123456789bcdefghjkmnpqrstuvwxyz"[bits >> (2 * STEPS - (i + 1) * 5) & 31];
    out[10] = '0'; /* of its five bits there are two: Redis takes all as 0 */
    out[11] = 0;
}

/* ---- distances ---- */

double geohash_distance_m(struct geohash_point a, struct geohash_point b)
{
    double a_latitude = a.latitude * RADIANS, b_latitude = b.latitude * RADIANS;
    double u = sin((b_latitude - a_latitude) / 2), v = sin((b.longitude * RADIANS - a.longitude * RADIANS) / 2);
    double half_chord = sqrt(u * u + cos(a_latitude) * cos(b_latitude) * v * v);
    return 2.0 * EARTH_RADIUS_M * asin(half_chord > 1 ? 1 : half_chord); /* rounding must not make it more */
}

bool geohash_within(const struct geohash_shape *s, struct geohash_point p, double *distance_m)
{
    if (s->is_box) {
        struct geohash_point beside = {s->center.longitude, p.latitude}, above = {p.longitude, s->center.latitude};
        double east = geohash_distance_m(p, beside), north = geohash_distance_m(p, above);
        if (east > s->width_m / 2 || north > s->height_m / 2) return false;
        *distance_m = geohash_distance_m(s->center, p);
        return true;
    }
    *distance_m = geohash_distance_m(s->center, p);
    return *distance_m <= s->radius_m;
}

/* ---- covering ---- */

static struct box bounds_of(const struct geohash_shape *s)
{
    double height = s->is_box ? s->height_m / 2 : s->radius_m, width = s->is_box ? s->width_m / 2 : s->radius_m;
    double north = height / EARTH_RADIUS_M / RADIANS;
    double latitude = s->center.latitude, widest = latitude < 0 ? latitude - north : latitude + north; /* where degrees are shortest */
    double east = width / EARTH_RADIUS_M / cos(widest * RADIANS) / RADIANS;
    return (struct box){{s->center.longitude - east, latitude - north}, {s->center.longitude + east, latitude + north}};
}

/* How fine a grid may be for a cell and its eight neighbours to cover the distance, more or less. */
static unsigned estimate_step(double distance_m, double latitude)
{
    if (distance_m == 0) return STEPS;
    int step = 1;
    for (; distance_m < MERCATOR_MAX_M; distance_m *= 2) step++;
    step -= 2;
    if (fabs(latitude) > 66) step--; /* cells are narrow near the poles */
    if (fabs(latitude) > 80) step--;
    return step < 1 ? 1 : step > STEPS ? STEPS : (unsigned)step;
}

/* Whether the neighbours of a cell end before `bounds` do. */
static bool ends_before(const struct cell *c, const struct box *bounds)
{
    struct cell north = cell_beside(c, 0, 1), south = cell_beside(c, 0, -1), east = cell_beside(c, 1, 0), west = cell_beside(c, -1, 0);
    return cell_box(&north).max.latitude < bounds->max.latitude || cell_box(&south).min.latitude > bounds->min.latitude ||
           cell_box(&east).max.longitude < bounds->max.longitude || cell_box(&west).min.longitude > bounds->min.longitude;
}

/* Whether the shape, which ends at `bounds`, does not reach from a cell's box to its neighbours in this direction. */
static bool is_out_of_reach(const struct box *cell, const struct box *bounds, int east, int north)
{
    return (north < 0 && cell->min.latitude < bounds->min.latitude) || (north > 0 && cell->max.latitude > bounds->max.latitude) ||
           (east < 0 && cell->min.longitude < bounds->min.longitude) || (east > 0 && cell->max.longitude > bounds->max.longitude);
}

size_t geohash_cover(const struct geohash_shape *s, struct geohash_range out[GEOHASH_COVER_MAX])
{
    static const struct {
        int east, north;
    } directions[GEOHASH_COVER_MAX] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    double radius_m = s->is_box ? sqrt((s->width_m / 2) * (s->width_m / 2) + (s->height_m / 2) * (s->height_m / 2)) : s->radius_m;
    unsigned step = estimate_step(radius_m, s->center.latitude);
    struct cell c = cell_of(s->center, &whole, step);
    struct box bounds = bounds_of(s);
    if (step > 1 && ends_before(&c, &bounds)) c = cell_of(s->center, &whole, --step);
    struct box box = cell_box(&c);
    size_t count = 0;
    for (unsigned i = 0; i < GEOHASH_COVER_MAX; i++) {
        if (step >= 2 && is_out_of_reach(&box, &bounds, directions[i].east, directions[i].north)) continue;
        struct cell beside = cell_beside(&c, directions[i].east, directions[i].north);
        uint64_t bits = cell_bits(&beside);
        unsigned shift = 2 * (STEPS - step);
        struct geohash_range range = {(double)(bits << shift), (double)((bits + 1) << shift)};
        bool again = count > 1 && out[count - 1].from == range.from; /* in a grid of two, both ways lead to the same */
        if (!again) out[count++] = range;
    }
    return count;
}
