#include "script/embedded.h"

const struct script_builtin *script_builtin_at(size_t index)
{
    for (size_t i = 0; script_policies[i].name; i++)
        if (i == index) return &script_policies[i];
    return NULL;
}

const struct script_builtin *script_builtin_find(const char *name)
{
    for (const struct script_builtin *p = script_policies; p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

const struct script_builtin *script_module_find(const char *name)
{
    for (const struct script_builtin *m = script_modules; m->name; m++)
        if (strcmp(m->name, name) == 0) return m;
    return NULL;
}
