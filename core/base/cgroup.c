#include "base/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT ((uint64_t)1 << 60) /* version 1 tells of none by a number of that kind */

/* The number in a file; 0: there is no such file, or no limit in it ("max"). */
static uint64_t read_limit(const char *mount, const char *controller, const char *group, const char *name)
{
    char path[1200], text[64];
    if (snprintf(path, sizeof path, "%s%s%s/%s", mount, controller, group, name) >= (int)sizeof path) return 0;
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    bool read = fgets(text, sizeof text, f) != NULL;
    fclose(f);
    uint64_t limit = read ? strtoull(text, NULL, 10) : 0;
    return limit < NO_LIMIT ? limit : 0;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    if (!a || !b) return a ? a : b;
    return a < b ? a : b;
}

/* From the group, "/a/b", up to the root, "". */
static uint64_t lowest(const char *mount, const char *controller, char *group, const char *name)
{
    uint64_t limit = 0;
    if (strcmp(group, "/") == 0) *group = 0;
    for (;;) {
        limit = lower(limit, read_limit(mount, controller, group, name));
        char *last = strrchr(group, '/');
        if (!last) return limit;
        *last = 0;
    }
}

static bool lists(const char *controllers, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == 0)) return true;
    }
    return false;
}

/* A line is "number:controllers:group", with commas between controllers that are mounted together, each under its name too; version 2 has
 * none. */
static uint64_t limit_of_line(char *line, const char *mount)
{
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return 0;
    *controllers++ = 0;
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    if (!*controllers) return lowest(mount, "", group, "memory.max");
    return lists(controllers, "memory") ? lowest(mount, "/memory", group, "memory.limit_in_bytes") : 0;
}

uint64_t cgroup_memory_limit(const char *groups, const char *mount)
{
    char line[1024];
    uint64_t limit = 0;
    FILE *f = fopen(groups, "re");
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) limit = lower(limit, limit_of_line(line, mount));
    fclose(f);
    return limit;
}
