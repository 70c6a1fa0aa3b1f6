/* The configuration: one table of settings (config.def), filled from defaults, the file, the environment and flags, in this order. */
#ifndef AIKV_SERVER_CONFIG_H
#define AIKV_SERVER_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"
#include "cluster/state.h"

enum setting {
#define SETTING(id, section, key, type, flag, config, can_set, initial, doc) SETTING_##id,
#include "server/config.def"
#undef SETTING
    SETTINGS
};

enum setting_type {
    TYPE_TEXT,       /* anything printable, up to 1,000 bytes */
    TYPE_WORD,       /* letters, digits, '-', '_', '.'; up to 64 */
    TYPE_PORT, /* 0 to 65535 */
    TYPE_COUNT,      /* 0 to 2^31 - 1 */
    TYPE_LARGE_COUNT, /* 0 to 2^63 - 1 */
    TYPE_INTEGER,    /* any */
    TYPE_SIZE,       /* bytes, with kb, mb, gb as in redis.conf */
    TYPE_BOOLEAN,    /* yes, no, true, false */
    TYPE_ALIAS, /* 1 to 2^31 - 1, "n2" for 2; empty: none */
    TYPE_LIST,       /* host:port, comma-separated */
    TYPE_PERCENTILES, /* up to COMMAND_PERCENTILES_MAX numbers from 0 to 100, with blanks between */
    TYPE_WHOM, /* no, local or yes */
    TYPE_DURABILITY,
    TYPE_EVICTION, /* as Redis's maxmemory-policy */
    TYPE_LEVEL,
    TYPE_EVENTS, /* letters of COMMAND_NOTIFY_LETTERS */
    TYPE_OUTPUT, /* limits by class of client; a text may change some of them */
};

struct setting_info {
    const char *section, *key;
    enum setting_type type;
    const char *flag, *config_name; /* NULL: none */
    bool can_set;
    const char *initial, *doc;
};
extern const struct setting_info setting_table[SETTINGS];

#define CONFIG_VALUE_MAX 1001
#define CONFIG_JOIN_MAX  64

#define CONFIG_SOURCE_SET "CONFIG SET"

struct config {
    char value[SETTINGS][CONFIG_VALUE_MAX]; /* canonical text */
    const char *source[SETTINGS];           /* "default", "file", "environment", "flag", or CONFIG_SOURCE_SET */
    struct cluster_endpoint announce[CLUSTER_ENDPOINTS_MAX];
    uint32_t announce_count;
    char secret[1025]; /* what AIKV_CLUSTER_SECRET or the secret file holds; "" for none */
    char join[CONFIG_JOIN_MAX][280];
    size_t join_count;
    char bus_host[254]; /* of raft_address, or its default */
    uint16_t bus_port;
};

void config_init(struct config *c);
/* Reads a TOML file. Errors: CONFIG, with file, line and, for an unknown key, the nearest known one. */
int config_read_file(struct config *c, const char *path, struct error *e);
int config_read_environment(struct config *c, struct error *e);
/* Sets one from text, checked and made canonical. Errors: CONFIG naming the setting, what it takes and the text. */
int config_set(struct config *c, enum setting id, const char *text, const char *source, struct error *e);
/* Writes the settings whose source is "CONFIG SET" into the file that was read, and leaves the rest of it as it is, comments too. The file changes
 * as a whole or not at all. Errors: CONFIG, LIMIT, IO, PERMISSION, DISK. */
int config_rewrite(const struct config *c, const char *path, struct error *e);
/* After everything was read: the secret, and what settings must hold together. */
int config_finish(struct config *c, struct error *e);

const char *config_text(const struct config *c, enum setting id);
int64_t config_number(const struct config *c, enum setting id); /* of PORT, COUNT, LARGE_COUNT, INTEGER, SIZE, ALIAS (0: none) */
bool config_flag(const struct config *c, enum setting id);
bool config_wildcard_host(const struct config *c); /* host is 0.0.0.0 or :: */

/* docs/reference/configuration.md is this (`aikv --reference configuration`). */
void config_reference(struct buffer *out);

#endif
