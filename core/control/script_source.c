#include "control/script_source.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"

#define VERSION_PREFIX_MIN 6 /* shortest beginning of a version that names it */

void script_source_version(struct bytes text, char out[17])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(text.len ? text.data : (const uint8_t *)"", text.len, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    for (int i = 0; i < 8; i++) snprintf(out + i * 2, 3, "%02x", digest[i]);
}

bool script_source_name_valid(struct bytes name)
{
    if (name.len < 1 || name.len > CLUSTER_NAME_MAX) return false;
    for (size_t i = 0; i < name.len; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name.data[i], 38)) return false;
    return true;
}

static void from_builtin(const struct script_builtin *b, struct script_found *out)
{
    *out = (struct script_found){.name = b->name, .text = bytes_of(b->text, b->len), .builtin = true};
    script_source_version(out->text, out->version);
}

static void from_loaded(const struct cluster_script *s, struct script_found *out)
{
    *out = (struct script_found){
        .name = s->name, .text = bytes_of(s->source, s->source_len), .loaded_ms = s->loaded_ms};
    memcpy(out->version, s->version, sizeof out->version);
    out->shadows = script_builtin_find(s->name) != NULL;
}

static int not_found(const struct cluster_state *s, struct bytes name, struct error *e)
{
    struct nearest n;
    nearest_begin(&n, name);
    for (size_t i = 0; script_builtin_at(i); i++) nearest_offer(&n, script_builtin_at(i)->name);
    for (uint32_t i = 0; i < s->script_count; i++) nearest_offer(&n, s->scripts[i].name);
    int len = (int)(name.len > 64 ? 64 : name.len);
    if (n.best)
        return error_set(e, ERROR_NOT_FOUND, "no script '%.*s'; did you mean '%s'?", len, (const char *)name.data,
                         n.best);
    return error_set(e, ERROR_NOT_FOUND, "no script '%.*s'; CLUSTER SCRIPT LIST shows those there are", len,
                     (const char *)name.data);
}

static int no_version(const struct cluster_state *s, const char *name, struct bytes version, struct error *e)
{
    char there_are[240] = ""; /* the ten that are kept, and the built-in one */
    size_t count, at = 0;
    struct script_found *list = script_source_versions(s, name, &count);
    for (size_t i = 0; i < count && at < sizeof there_are; i++)
        at += (size_t)snprintf(there_are + at, sizeof there_are - at, " %s", list[i].version);
    free(list);
    return error_set(e, ERROR_NOT_FOUND, "script '%s' has no version '%.*s'; there are%s", name,
                     (int)(version.len > 20 ? 20 : version.len), (const char *)version.data, there_are);
}

/* As with nodes, the beginning of a version will do, if no other begins so. */
static bool is_meant(const struct script_found *f, struct bytes version)
{
    return version.len >= VERSION_PREFIX_MIN && version.len < sizeof f->version &&
           memcmp(f->version, version.data, version.len) == 0;
}

static int find_version(const struct cluster_state *s, const char *name, struct bytes version, struct script_found *out,
                        struct error *e)
{
    size_t count;
    const struct script_found *found = NULL;
    struct script_found *list = script_source_versions(s, name, &count);
    bool several = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_meant(&list[i], version)) continue;
        several |= found && strcmp(found->version, list[i].version) != 0;
        if (!found) found = &list[i]; /* a loaded one stands before a built-in one of the same text */
    }
    if (found) *out = *found;
    free(list);
    if (several)
        return error_set(e, ERROR_NOT_FOUND, "several versions of script '%s' begin with '%.*s'", name,
                         (int)version.len, (const char *)version.data);
    return found ? 0 : no_version(s, name, version, e);
}

int script_source_find(const struct cluster_state *s, struct bytes name, struct bytes version, struct script_found *out,
                       struct error *e)
{
    char name_text[CLUSTER_NAME_MAX + 1];
    if (!script_source_name_valid(name)) return not_found(s, name, e);
    snprintf(name_text, sizeof name_text, "%.*s", (int)name.len, (const char *)name.data);
    const struct cluster_script *loaded = cluster_script_find(s, name_text, NULL);
    const struct script_builtin *builtin = script_builtin_find(name_text);
    if (!loaded && !builtin) return not_found(s, name, e);
    if (version.len) return find_version(s, name_text, version, out, e);
    if (loaded)
        from_loaded(loaded, out);
    else
        from_builtin(builtin, out);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct script_found *)a)->name, ((const struct script_found *)b)->name);
}

struct script_found *script_source_list(const struct cluster_state *s, size_t *count)
{
    size_t builtins = 0, n = 0;
    while (script_builtin_at(builtins)) builtins++;
    struct script_found *list = calloc(builtins + s->script_count + 1, sizeof *list);
    if (!list) abort();
    for (uint32_t i = 0; i < s->script_count; i++)
        if (s->scripts[i].current) from_loaded(&s->scripts[i], &list[n++]);
    for (size_t i = 0; i < builtins; i++)
        if (!cluster_script_find(s, script_builtin_at(i)->name, NULL)) from_builtin(script_builtin_at(i), &list[n++]);
    qsort(list, n, sizeof *list, by_name);
    *count = n;
    return list;
}

struct script_found *script_source_versions(const struct cluster_state *s, const char *name, size_t *count)
{
    const struct script_builtin *builtin = script_builtin_find(name);
    struct script_found *list = calloc(s->script_count + 1u, sizeof *list);
    if (!list) abort();
    *count = 0;
    for (uint32_t i = s->script_count; i-- > 0;)
        if (strcmp(s->scripts[i].name, name) == 0) from_loaded(&s->scripts[i], &list[(*count)++]);
    if (builtin) from_builtin(builtin, &list[(*count)++]);
    return list;
}

void script_source_doc(struct bytes text, char *out, size_t size)
{
    out[0] = 0;
    if (text.len < 2 || memcmp(text.data, "--", 2) != 0) return;
    size_t from = 2;
    while (from < text.len && (text.data[from] == ' ' || text.data[from] == '-')) from++;
    const uint8_t *end = memchr(text.data + from, '\n', text.len - from);
    size_t len = end ? (size_t)(end - text.data) - from : text.len - from;
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), (const char *)text.data + from);
}
