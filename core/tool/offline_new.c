/* aikv script new: a policy to begin with, and its test. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/script_source.h"
#include "script/policy.h"
#include "tool/verb.h"

#define PLACEHOLDER "my-policy"

static const struct {
    const char *template, *ending;
} files[] = {{"template.policy", ".lua"}, {"template.policy_spec", "_spec.lua"}};
#define FILES (sizeof files / sizeof *files)

struct new_file {
    char path[CLUSTER_NAME_MAX + 16];
    int fd;
};

/* The template with the policy's own name in it. */
static void fill_in(const char *template, const char *name, struct buffer *out)
{
    const char *text = script_module_find(template)->text, *at;
    for (; (at = strstr(text, PLACEHOLDER)) != NULL; text = at + strlen(PLACEHOLDER)) {
        buffer_append(out, text, (size_t)(at - text));
        buffer_append_text(out, name);
    }
    buffer_append_text(out, text);
}

static int write_file(const struct new_file *f, const char *template, const char *name, struct error *e)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    fill_in(template, name, &text);
    ssize_t n = text.failed ? -1 : write(f->fd, text.data, text.len);
    bool whole = n == (ssize_t)text.len;
    int code = whole ? 0 : error_system(e, ERROR_IO, n < 0 ? errno : ENOSPC, "cannot write '%s'", f->path);
    buffer_release(&text);
    return code;
}

/* Neither is written if one of them is there. */
static int open_files(const char *name, struct new_file *out, struct error *e)
{
    for (size_t i = 0; i < FILES; i++) {
        snprintf(out[i].path, sizeof out[i].path, "%s%s", name, files[i].ending);
        out[i].fd = open(out[i].path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (out[i].fd >= 0) continue;
        int problem = errno;
        while (i--) {
            close(out[i].fd);
            unlink(out[i].path);
        }
        if (problem == EEXIST)
            return error_set(e, ERROR_EXISTS, "'%s%s' or its test is there already: nothing was written", name,
                             files[0].ending);
        return error_system(e, ERROR_IO, problem, "cannot make files for '%s'", name);
    }
    return 0;
}

int tool_script_new(struct tool_call *call)
{
    const char *name = call->words[0];
    struct new_file out[FILES];
    struct error e;
    if (!script_source_name_valid(bytes_text(name))) {
        error_set(&e, ERROR_CONFIG, "a policy's name is 1 to %d of a-z, 0-9, _ and -, not '%.80s'", CLUSTER_NAME_MAX,
                  name);
        return call_complain(call, TOOL_USAGE, &e);
    }
    if (open_files(name, out, &e)) return call_complain(call, TOOL_FAILED, &e);
    int code = 0;
    for (size_t i = 0; i < FILES; i++) {
        if (!code) code = write_file(&out[i], files[i].template, name, &e);
        close(out[i].fd);
    }
    if (code) return call_complain(call, TOOL_FAILED, &e);
    printf("wrote %s and %s\n  test it:  aikv script test %s\n  try it:   aikv script plan ./%s --view FILE\n",
           out[0].path, out[1].path, out[1].path, out[0].path);
    return TOOL_DONE;
}
