/* CONFIG REWRITE. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "server/config.h"
#include "server/replace_file.h"
#include "server/toml.h"

#define FILE_MAX ((size_t)1 << 20)

static bool is_written(const struct config *c, int id)
{
    return strcmp(c->source[id], CONFIG_SOURCE_SET) == 0;
}

static int read_file(const char *path, struct buffer *out, mode_t *mode, struct error *e)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f || fstat(fileno(f), &st)) {
        int problem = errno;
        if (f) fclose(f);
        return error_system(e, ERROR_IO, problem, "cannot read '%.300s'", path);
    }
    *mode = st.st_mode & 07777;
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, f)) > 0) buffer_append(out, part, n);
    bool read = !ferror(f);
    fclose(f);
    if (!read) return error_set(e, ERROR_IO, "cannot read '%.300s'", path);
    return out->failed ? error_set(e, ERROR_LIMIT, "'%.300s' is longer than %zu bytes", path, FILE_MAX) : 0;
}

/* A value as TOML. */
static void write_value(struct buffer *out, enum setting_type type, const char *text)
{
    if (type == TYPE_PORT || type == TYPE_COUNT || type == TYPE_LARGE_COUNT || type == TYPE_INTEGER || type == TYPE_SIZE) {
        buffer_append_text(out, text);
    } else if (type == TYPE_BOOLEAN) {
        buffer_append_text(out, strcmp(text, "yes") == 0 ? "true" : "false");
    } else {
        buffer_append_text(out, "\"");
        for (; *text; text++) buffer_printf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
        buffer_append_text(out, "\"");
    }
}

/* The file's text with all that was set, in `text`. */
static int edit(const struct config *c, struct buffer *text, struct error *e)
{
    struct buffer value, edited;
    int code = 0;
    buffer_init(&value, 4 * CONFIG_VALUE_MAX);
    buffer_init(&edited, FILE_MAX);
    for (int id = 0; id < SETTINGS && !code; id++) {
        if (!is_written(c, id)) continue;
        buffer_clear(&value);
        write_value(&value, setting_table[id].type, c->value[id]);
        buffer_append(&value, "", 1);
        code = toml_set(buffer_bytes(text), setting_table[id].section, setting_table[id].key, (const char *)value.data, &edited, e);
        if (code) break;
        struct buffer old = *text;
        *text = edited;
        edited = old;
    }
    buffer_release(&value);
    buffer_release(&edited);
    return code;
}

struct checking {
    const struct config *wanted;
    mode_t mode;
};

/* The new file must say what was set before it takes the place of the old one. */
static int check(void *user, const char *temporary, struct error *e)
{
    const struct checking *k = user;
    static struct config read; /* 30 KiB */
    config_init(&read);
    if (chmod(temporary, k->mode)) return error_system(e, ERROR_IO, errno, "cannot set the mode of '%.300s'", temporary);
    int code = config_read_file(&read, temporary, e);
    for (int id = 0; id < SETTINGS && !code; id++)
        if (is_written(k->wanted, id) && strcmp(read.value[id], k->wanted->value[id]) != 0)
            code = error_set(e, ERROR_CONFIG, "[%s] %s could not be written", setting_table[id].section, setting_table[id].key);
    return code;
}

int config_rewrite(const struct config *c, const char *path, struct error *e)
{
    char real[PATH_MAX];
    struct buffer text;
    struct checking k = {.wanted = c};
    int changes = 0;
    for (int id = 0; id < SETTINGS; id++) changes += is_written(c, id);
    if (changes == 0) return 0;
    if (!realpath(path, real)) return error_system(e, ERROR_IO, errno, "cannot find '%.300s'", path);
    if (strlen(real) > REPLACE_FILE_PATH_MAX) return error_set(e, ERROR_LIMIT, "the path of '%.300s' is too long", path);
    buffer_init(&text, FILE_MAX);
    int code = read_file(real, &text, &k.mode, e);
    if (!code) code = edit(c, &text, e);
    if (!code) code = replace_file(real, buffer_bytes(&text), 0600, check, &k, e);
    buffer_release(&text);
    return code;
}
