/* aikv cluster status: whether the cluster is healthy, and why not. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/connection.h"
#include "tool/picture.h"
#include "tool/print.h"
#include "tool/verb.h"

struct health {
    const struct picture *picture;
    json_t *document;
    json_t *problems; /* texts, in the document */
};

static void problem(struct health *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct health *h, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *value = json_string(text);
    json_array_append_new(h->problems, value ? value : json_string("one that cannot be shown"));
}

static void tell(struct health *h, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void tell(struct health *h, const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_object_set_new(h->document, name, json_string(text));
}

static bool is_true(const json_t *row, const char *field)
{
    return json_is_true(json_object_get(row, field));
}

static const json_t *rows(const struct health *h, const char *list)
{
    return json_object_get(h->picture->view, list);
}

/* ---- what the view tells ---- */

static void look_at_nodes(struct health *h)
{
    const json_t *nodes = rows(h, "nodes");
    size_t members = 0, up = 0, candidates = 0;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        char name[16];
        if (strcmp(call_text(node, "state"), "candidate") == 0) {
            candidates++;
            continue;
        }
        members++;
        up += is_true(node, "up");
        picture_node_name(node, name);
        if (!is_true(node, "up"))
            problem(h, "node %s is down (%.8s, %s)", name, call_text(node, "id"),
                    picture_address(h->picture, call_text(node, "id")));
    }
    tell(h, "nodes", "%zu of %zu up", up, members);
    json_object_set_new(h->document, "candidates", json_integer((json_int_t)candidates));
}

static int by_number(const void *a, const void *b)
{
    long x = atol(a), y = atol(b);
    return (x > y) - (x < y);
}

static void look_at_voters(struct health *h)
{
    const json_t *voters = rows(h, "voters");
    size_t count = json_array_size(voters), up = 0;
    char names[16][16], line[sizeof names + 16] = "";
    if (count > sizeof names / sizeof *names) count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++) {
        const json_t *node = picture_node(h->picture, json_string_value(json_array_get(voters, i)));
        picture_node_name(node, names[i]);
        up += is_true(node, "up");
    }
    qsort(names, count, sizeof *names, by_number);
    for (size_t i = 0, len = 0; i < count; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s", i ? " " : "", names[i]);
    tell(h, "voters", "%s", line);
    if (count > 1 && up == count / 2 + 1 && up < count)
        problem(h, "%zu of %zu voters are up: with one less MetaRaft stands still", up, count);
}

static size_t count_slots(const json_t *ranges)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        count += (size_t)(json_integer_value(json_array_get(range, 1)) - json_integer_value(json_array_get(range, 0)) +
                          1);
    }
    return count;
}

static void look_at_shards(struct health *h)
{
    const json_t *shards = rows(h, "shards");
    size_t count = json_array_size(shards), serving = 0, unassigned = count_slots(rows(h, "unassigned"));
    for (size_t i = 0; i < count; i++) {
        const json_t *shard = json_array_get(shards, i);
        char name[16];
        picture_node_name(picture_node(h->picture, call_text(shard, "primary")), name);
        serving += is_true(shard, "serving");
        if (!is_true(shard, "serving"))
            problem(h, "shard %s does not serve: its primary is node %s", call_text(shard, "id"), name);
    }
    if (unassigned)
        problem(h, "%zu slots are unassigned%s", unassigned,
                count ? "" : ": 'aikv script run init' makes a cluster of the nodes");
    tell(h, "shards", "%zu of %zu serve", serving, count);
    json_object_set_new(h->document, "unassigned", json_integer((json_int_t)unassigned));
}

static void look_at_leader(struct health *h)
{
    char name[16];
    const char *id = call_text(h->picture->view, "leader");
    picture_node_name(picture_node(h->picture, id), name);
    tell(h, "leader", "%s", name);
    if (!*id) problem(h, "MetaRaft has no leader");
    if (*call_text(h->picture->metaraft, "change_problem"))
        problem(h, "MetaRaft: %s", call_text(h->picture->metaraft, "change_problem"));
}

/* ---- what policies are doing ---- */

/* A reply that the status can do without: an error is shown in its place. */
static json_t *ask(const struct tool_call *call, const char *group, const char *name, const char *error_field,
                   struct health *h)
{
    struct bytes reply,
        argv[] = {bytes_text("CLUSTER"), bytes_text("SCRIPT"), bytes_text(group), bytes_text(name ? name : "")};
    struct error e;
    int code = connection_call(call->node, argv, name ? 4 : 3, &reply, &e);
    if (!code) return connection_value(reply);
    tell(h, error_field, "unknown: %s", e.text);
    return NULL;
}

static void look_at_run(const struct tool_call *call, struct health *h)
{
    json_t *run = ask(call, "STATUS", NULL, "run", h);
    if (json_is_object(run) && strcmp(call_text(run, "status"), "running") == 0)
        tell(h, "run", "%" PRId64 " of %s %s%s%s", call_integer(run, "run"), call_text(run, "script"),
             is_true(run, "paused") ? "is paused" : "is running",
             *call_text(run, "waiting_for") ? ", waiting for: " : "", call_text(run, "waiting_for"));
    else if (run)
        tell(h, "run", "none is running");
    json_decref(run);
}

static void look_at_triggers(const struct tool_call *call, struct health *h)
{
    json_t *list = ask(call, "TRIGGER", "LIST", "triggers", h);
    if (!list) return;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *trigger = json_array_get(list, i);
        if (*call_text(trigger, "problem"))
            problem(h, "trigger %s: %s", call_text(trigger, "id"), call_text(trigger, "problem"));
    }
    tell(h, "triggers", "%zu%s", json_array_size(list),
         is_true(h->picture->metaraft, "triggers_paused") ? ", paused" : "");
    json_decref(list);
}

/* Without a view: what the asked node knows by itself. */
static void look_at_metaraft(struct health *h)
{
    const json_t *status = h->picture->metaraft, *members = json_object_get(status, "members");
    char line[256] = "";
    for (size_t i = 0, len = 0; i < json_array_size(members) && len < sizeof line - 1; i++) {
        const json_t *member = json_array_get(members, i);
        if (strcmp(json_string_value(json_array_get(member, 1)) ? json_string_value(json_array_get(member, 1)) : "",
                   "voter") != 0)
            continue;
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%" PRId64, len ? " " : "",
                                (int64_t)json_integer_value(json_array_get(member, 0)));
    }
    tell(h, "leader", "%s", call_text(status, "leader"));
    tell(h, "voters", "%s", line);
    tell(h, "this_node", "%s", call_text(status, "state"));
}

/* ---- all ---- */

static void look(const struct tool_call *call, struct health *h)
{
    if (!h->picture->view) {
        problem(h, "%s", h->picture->why.text);
        look_at_metaraft(h);
        return;
    }
    look_at_leader(h);
    look_at_voters(h);
    look_at_nodes(h);
    look_at_shards(h);
    look_at_run(call, h);
    look_at_triggers(call, h);
}

static void print_health(const struct health *h)
{
    size_t count = json_array_size(h->problems);
    struct buffer line;
    buffer_init(&line, 64 << 10);
    printf(count ? "NOT HEALTHY\n" : "healthy\n");
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&line, "  ");
        print_cell(&line, "", json_array_get(h->problems, i));
        buffer_append_text(&line, "\n");
        print_out(&line);
    }
    buffer_release(&line);
    json_object_del(h->document, "healthy");
    json_object_del(h->document, "problems");
    print_map(h->document);
}

int tool_cluster_status(struct tool_call *call)
{
    struct picture p;
    int code = picture_take(call, &p);
    if (code) return code;
    struct health h = {.picture = &p, .document = json_object(), .problems = json_array()};
    json_object_set_new(h.document, "healthy", json_false());
    json_object_set(h.document, "problems", h.problems);
    look(call, &h);
    bool healthy = json_array_size(h.problems) == 0;
    json_object_set_new(h.document, "healthy", json_boolean(healthy));
    if (!call->json)
        print_health(&h);
    else if (call_print_json(h.document))
        healthy = false;
    json_decref(h.problems);
    json_decref(h.document);
    picture_release(&p);
    return healthy ? TOOL_DONE : TOOL_FAILED;
}
