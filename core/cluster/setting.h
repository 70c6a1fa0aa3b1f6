/* Settings of the whole cluster, which all policies share so that two of them do not fight: whole numbers, one table (setting.def). */
#ifndef AIKV_CLUSTER_SETTING_H
#define AIKV_CLUSTER_SETTING_H

#include "base/bytes.h"
#include "base/error.h"

enum cluster_setting {
#define SETTING(name, initial, least, most, step, doc) CLUSTER_SETTING_##name,
#include "cluster/setting.def"
#undef SETTING
    CLUSTER_SETTINGS
};

struct cluster_setting_info {
    const char *name; /* "voters" */
    int64_t initial, least, most, step;
    const char *doc;
};
const struct cluster_setting_info *cluster_setting_info(enum cluster_setting setting);
/* By name; CLUSTER_SETTINGS if there is none. */
enum cluster_setting cluster_setting_find(struct bytes name);
/* Errors: SYNTAX naming the setting, the value and what it may be. */
int cluster_setting_check(enum cluster_setting setting, int64_t value, struct error *e);

#endif
