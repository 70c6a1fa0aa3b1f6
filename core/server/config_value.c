#include "server/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/number.h"

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

static bool is_word(const char *text)
{
    if (strlen(text) > CLUSTER_NAME_MAX) return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("-_.", *text)) return false;
    return true;
}

static bool as_integer(const char *text, int64_t min, int64_t max, char *out)
{
    int64_t n;
    if (!number_parse_integer(bytes_text(text), &n) || n < min || n > max) return false;
    number_format_integer(out, n);
    return true;
}

/* "100mb" in bytes, units as in redis.conf. */
static bool as_size(const char *text, char *out)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{"", 1},           {"b", 1},           {"k", 1000},          {"kb", 1024},
                 {"m", 1000000},    {"mb", 1 << 20},    {"g", 1000000000},    {"gb", 1 << 30}};
    size_t digits = strspn(text, "0123456789");
    uint64_t n;
    if (!number_parse_unsigned(bytes_of(text, digits), &n) || n > INT64_MAX >> 30) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(text + digits, units[i].unit) == 0) {
            number_format_integer(out, (int64_t)n * units[i].bytes);
            return true;
        }
    return false;
}

static bool as_boolean(const char *text, char *out)
{
    bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0;
    if (!yes && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0) return false;
    strcpy(out, yes ? "yes" : "no");
    return true;
}

static bool as_alias(const char *text, char *out)
{
    if (!*text) {
        *out = 0;
        return true;
    }
    if (*text == '-') return false; /* a negative number is no name */
    size_t letters = 0;
    while (isalpha((unsigned char)text[letters]) || text[letters] == '-' || text[letters] == '_') letters++;
    return as_integer(text + letters, 1, INT32_MAX, out);
}

/* One of these words, which end with NULL. */
static bool as_one_of(const char *const words[], const char *text, char *out)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0) {
            strcpy(out, *words);
            return true;
        }
    return false;
}

size_t config_value_percentiles(const char *text, double out[COMMAND_PERCENTILES_MAX])
{
    size_t n = 0;
    while (*(text += strspn(text, " "))) {
        size_t len = strcspn(text, " ");
        long double value;
        if (n == COMMAND_PERCENTILES_MAX || !number_parse_real(bytes_of(text, len), &value) || !(value >= 0 && value <= 100)) return SIZE_MAX;
        out[n++] = (double)value;
        text += len;
    }
    return n;
}

static bool as_percentiles(const char *text, char *out)
{
    double values[COMMAND_PERCENTILES_MAX];
    size_t n = config_value_percentiles(text, values);
    if (n == SIZE_MAX) return false;
    int len = 0;
    out[0] = 0;
    for (size_t i = 0; i < n; i++) len += snprintf(out + len, CONFIG_VALUE_MAX - (size_t)len, "%s%.9g", i ? " " : "", values[i]);
    return true;
}

/* ---- limits of output ---- */

static struct net_output_limit *class_named(const char *name, struct config_output_limits *l)
{
    if (strcasecmp(name, "normal") == 0) return &l->normal;
    if (strcasecmp(name, "pubsub") == 0) return &l->subscriber;
    return strcasecmp(name, "slave") == 0 || strcasecmp(name, "replica") == 0 ? &l->replica : NULL;
}

static bool read_limit(char *const words[3], struct net_output_limit *out)
{
    int64_t numbers[3];
    char canonical[NUMBER_TEXT_MAX];
    for (int i = 0; i < 3; i++) {
        bool taken = i < 2 ? as_size(words[i], canonical) : as_integer(words[i], 0, INT32_MAX, canonical);
        if (!taken || !number_parse_integer(bytes_text(canonical), &numbers[i])) return false;
    }
    *out = (struct net_output_limit){(size_t)numbers[0], (size_t)numbers[1], (uint64_t)numbers[2] * 1000};
    return true;
}

bool config_value_output_limits(const char *text, struct config_output_limits *io)
{
    struct config_output_limits changed = *io;
    char copy[CONFIG_VALUE_MAX], *rest = copy, *words[4];
    size_t n = 0;
    if (strlen(text) >= sizeof copy) return false;
    strcpy(copy, text);
    while ((words[n] = strsep(&rest, " "))) {
        if (!*words[n] || ++n < 4) continue;
        struct net_output_limit *limit = class_named(words[0], &changed);
        if (!limit || !read_limit(words + 1, limit)) return false;
        n = 0;
    }
    *io = changed;
    return n == 0;
}

static int write_limit(char *out, const char *name, const struct net_output_limit *l)
{
    return sprintf(out, "%s %zu %zu %" PRIu64, name, l->hard, l->soft, l->soft_ms / 1000);
}

static bool as_output_limits(const char *text, char *out)
{
    struct config_output_limits limits = {0};
    if (!config_value_output_limits(out, &limits) || !config_value_output_limits(text, &limits)) return false;
    out += write_limit(out, "normal", &limits.normal);
    out += write_limit(out, " slave", &limits.replica);
    write_limit(out, " pubsub", &limits.subscriber);
    return true;
}

const char *config_value_takes(enum setting_type type)
{
    switch (type) {
    case TYPE_TEXT: return "printable text of up to 1,000 bytes";
    case TYPE_WORD: return "up to 64 letters, digits, '-', '_' and '.'";
    case TYPE_PORT: return "a port from 0 to 65535";
    case TYPE_COUNT: return "a number from 0 to 2147483647";
    case TYPE_LARGE_COUNT: return "a number from 0 to 9223372036854775807";
    case TYPE_INTEGER: return "an integer";
    case TYPE_SIZE: return "bytes, as 1048576 or 1mb";
    case TYPE_BOOLEAN: return "yes or no";
    case TYPE_ALIAS: return "a number from 1, or a name that ends with one, as n2";
    case TYPE_LIST: return "host:port, several with commas between";
    case TYPE_PERCENTILES: return "up to 16 numbers from 0 to 100, with blanks between";
    case TYPE_EVENTS: return "letters of " COMMAND_NOTIFY_LETTERS;
    case TYPE_WHOM: return "no, local or yes";
    case TYPE_OUTPUT: return "normal, replica or pubsub and bytes, bytes, seconds, several with blanks between";
    case TYPE_DURABILITY: return "always, everysec or no";
    case TYPE_EVICTION: return "noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random or volatile-ttl";
    case TYPE_LEVEL: return "debug, info, warn or error";
    }
    return "something else";
}

bool config_value_canonical(enum setting_type type, const char *text, char *out)
{
    static const char *const whom[] = {"no", "local", "yes", NULL};
    static const char *const evictions[] = {"noeviction",   "allkeys-lru",     "allkeys-lfu",  "allkeys-random", "volatile-lru",
                                            "volatile-lfu", "volatile-random", "volatile-ttl", NULL};
    static const char *const durabilities[] = {"always", "everysec", "no", NULL};
    enum log_level level;
    switch (type) {
    case TYPE_PORT: return as_integer(text, 0, 65535, out);
    case TYPE_COUNT: return as_integer(text, 0, INT32_MAX, out);
    case TYPE_LARGE_COUNT: return as_integer(text, 0, INT64_MAX, out);
    case TYPE_INTEGER: return as_integer(text, INT64_MIN, INT64_MAX, out);
    case TYPE_SIZE: return as_size(text, out);
    case TYPE_BOOLEAN: return as_boolean(text, out);
    case TYPE_ALIAS: return as_alias(text, out);
    case TYPE_PERCENTILES: return as_percentiles(text, out);
    case TYPE_EVENTS: return command_notify_canonical(text, out);
    case TYPE_WHOM: return as_one_of(whom, text, out);
    case TYPE_OUTPUT: return as_output_limits(text, out);
    case TYPE_DURABILITY: return as_one_of(durabilities, text, out);
    case TYPE_EVICTION: return as_one_of(evictions, text, out);
    case TYPE_LEVEL:
        if (!log_parse_level(text, &level)) return false;
        strcpy(out, text);
        return true;
    case TYPE_WORD:
        if (!is_word(text)) return false;
        break;
    case TYPE_TEXT:
    case TYPE_LIST: break;
    }
    if (strlen(text) >= CONFIG_VALUE_MAX || !is_printable(text)) return false;
    strcpy(out, text);
    return true;
}
