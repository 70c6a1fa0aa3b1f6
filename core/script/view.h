/* The view: what a policy sees of a cluster, as frozen Lua tables. JSON is made from the same tables, so the two cannot
 * differ. */
#ifndef AIKV_SCRIPT_VIEW_H
#define AIKV_SCRIPT_VIEW_H

#include <lua.h>

#include "script/policy.h"

/* Pushes the view. Fields: view.def. */
void view_push(lua_State *L, const struct script_world *world);

/* What view.def says. */
enum view_table {
    VIEW_TABLE_VIEW,
    VIEW_TABLE_NODE,
    VIEW_TABLE_SHARD,
    VIEW_TABLE_SLOTS,
    VIEW_TABLE_RUN,
    VIEW_TABLE_FAILED,
    VIEW_TABLE_SETTINGS, /* whose fields are in cluster/setting.def */
};
struct view_field {
    enum view_table table;
    const char *name, *type, *doc;
};
/* NULL past the last. */
const struct view_field *view_field_at(size_t index);

/* Freezes the table on top, as frozen_wrap does for a record. Reading a field that the table has not, and that may not
 * be missing, is an error that names the nearest. */
void view_record_wrap(lua_State *L, enum view_table table);

/* "s3" and back; false if the text is not the name of a shard. */
#define VIEW_SHARD_NAME_MAX 16
void view_shard_name(uint32_t number, char out[VIEW_SHARD_NAME_MAX]);
bool view_shard_number(struct bytes name, uint32_t *out);

#endif
