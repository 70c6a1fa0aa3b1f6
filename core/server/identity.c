#include "server/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "server/replace_file.h"

#define NODE_FORMAT 1

/* A path that leads nowhere is the configuration's fault, not the disk's. */
static enum error_code path_problem(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG || errnum == ELOOP ? ERROR_CONFIG : ERROR_IO;
}

/* And all above it that are missing. A power cut does not take them away again. */
static int make_directories(const char *dir, struct error *e)
{
    char path[1024];
    if (strlen(dir) >= sizeof path - 32) return error_set(e, ERROR_CONFIG, "[storage] data_dir is longer than 990 bytes");
    strcpy(path, dir);
    for (char *p = path + 1;; p++) {
        if (*p && *p != '/') continue;
        char end = *p;
        *p = 0;
        if (mkdir(path, 0750) == 0) {
            if (replace_file_sync_parent(path, e)) return e->code;
        } else if (errno != EEXIST)
            return error_system(e, path_problem(errno), errno, "cannot make data directory '%s'", path);
        if (!end) return 0;
        *p = end;
    }
}

static int take_lock(struct identity *i, struct error *e)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/LOCK", i->dir);
    i->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (i->lock_fd < 0) return error_system(e, path_problem(errno), errno, "cannot open '%.300s'", path);
    if (flock(i->lock_fd, LOCK_EX | LOCK_NB) == 0) return 0;
    int problem = errno;
    close(i->lock_fd);
    i->lock_fd = -1;
    if (problem == EWOULDBLOCK)
        return error_set(e, ERROR_LOCKED, "another aikv uses the data directory '%.300s': end it, or give this one another --data-dir", i->dir);
    return error_system(e, ERROR_IO, problem, "cannot lock '%.300s'", path);
}

static int wrong(const char *path, const char *what, struct error *e)
{
    return error_set(e, ERROR_FORMAT, "'%.250s': %s", path, what);
}

static bool read_id(const json_t *root, const char *key, char out[CLUSTER_ID_LEN + 1], bool may_be_empty)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text || (strlen(text) != CLUSTER_ID_LEN && !(may_be_empty && !*text))) return false;
    if (strspn(text, "0123456789abcdef") != strlen(text)) return false;
    strcpy(out, text);
    return true;
}

static bool read_number(const json_t *root, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(root, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static int read_node_file(struct identity *i, const char *path, struct error *e)
{
    json_error_t problem;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    if (!root) return wrong(path, problem.text, e);
    json_int_t format = json_integer_value(json_object_get(root, "format"));
    int code = 0;
    if (format != NODE_FORMAT)
        code = error_set(e, ERROR_FORMAT, "'%.250s' has format %lld, this version of aikv knows %d", path, (long long)format, NODE_FORMAT);
    else if (!read_id(root, "node_id", i->node_id, false) || !read_id(root, "cluster_id", i->cluster_id, true))
        code = wrong(path, "node_id or cluster_id is not 40 hex digits", e);
    if (!code && !(read_number(root, "incarnation", &i->incarnation) && read_number(root, "raft_id", &i->raft_id)))
        code = wrong(path, "incarnation or raft_id is not a number from 0", e);
    i->took_part = json_is_true(json_object_get(root, "took_part"));
    i->left_raft = json_is_true(json_object_get(root, "left_raft"));
    i->has_data = json_is_true(json_object_get(root, "has_data"));
    json_decref(root);
    return code;
}

/* node.json is written before anything else, so where there is something else it was lost, and with it who this is. */
static int check_parts(const struct identity *i, struct error *e)
{
    static const char *const parts[] = {"lmdb", "raft"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        char path[1100];
        snprintf(path, sizeof path, "%s/%s", i->dir, parts[k]);
        if (access(path, F_OK) == 0)
            return error_set(e, ERROR_FORMAT, "'%.200s' holds %s/ but no node.json: restore it from a backup; to begin anew, empty the directory",
                             i->dir, parts[k]);
    }
    return 0;
}

static int make_new(struct identity *i, struct error *e)
{
    int code = check_parts(i, e);
    if (!code) random_hex(i->node_id, CLUSTER_ID_LEN);
    return code;
}

int identity_open(struct identity *i, const char *dir, struct error *e)
{
    *i = (struct identity){.lock_fd = -1};
    int code = make_directories(dir, e);
    if (code) return code;
    snprintf(i->dir, sizeof i->dir, "%s", dir);
    if ((code = take_lock(i, e))) return code;
    char path[1100];
    snprintf(path, sizeof path, "%s/node.json", i->dir);
    if (access(path, F_OK) == 0)
        code = read_node_file(i, path, e);
    else if (errno == ENOENT)
        code = make_new(i, e);
    else
        code = error_system(e, ERROR_IO, errno, "cannot read '%.300s'", path);
    if (!code) {
        i->incarnation++;
        code = identity_save(i, e);
    }
    if (code) identity_close(i);
    return code;
}

static int lock_to_look(struct identity *i, bool alone, struct error *e)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/LOCK", i->dir);
    i->lock_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (i->lock_fd < 0) return errno == ENOENT ? 0 : error_system(e, ERROR_IO, errno, "cannot open '%.300s'", path);
    if (flock(i->lock_fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return 0;
    if (errno == EWOULDBLOCK) return error_set(e, ERROR_LOCKED, "another aikv uses the data directory '%.300s': end it, or look at a copy", i->dir);
    return error_system(e, ERROR_IO, errno, "cannot lock '%.300s'", path);
}

int identity_look(struct identity *i, const char *dir, bool alone, struct error *e)
{
    char path[1100];
    *i = (struct identity){.lock_fd = -1};
    if (strlen(dir) >= sizeof i->dir - 32) return error_set(e, ERROR_CONFIG, "the name of the data directory is longer than 990 bytes");
    snprintf(i->dir, sizeof i->dir, "%s", dir);
    snprintf(path, sizeof path, "%s/node.json", dir);
    if (access(dir, R_OK | X_OK)) return error_system(e, path_problem(errno), errno, "cannot look at data directory '%.300s'", dir);
    int code = lock_to_look(i, alone, e);
    if (!code) {
        if (access(path, F_OK) == 0)
            code = read_node_file(i, path, e);
        else if (errno != ENOENT)
            code = error_system(e, ERROR_IO, errno, "cannot read '%.300s'", path);
        else if (!(code = check_parts(i, e)))
            code = error_set(e, ERROR_CONFIG, "no node has kept data in '%.300s'", dir);
    }
    if (code) identity_close(i);
    return code;
}

int identity_save(const struct identity *i, struct error *e)
{
    json_t *root = json_pack("{s:i, s:s, s:I, s:s, s:I, s:b, s:b, s:b}", "format", NODE_FORMAT, "node_id", i->node_id, "incarnation",
                             (json_int_t)i->incarnation, "cluster_id", i->cluster_id, "raft_id", (json_int_t)i->raft_id, "took_part",
                             i->took_part, "left_raft", i->left_raft, "has_data", i->has_data);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text) return error_set(e, ERROR_OOM, "no memory for node.json");
    char path[1100];
    snprintf(path, sizeof path, "%s/node.json", i->dir);
    int code = replace_file(path, bytes_text(text), 0640, NULL, NULL, e);
    free(text);
    return code;
}

void identity_close(struct identity *i)
{
    if (i->lock_fd >= 0) close(i->lock_fd);
    i->lock_fd = -1;
}
