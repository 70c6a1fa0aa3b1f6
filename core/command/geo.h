/* What commands on places share. They are the members of a sorted set; a member's score says where it is (base/geohash.h). */
#ifndef AIKV_COMMAND_GEO_H
#define AIKV_COMMAND_GEO_H

#include "base/geohash.h"
#include "command/zset.h"

/* Arguments; false: the error was replied. A point is two of them, from `i` on; a unit is told in metres. */
bool command_geo_point(struct command_call *c, int i, struct geohash_point *out);
bool command_geo_unit(struct command_call *c, int i, double *out_m);
bool command_geo_number(struct command_call *c, int i, double *out, const char *error);

void command_geo_reply_point(struct command_call *c, struct geohash_point p);
/* Four digits behind the point. */
void command_geo_reply_distance(struct command_call *c, double distance);

#endif
