#include "tests.h"

#include <math.h>
#include <string.h>

#include "base/geohash.h"
#include "base/number.h"
#include "base/random.h"

#define LONGITUDE GEOHASH_LONGITUDE_MAX
#define LATITUDE  GEOHASH_LATITUDE_MAX

static const struct geohash_point palermo = {13.361389, 38.115556}, catania = {15.087269, 37.502669};

static struct geohash_point random_point(uint64_t *random)
{
    double x = (double)random_below(random, 1u << 30) / (1u << 30), y = (double)random_below(random, 1u << 30) / (1u << 30);
    return (struct geohash_point){LONGITUDE * (2 * x - 1), LATITUDE * (2 * y - 1)};
}

static void test_numbers_positions_and_texts_are_those_of_redis(void **state)
{
    (void)state;
    static const struct {
        struct geohash_point p;
        double score;
        const char *longitude, *latitude, *text;
    } told[] = {
        {{13.361389, 38.115556}, 3479099956230698.0, "13.36138933897018433", "38.11555639549629859", "sqc8b49rny0"},
        {{15.087269, 37.502669}, 3479447370796909.0, "15.08726745843887329", "37.50266842333162032", "sqdtr74hyu0"},
        {{0, 0}, 3377699720527872.0, "0.00000268220901489", "0.00000126736058093", "s0000000000"},
        {{180, 85.05112878}, 13510798882111488.0, "180", "85.0511287799999991", "bp05b5048p0"},
        {{-180, -85.05112878}, 0.0, "-179.99999731779098511", "-85.05112751263942528", "00bh0hbj200"},
        {{-179.99999, 0.00001}, 1125899906842631.0, "-179.99999195337295532", "0.00000887152405227", "80000000010"},
        {{2.2945, 48.8584}, 3663832614297766.0, "2.29449838399887085", "48.85839918237243751", "u09tunquc90"},
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        double score = (double)geohash_encode(told[i].p);
        struct geohash_point p = geohash_decode_score(score);
        char text[GEOHASH_TEXT_SIZE];
        geohash_text(p, text);
        assert_true(score == told[i].score);
        char longitude[NUMBER_REAL_MAX], latitude[NUMBER_REAL_MAX];
        number_format_real(longitude, p.longitude);
        number_format_real(latitude, p.latitude);
        assert_string_equal(longitude, told[i].longitude);
        assert_string_equal(latitude, told[i].latitude);
        assert_string_equal(text, told[i].text);
    }
}

static void test_a_place_is_found_again_within_a_cell(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 100000; i++) {
        struct geohash_point p = random_point(&random), q = geohash_decode(geohash_encode(p));
        assert_true(fabs(p.longitude - q.longitude) <= LONGITUDE / (1 << 26) + 1e-12);
        assert_true(fabs(p.latitude - q.latitude) <= LATITUDE / (1 << 26) + 1e-12);
        assert_true(geohash_encode(q) == geohash_encode(p));
    }
}

static void test_any_number_is_a_valid_place(void **state)
{
    (void)state;
    uint64_t random = 2;
    static const uint64_t edges[] = {0, 1, UINT64_MAX, (uint64_t)1 << 52, ((uint64_t)1 << 52) - 1, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) assert_true(geohash_is_valid(geohash_decode(edges[i])));
    for (int i = 0; i < 100000; i++) assert_true(geohash_is_valid(geohash_decode(random_next(&random))));
    static const double scores[] = {-1, -0.5, 0x1p63, 0x1p64, -0x1p63, 1e300, -1e300, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) assert_true(geohash_is_valid(geohash_decode_score(scores[i])));
}

static void test_what_is_off_the_map_is_not_valid(void **state)
{
    (void)state;
    assert_true(geohash_is_valid((struct geohash_point){LONGITUDE, -LATITUDE}));
    assert_false(geohash_is_valid((struct geohash_point){LONGITUDE + 1e-9, 0}));
    assert_false(geohash_is_valid((struct geohash_point){0, 85.06}));
    assert_false(geohash_is_valid((struct geohash_point){INFINITY, 0}));
    assert_false(geohash_is_valid((struct geohash_point){0, NAN}));
}

static void test_distances_are_those_of_redis(void **state)
{
    (void)state;
    struct geohash_point a = geohash_decode(geohash_encode(palermo)), b = geohash_decode(geohash_encode(catania));
    assert_true(geohash_distance_m(a, b) == 166274.15156960033);
    assert_true(geohash_distance_m(a, a) == 0);
}

static bool is_covered(const struct geohash_range *ranges, size_t count, double score)
{
    for (size_t i = 0; i < count; i++)
        if (score >= ranges[i].from && score < ranges[i].to) return true;
    return false;
}

/* Sizes up to some thousands of kilometres, away from the edges of the map: beyond these Redis's nine cells do not always reach. */
static void test_what_is_within_a_shape_is_covered_once(void **state)
{
    (void)state;
    uint64_t random = 3;
    unsigned found = 0;
    for (int i = 0; i < 3000; i++) {
        struct geohash_shape s = {.center = random_point(&random), .is_box = i % 2};
        s.center.latitude /= 2;
        s.center.longitude /= 2;
        double size = pow(10, (double)random_below(&random, 6000) / 1000);
        s.radius_m = s.width_m = size;
        s.height_m = size / (double)(1 + random_below(&random, 10));
        struct geohash_range ranges[GEOHASH_COVER_MAX];
        size_t count = geohash_cover(&s, ranges);
        assert_true(count >= 1 && count <= GEOHASH_COVER_MAX);
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < j; k++) assert_true(ranges[j].from >= ranges[k].to || ranges[k].from >= ranges[j].to);
        for (int j = 0; j < 50; j++) {
            double degrees = size / 111000, x = (double)random_below(&random, 2001) / 1000 - 1, y = (double)random_below(&random, 2001) / 1000 - 1;
            struct geohash_point p = geohash_decode(geohash_encode((struct geohash_point){s.center.longitude + x * degrees * 1.5, s.center.latitude + y * degrees}));
            double distance;
            if (!geohash_within(&s, p, &distance)) continue;
            found++;
            assert_true(distance <= (s.is_box ? size : size * (1 + 1e-9)));
            assert_true(is_covered(ranges, count, (double)geohash_encode(p)));
        }
    }
    assert_true(found > 10000);
}

static void test_shapes_of_any_size_have_ranges(void **state)
{
    (void)state;
    static const double sizes[] = {0, 1e-300, 1, 2e7, 1e9, 1e308, INFINITY};
    static const struct geohash_point centers[] = {{0, 0}, {LONGITUDE, LATITUDE}, {-LONGITUDE, -LATITUDE}, {179.99, 85}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < 2 * sizeof centers / sizeof *centers; j++) {
            struct geohash_shape s = {centers[j / 2], j % 2, sizes[i], sizes[i], sizes[i]};
            struct geohash_range ranges[GEOHASH_COVER_MAX];
            size_t count = geohash_cover(&s, ranges);
            assert_true(count >= 1 && count <= GEOHASH_COVER_MAX);
            for (size_t k = 0; k < count; k++) assert_true(ranges[k].from < ranges[k].to);
        }
    }
}

int geohash_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_positions_and_texts_are_those_of_redis),
        cmocka_unit_test(test_a_place_is_found_again_within_a_cell),
        cmocka_unit_test(test_any_number_is_a_valid_place),
        cmocka_unit_test(test_what_is_off_the_map_is_not_valid),
        cmocka_unit_test(test_distances_are_those_of_redis),
        cmocka_unit_test(test_what_is_within_a_shape_is_covered_once),
        cmocka_unit_test(test_shapes_of_any_size_have_ranges),
    };
    return cmocka_run_group_tests_name("geohash", tests, NULL, NULL);
}
