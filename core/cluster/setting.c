#include "cluster/setting.h"

#include <assert.h>

static const struct cluster_setting_info settings[CLUSTER_SETTINGS] = {
#define SETTING(name, initial, least, most, step, doc) [CLUSTER_SETTING_##name] = {#name, initial, least, most, step, doc},
#include "cluster/setting.def"
#undef SETTING
};

const struct cluster_setting_info *cluster_setting_info(enum cluster_setting setting)
{
    assert(setting < CLUSTER_SETTINGS);
    return &settings[setting];
}

enum cluster_setting cluster_setting_find(struct bytes name)
{
    for (enum cluster_setting s = 0; s < CLUSTER_SETTINGS; s++)
        if (bytes_equal(name, bytes_text(settings[s].name))) return s;
    return CLUSTER_SETTINGS;
}

int cluster_setting_check(enum cluster_setting setting, int64_t value, struct error *e)
{
    const struct cluster_setting_info *s = cluster_setting_info(setting);
    if (value >= s->least && value <= s->most && (value - s->least) % s->step == 0) return 0;
    return error_set(e, ERROR_SYNTAX, "setting %s must be %lld to %lld%s, not %lld", s->name, (long long)s->least, (long long)s->most,
                     s->step == 2 ? ", an odd number" : "", (long long)value);
}
