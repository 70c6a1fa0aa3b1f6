/* Cluster scripts by name: the loaded one, which shadows the built-in one. */
#ifndef AIKV_CONTROL_SCRIPT_SOURCE_H
#define AIKV_CONTROL_SCRIPT_SOURCE_H

#include "script/policy.h"

struct script_found {
    const char *name;
    char version[17];
    struct bytes text; /* the state's, or the binary's */
    bool builtin;      /* this text is */
    bool shadows;      /* it is loaded, and there is a built-in one of its name */
    int64_t loaded_ms;
};

/* 16 hex digits of the SHA-256 of the text. */
void script_source_version(struct bytes text, char out[17]);
/* Whether `name` may be a script's: 1 to 64 of a-z 0-9 _ - */
bool script_source_name_valid(struct bytes name);
/* `version` "": the one that RUN takes; else one that is kept, or its beginning (from 6 digits). Errors: NOT_FOUND naming
 * the nearest, or the versions there are. */
int script_source_find(const struct cluster_state *s, struct bytes name, struct bytes version, struct script_found *out,
                       struct error *e);
/* All that RUN takes, sorted by name: an array of `*count` for the caller to free. */
struct script_found *script_source_list(const struct cluster_state *s, size_t *count);
/* The versions of one name, newest first, the built-in one last: likewise. */
struct script_found *script_source_versions(const struct cluster_state *s, const char *name, size_t *count);
/* The first comment line of a source, "" if it does not begin with one. */
void script_source_doc(struct bytes text, char *out, size_t size);

#endif
