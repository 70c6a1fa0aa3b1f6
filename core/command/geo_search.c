/* Searching for places within a circle or a box.
 *
 * The shape is covered by up to nine cells, each a range of scores; of the members in these, those in the shape are found. Six commands are this
 * search, with their arguments in different order. */
#include <stdlib.h>

#include "command/geo.h"
#include "command/zset.h"

struct form {
    enum { CENTER_IN_OPTIONS, CENTER_POINT, CENTER_MEMBER } center;
    bool may_store; /* GEORADIUS: in an option */
    int store_at;   /* GEOSEARCHSTORE: always; 0: no */
    int source_at;
    int options_at;
};

struct search {
    const struct form *form;
    struct keyspace_zset places;
    struct geohash_shape shape;
    double unit_m;
    bool from_member, from_point, by_radius, by_box;
    bool with_distance, with_score, with_point;
    enum { SORT_NONE, SORT_NEAREST, SORT_FARTHEST } sort;
    int64_t count; /* 0: all */
    bool any;      /* the first that are found */
    int store_at;  /* the argument that names where to; 0: nowhere */
    bool store_distances;
};

struct found {
    struct bytes member; /* until the places change */
    struct geohash_point point;
    double score, distance; /* in the unit asked for */
    size_t order;           /* of being found */
};

struct found_list {
    struct found *items;
    size_t count, cap;
};

/* ---- arguments; false: the error was replied ---- */

static bool parse_member(struct command_call *c, struct search *s, int i)
{
    double score;
    if (!keyspace_zset_count(&s->places)) return true; /* as in Redis, no key is no error; there is nothing to be found either */
    if (keyspace_zset_score(&s->places, c->argv[i], &score)) {
        s->shape.center = geohash_decode_score(score);
        return true;
    }
    resp_error(c->reply, ERROR_NOT_FOUND, "could not decode requested zset member");
    return false;
}

static bool parse_radius(struct command_call *c, struct search *s, int i)
{
    double radius;
    if (!command_geo_number(c, i, &radius, "need numeric radius")) return false;
    if (radius < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "radius cannot be negative");
        return false;
    }
    if (!command_geo_unit(c, i + 1, &s->unit_m)) return false;
    s->shape.radius_m = radius * s->unit_m;
    return true;
}

static bool parse_box(struct command_call *c, struct search *s, int i)
{
    double width, height;
    if (!command_geo_number(c, i, &width, "need numeric width") || !command_geo_number(c, i + 1, &height, "need numeric height")) return false;
    if (width < 0 || height < 0) {
        resp_error(c->reply, ERROR_SYNTAX, "height or width cannot be negative");
        return false;
    }
    if (!command_geo_unit(c, i + 2, &s->unit_m)) return false;
    s->shape.is_box = true;
    s->shape.width_m = width * s->unit_m;
    s->shape.height_m = height * s->unit_m;
    return true;
}

static bool parse_count(struct command_call *c, struct search *s, int i)
{
    if (!command_integer(c, i, &s->count, NULL)) return false;
    if (s->count > 0) return true;
    resp_error(c->reply, ERROR_SYNTAX, "COUNT must be > 0");
    return false;
}

static bool parse_flag(struct command_call *c, struct search *s, int i)
{
    if (command_is(c, i, "WITHDIST"))
        s->with_distance = true;
    else if (command_is(c, i, "WITHHASH"))
        s->with_score = true;
    else if (command_is(c, i, "WITHCOORD"))
        s->with_point = true;
    else if (command_is(c, i, "ANY"))
        s->any = true;
    else if (command_is(c, i, "ASC"))
        s->sort = SORT_NEAREST;
    else if (command_is(c, i, "DESC"))
        s->sort = SORT_FARTHEST;
    else if (command_is(c, i, "STOREDIST") && s->form->store_at)
        s->store_distances = true;
    else
        return false;
    return true;
}

/* The shape, in the options of GEOSEARCH. Returns how many arguments it took; 0: it is none of these; -1: the error was replied. */
static int parse_shape(struct command_call *c, struct search *s, int i)
{
    int follow = c->argc - i - 1;
    if (s->form->center != CENTER_IN_OPTIONS) return 0;
    if (command_is(c, i, "FROMMEMBER") && follow >= 1 && !s->from_point) {
        s->from_member = true;
        return parse_member(c, s, i + 1) ? 2 : -1;
    }
    if (command_is(c, i, "FROMLONLAT") && follow >= 2 && !s->from_member) {
        s->from_point = true;
        return command_geo_point(c, i + 1, &s->shape.center) ? 3 : -1;
    }
    if (command_is(c, i, "BYRADIUS") && follow >= 2 && !s->by_box) {
        s->by_radius = true;
        return parse_radius(c, s, i + 1) ? 3 : -1;
    }
    if (command_is(c, i, "BYBOX") && follow >= 3 && !s->by_radius) {
        s->by_box = true;
        return parse_box(c, s, i + 1) ? 4 : -1;
    }
    return 0;
}

/* The same for the other options. */
static int parse_option(struct command_call *c, struct search *s, int i)
{
    bool last = i + 1 == c->argc;
    if (parse_flag(c, s, i)) return 1;
    if (command_is(c, i, "COUNT") && !last) return parse_count(c, s, i + 1) ? 2 : -1;
    bool distances = command_is(c, i, "STOREDIST");
    if ((distances || command_is(c, i, "STORE")) && !last && s->form->may_store) {
        s->store_at = i + 1;
        s->store_distances = distances;
        return 2;
    }
    return 0;
}

static bool parse_options(struct command_call *c, struct search *s)
{
    for (int i = s->form->options_at, taken; i < c->argc; i += taken) {
        taken = parse_option(c, s, i);
        if (!taken) taken = parse_shape(c, s, i);
        if (taken < 0) return false;
        if (taken) continue;
        command_reply_syntax_error(c);
        return false;
    }
    return true;
}

/* What only shows when all options are known. */
static bool check_options(struct command_call *c, const struct search *s)
{
    bool search = s->form->center == CENTER_IN_OPTIONS;
    if (s->store_at && (s->with_distance || s->with_score || s->with_point)) {
        resp_error(c->reply, ERROR_SYNTAX, "%s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                   s->form->store_at ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    } else if (search && !s->from_member && !s->from_point) {
        resp_error(c->reply, ERROR_SYNTAX, "exactly one of FROMMEMBER or FROMLONLAT can be specified for %s", command_text(c, 0));
    } else if (search && !s->by_radius && !s->by_box) {
        resp_error(c->reply, ERROR_SYNTAX, "exactly one of BYRADIUS and BYBOX can be specified for %s", command_text(c, 0));
    } else if (s->any && !s->count) {
        resp_error(c->reply, ERROR_SYNTAX, "the ANY argument requires COUNT argument");
    } else {
        return true;
    }
    return false;
}

static bool parse(struct command_call *c, struct search *s)
{
    const struct form *form = s->form;
    bool fine = true;
    if (form->center == CENTER_POINT) {
        fine = command_geo_point(c, 2, &s->shape.center) && parse_radius(c, s, 4);
    } else if (form->center == CENTER_MEMBER && keyspace_zset_count(&s->places)) {
        fine = parse_member(c, s, 2) && parse_radius(c, s, 3);
    }
    return fine && parse_options(c, s) && check_options(c, s);
}

/* ---- finding ---- */

static void add_found(struct command_call *c, struct found_list *list, const struct found *item)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        struct found *items = arena_alloc(c->arena, cap * sizeof *items);
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *item;
}

/* False: there are enough. */
static bool find_in_range(struct command_call *c, struct search *s, const struct geohash_range *range, struct found_list *out)
{
    struct keyspace_zset_walk w;
    struct keyspace_scored at;
    keyspace_zset_walk(&s->places, keyspace_zset_below(&s->places, range->from, false), false, &w);
    while (keyspace_zset_next(&s->places, &w, &at) && at.score < range->to) {
        struct found f = {.member = at.member, .point = geohash_decode_score(at.score), .score = at.score, .order = out->count};
        if (!geohash_within(&s->shape, f.point, &f.distance)) continue;
        f.distance /= s->unit_m;
        add_found(c, out, &f);
        if (s->any && out->count >= (size_t)s->count) return false;
    }
    return true;
}

static int compare_nearest(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_farthest(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->distance != y->distance) return x->distance > y->distance ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static struct found_list find(struct command_call *c, struct search *s)
{
    struct found_list list = {0};
    struct geohash_range ranges[GEOHASH_COVER_MAX];
    if (!keyspace_zset_count(&s->places)) return list;
    size_t count = geohash_cover(&s->shape, ranges);
    for (size_t i = 0; i < count && find_in_range(c, s, &ranges[i], &list); i++) continue;
    if (s->count && s->sort == SORT_NONE && !s->any) s->sort = SORT_NEAREST;
    if (list.count && s->sort != SORT_NONE)
        qsort(list.items, list.count, sizeof *list.items, s->sort == SORT_NEAREST ? compare_nearest : compare_farthest);
    if (s->count && list.count > (size_t)s->count) list.count = (size_t)s->count;
    return list;
}

/* ---- what becomes of it ---- */

static void reply_found(struct command_call *c, const struct search *s, const struct found_list *list)
{
    size_t more = (size_t)s->with_distance + s->with_score + s->with_point;
    resp_array(c->reply, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct found *f = &list->items[i];
        if (more) resp_array(c->reply, 1 + more);
        resp_bulk(c->reply, f->member);
        if (s->with_distance) command_geo_reply_distance(c, f->distance);
        if (s->with_score) resp_integer(c->reply, (int64_t)f->score);
        if (s->with_point) command_geo_reply_point(c, f->point);
    }
}

/* Copies: what is stored may not lie in rows. */
static void store_found(struct command_call *c, const struct search *s, const struct found_list *list)
{
    struct keyspace_scored *members = arena_alloc(c->arena, list->count * sizeof *members);
    for (size_t i = 0; i < list->count; i++) {
        const struct found *f = &list->items[i];
        struct bytes member = bytes_of(arena_copy(c->arena, f->member.data, f->member.len), f->member.len);
        members[i] = (struct keyspace_scored){member, s->store_distances ? f->distance : f->score};
    }
    if (list->count) qsort(members, list->count, sizeof *members, command_compare_scored);
    const char *event = s->form->store_at ? "geosearchstore" : "georadiusstore";
    command_zset_store(c, c->argv[s->store_at], members, list->count, event);
    resp_integer(c->reply, (int64_t)list->count);
}

static void run(struct command_call *c, const struct form *form)
{
    struct search s = {.form = form, .store_at = form->store_at, .unit_m = 1};
    if (!command_open_zset(c, c->argv[form->source_at], &s.places) || !parse(c, &s)) return;
    struct found_list list = find(c, &s);
    if (s.store_at)
        store_found(c, &s, &list);
    else
        reply_found(c, &s, &list);
}

static void command_geo_search_geosearch(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_IN_OPTIONS, .source_at = 1, .options_at = 2});
}

static void command_geo_search_geosearchstore(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_IN_OPTIONS, .store_at = 1, .source_at = 2, .options_at = 3});
}

static void command_geo_search_georadius(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_POINT, .may_store = true, .source_at = 1, .options_at = 6});
}

static void command_geo_search_georadius_ro(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_POINT, .source_at = 1, .options_at = 6});
}

static void command_geo_search_georadiusbymember(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_MEMBER, .may_store = true, .source_at = 1, .options_at = 5});
}

static void command_geo_search_georadiusbymember_ro(struct command_call *c)
{
    run(c, &(struct form){.center = CENTER_MEMBER, .source_at = 1, .options_at = 5});
}

/* ---- the rows ---- */

/* Behind the last such option of GEORADIUS and its kin, as parse_options takes it: what is stored must be in a slot that was looked at. */
static int find_option(int argc, const struct bytes *argv, const char *wanted)
{
    int found = 0;
    for (int i = 5; i + 1 < argc; i++) { /* of GEORADIUS the unit is there, which is no option */
        if (bytes_is(argv[i], wanted)) found = i + 1;
        if (bytes_is(argv[i], "STORE") || bytes_is(argv[i], "STOREDIST")) i++;
    }
    return found;
}

static int find_store(int argc, const struct bytes *argv)
{
    return find_option(argc, argv, "STORE");
}

static int find_store_distances(int argc, const struct bytes *argv)
{
    return find_option(argc, argv, "STOREDIST");
}

#define READS KEYS(1, 1, 1, KEY_RO | KEY_ACCESS)
#define STORED(i)                                                                                                      \
    {.flags = KEY_OW | KEY_UPDATE, .begin = KEYS_AFTER, .index = i, .step = 1, .keyword = "STORE", .find = find_store}, \
    {.flags = KEY_OW | KEY_UPDATE, .begin = KEYS_AFTER, .index = i, .step = 1, .keyword = "STOREDIST", .find = find_store_distances}
#define SEARCH_COMPLEXITY                                                                                              \
    "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M " \
    "is the number of items inside the shape"
#define RADIUS_COMPLEXITY                                                                                              \
    "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M " \
    "is the number of items inside the index."
#define UNIT         "(unit: M | KM | FT | MI)"
#define CENTRE       "(from: FROMMEMBER member | FROMLONLAT (longitude_latitude: longitude latitude)) "
#define SHAPE        CENTRE "(by: (circle: BYRADIUS radius " UNIT ") | (box: BYBOX width height " UNIT "))"
#define COUNT        "[count: COUNT count [ANY]]"
#define ORDER        "[order: ASC | DESC]"
#define DETAILS      "[WITHCOORD] [WITHDIST] [WITHHASH]"
#define RADIUS       "radius " UNIT " " DETAILS " " COUNT " " ORDER
#define STORE_OPTION " [STORE key] [STOREDIST key]"
#define BY_RADIUS    "with the `BYRADIUS` argument"
#define BY_MEMBER    "with the `BYRADIUS` and `FROMMEMBER` arguments"

const struct command_row command_geo_search_rows[] = {
    {"GEOSEARCH", -7, READ, READS, ACL_GEO, command_geo_search_geosearch,
     "The places within a circle or a box.",
     .syntax = "key " SHAPE " " ORDER " " COUNT " " DETAILS, .since = "6.2.0", .complexity = SEARCH_COMPLEXITY},
    {"GEOSEARCHSTORE", -8, WRITE | DENYOOM, KEYS(1, 1, 1, KEY_OW | KEY_UPDATE), ACL_GEO, command_geo_search_geosearchstore,
     "Stores the places within a circle or a box, or their distances from its middle; returns how many they are.",
     .syntax = "destination source " SHAPE " " ORDER " " COUNT " [STOREDIST]", .since = "6.2.0", .complexity = SEARCH_COMPLEXITY,
     .more_keys = MORE_KEYS(KEYS(2, 2, 1, KEY_RO | KEY_ACCESS))},
    {"GEORADIUS", -6, WRITE | DENYOOM, READS, ACL_GEO, command_geo_search_georadius,
     "The places within a circle around a point; or stores them.",
     .syntax = "key longitude latitude " RADIUS STORE_OPTION, .since = "3.2.0", .complexity = RADIUS_COMPLEXITY,
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` " BY_RADIUS, .deprecated_since = "6.2.0",
     .more_keys = MORE_KEYS(STORED(6))},
    {"GEORADIUSBYMEMBER", -5, WRITE | DENYOOM, READS, ACL_GEO, command_geo_search_georadiusbymember,
     "The places within a circle around one of them; or stores them.",
     .syntax = "key member " RADIUS STORE_OPTION, .since = "3.2.0", .complexity = RADIUS_COMPLEXITY,
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` " BY_MEMBER, .deprecated_since = "6.2.0",
     .more_keys = MORE_KEYS(STORED(5))},
    {"GEORADIUS_RO", -6, READ, READS, ACL_GEO, command_geo_search_georadius_ro,
     "The places within a circle around a point.",
     .syntax = "key longitude latitude " RADIUS, .since = "3.2.10", .complexity = RADIUS_COMPLEXITY,
     .replaced_by = "`GEOSEARCH` " BY_RADIUS, .deprecated_since = "6.2.0"},
    {"GEORADIUSBYMEMBER_RO", -5, READ, READS, ACL_GEO, command_geo_search_georadiusbymember_ro,
     "The places within a circle around one of them.",
     .syntax = "key member " RADIUS, .since = "3.2.10", .complexity = RADIUS_COMPLEXITY,
     .replaced_by = "`GEOSEARCH` " BY_MEMBER, .deprecated_since = "6.2.0"},
    {0},
};
