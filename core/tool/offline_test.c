/* aikv script test: busted, with the model cluster and aikv.* where require finds them. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/verb.h"

extern char **environ;

/* Where the Lua of this binary is, from the folder that the binary is in: installed, or in a build tree. */
static const struct {
    const char *modules, *model;
} places[] = {
    {"../share/aikv/lua", "../lib/aikv/lua"},
    {"../../lua", "lua"},
};

struct lua_paths {
    char modules[PATH_MAX], model[PATH_MAX];
};

static bool has_file(const char *folder, const char *relative)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, relative);
    return len < (int)sizeof path && access(path, R_OK) == 0;
}

static bool find_lua(struct lua_paths *out, struct error *e)
{
    char self[PATH_MAX] = "", path[PATH_MAX];
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return error_system(e, ERROR_IO, errno, "cannot read /proc/self/exe"), false;
    const char *folder = dirname(self);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%.4000s/%s", folder, places[i].modules);
        bool found = realpath(path, out->modules) && has_file(out->modules, "aikv/view.lua");
        snprintf(path, sizeof path, "%.4000s/%s", folder, places[i].model);
        if (found && realpath(path, out->model) && has_file(out->model, "aikv/model.so")) return true;
    }
    error_set(e, ERROR_NOT_FOUND,
              "the model cluster (aikv/model.so) is neither in %.100s/%s nor in %.100s/%s: build the target "
              "aikv_model, or install all of AiKv",
              folder, places[0].model, folder, places[1].model);
    return false;
}

/* Puts what require finds into the environment: beside the tests first, then ours, then what was there. */
static void set_paths(const struct lua_paths *lua, const char *folder)
{
    char path[4 * PATH_MAX];
    const char *given = getenv("LUA_PATH_5_4") ? getenv("LUA_PATH_5_4") : getenv("LUA_PATH");
    snprintf(path, sizeof path, "%s/?.lua;%s/?.lua;%s", folder, lua->modules, given ? given : ";");
    setenv("LUA_PATH", path, 1);
    given = getenv("LUA_CPATH_5_4") ? getenv("LUA_CPATH_5_4") : getenv("LUA_CPATH");
    snprintf(path, sizeof path, "%s/?.so;%s", lua->model, given ? given : ";");
    setenv("LUA_CPATH", path, 1);
    unsetenv("LUA_PATH_5_4");
    unsetenv("LUA_CPATH_5_4");
}

/* The folder of the tests, where their policies are too. */
static bool find_folder(const char *operand, char folder[PATH_MAX], struct error *e)
{
    struct stat s;
    if (!realpath(operand, folder) || stat(folder, &s))
        return error_system(e, ERROR_IO, errno, "cannot read '%.200s'", operand), false;
    if (!S_ISDIR(s.st_mode)) *strrchr(folder, '/') = 0; /* a real path begins with one; "" is the root */
    return true;
}

static int run_busted(const struct tool_call *call, const char *operand)
{
    char *argv[] = {"busted", "--lua=lua5.4", "--helper=aikv.sim.helper", "--no-recursive", (char *)operand, NULL};
    struct error e;
    pid_t pid;
    int status, problem = posix_spawnp(&pid, "busted", NULL, NULL, argv, environ);
    if (problem) {
        error_system(&e, ERROR_IO, problem, "cannot run busted (Debian: lua-busted and lua5.4)");
        return call_complain(call, TOOL_FAILED, &e);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return TOOL_FAILED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TOOL_DONE : TOOL_FAILED;
}

int tool_script_test(struct tool_call *call)
{
    struct lua_paths lua;
    struct error e;
    char folder[PATH_MAX];
    if (!find_folder(call->words[0], folder, &e)) return call_complain(call, TOOL_USAGE, &e);
    if (!find_lua(&lua, &e)) return call_complain(call, TOOL_FAILED, &e);
    set_paths(&lua, folder);
    return run_busted(call, call->words[0]);
}
