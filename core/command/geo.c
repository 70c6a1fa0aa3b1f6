/* Places: adding them, and where they are. */
#include "command/geo.h"

#include "base/number.h"
#include "command/need.h"
#include "command/notify.h"

/* ---- shared ---- */

bool command_geo_number(struct command_call *c, int i, double *out, const char *error)
{
    if (number_parse_double(c->argv[i], out)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "%s", error);
    return false;
}

bool command_geo_point(struct command_call *c, int i, struct geohash_point *out)
{
    const char *error = "value is not a valid float";
    if (!command_geo_number(c, i, &out->longitude, error) || !command_geo_number(c, i + 1, &out->latitude, error)) return false;
    if (geohash_is_valid(*out)) return true;
    resp_error(c->reply, ERROR_SYNTAX, "invalid longitude,latitude pair %f,%f", out->longitude, out->latitude);
    return false;
}

bool command_geo_unit(struct command_call *c, int i, double *out_m)
{
    static const struct {
        const char *name;
        double m;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
    for (size_t n = 0; n < sizeof units / sizeof *units; n++) {
        if (!command_is(c, i, units[n].name)) continue;
        *out_m = units[n].m;
        return true;
    }
    resp_error(c->reply, ERROR_SYNTAX, "unsupported unit provided. please use M, KM, FT, MI");
    return false;
}

void command_geo_reply_point(struct command_call *c, struct geohash_point p)
{
    resp_array(c->reply, 2);
    resp_real(c->reply, p.longitude);
    resp_real(c->reply, p.latitude);
}

void command_geo_reply_distance(struct command_call *c, double distance)
{
    resp_bulk_printf(c->reply, "%.4f", distance);
}

/* ---- GEOADD ---- */

struct add_options {
    bool only_new, only_old, changes;
    int places_at;
};

/* False: the error was replied. */
static bool parse_add(struct command_call *c, struct add_options *o)
{
    int i = 2;
    for (; i < c->argc; i++) {
        if (command_is(c, i, "NX"))
            o->only_new = true;
        else if (command_is(c, i, "XX"))
            o->only_old = true;
        else if (command_is(c, i, "CH"))
            o->changes = true;
        else
            break;
    }
    o->places_at = i;
    if (i < c->argc && (c->argc - i) % 3 == 0 && !(o->only_new && o->only_old)) return true;
    command_reply_syntax_error(c);
    return false;
}

/* Three arguments each, all looked at before any is added. False: the error was replied. */
static bool parse_places(struct command_call *c, int at, struct keyspace_scored *out)
{
    for (int i = at; i < c->argc; i += 3, out++) {
        struct geohash_point p;
        if (!command_geo_point(c, i, &p)) return false;
        out->member = c->argv[i + 2];
        out->score = (double)geohash_encode(p);
        if (!command_scored_member_fits(c, out->member)) return false;
    }
    return true;
}

static void command_geo_geoadd(struct command_call *c)
{
    struct add_options o = {0};
    struct keyspace_zset z;
    if (!parse_add(c, &o)) return;
    size_t count = (size_t)(c->argc - o.places_at) / 3;
    struct keyspace_scored *places = arena_alloc(c->arena, count * sizeof *places);
    if (!parse_places(c, o.places_at, places) || !command_open_zset(c, c->argv[1], &z)) return;
    int64_t added = 0, moved = 0;
    for (size_t i = 0; i < count; i++) {
        double old;
        bool there = keyspace_zset_score(&z, places[i].member, &old);
        if ((there && (o.only_new || old == places[i].score)) || (!there && o.only_old)) continue;
        keyspace_zset_put(&z, &places[i]);
        added += !there;
        moved += there;
    }
    keyspace_zset_close(&z);
    if (added || moved) command_notify(c, NOTIFY_ZSET, "zadd", c->argv[1]);
    resp_integer(c->reply, o.changes ? added + moved : added);
}

/* ---- where they are ---- */

static bool find_place(struct keyspace_zset *z, struct bytes member, struct geohash_point *out)
{
    double score;
    if (!keyspace_zset_score(z, member, &score)) return false;
    *out = geohash_decode_score(score);
    return true;
}

static void command_geo_geopos(struct command_call *c)
{
    struct keyspace_zset z;
    struct geohash_point p;
    if (!command_open_zset(c, c->argv[1], &z)) return;
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        if (find_place(&z, c->argv[i], &p))
            command_geo_reply_point(c, p);
        else
            resp_null_array(c->reply);
    }
}

static void command_geo_geohash(struct command_call *c)
{
    struct keyspace_zset z;
    struct geohash_point p;
    char text[GEOHASH_TEXT_SIZE];
    if (!command_open_zset(c, c->argv[1], &z)) return;
    resp_array(c->reply, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        if (find_place(&z, c->argv[i], &p)) {
            geohash_text(p, text);
            resp_bulk_text(c->reply, text);
        } else {
            resp_null(c->reply);
        }
    }
}

static void command_geo_geodist(struct command_call *c)
{
    struct keyspace_zset z;
    struct geohash_point a, b;
    double unit_m = 1;
    if (c->argc > 5) {
        command_reply_syntax_error(c);
        return;
    }
    if ((c->argc == 5 && !command_geo_unit(c, 4, &unit_m)) || !command_open_zset(c, c->argv[1], &z)) return;
    if (find_place(&z, c->argv[2], &a) && find_place(&z, c->argv[3], &b))
        command_geo_reply_distance(c, geohash_distance_m(a, b) / unit_m);
    else
        resp_null(c->reply);
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)

const struct command_row command_geo_rows[] = {
    {"GEOADD", -5, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_RW | KEY_UPDATE), ACL_GEO, command_geo_geoadd,
     "Adds places to a sorted set, or moves them; returns how many are new, or changed.",
     .needs = NEEDS_PLACED(4, -1, 3), .syntax = "key [condition: NX | XX] [change=CH] (longitude_latitude_member: longitude latitude member)...", .since = "3.2.0",
     .complexity = "O(log(N)) for each item added, where N is the number of elements in the sorted set."},
    {"GEODIST", -4, READ, READS, ACL_GEO, command_geo_geodist,
     "The distance between two places.",
     .needs = NEEDS_ELEMENTS(2, 3, 1), .syntax = "key member1 member2 [unit: M | KM | FT | MI]", .since = "3.2.0", .complexity = "O(log(N))"},
    {"GEOHASH", -2, READ, READS, ACL_GEO, command_geo_geohash,
     "Places as geohashes of eleven characters.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member...", .since = "3.2.0",
     .complexity = "O(log(N)) for each member requested, where N is the number of elements in the sorted set."},
    {"GEOPOS", -2, READ, READS, ACL_GEO, command_geo_geopos,
     "The longitudes and latitudes of places.",
     .needs = NEEDS_ELEMENTS(2, -1, 1), .syntax = "key member...", .since = "3.2.0", .complexity = "O(N) where N is the number of members requested."},
    {0},
};
