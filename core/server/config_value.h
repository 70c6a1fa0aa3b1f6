/* What a setting takes, by its type: text checked and made canonical. Pure. */
#ifndef AIKV_SERVER_CONFIG_VALUE_H
#define AIKV_SERVER_CONFIG_VALUE_H

#include "command/command.h"
#include "server/config.h"

/* Writes `text` as CONFIG GET shows it to `out`, CONFIG_VALUE_MAX bytes, which has what holds so far: of OUTPUT a text may change a part. False: the
 * type does not take it. */
bool config_value_canonical(enum setting_type type, const char *text, char *out);
/* What the type takes, for messages: "a port from 0 to 65535". */
const char *config_value_takes(enum setting_type type);
/* Changes those classes' limits that an OUTPUT text names. False: it is none. */
struct config_output_limits {
    struct net_output_limit normal, replica, subscriber;
};
bool config_value_output_limits(const char *text, struct config_output_limits *io);
/* The numbers of a PERCENTILES text; SIZE_MAX if it is none. */
size_t config_value_percentiles(const char *text, double out[COMMAND_PERCENTILES_MAX]);

#endif
