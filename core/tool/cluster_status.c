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
    json_t *problems, *warnings; /* texts, in the document; what is a warning may well be meant so */
    json_t *shown;               /* for people: lines by name */
};

static void add_text(json_t *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_text(json_t *list, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *value = json_string(text);
    json_array_append_new(list, value ? value : json_string("one that cannot be shown"));
}

#define problem(h, ...) add_text((h)->problems, __VA_ARGS__)
#define warning(h, ...) add_text((h)->warnings, __VA_ARGS__)

static void show(struct health *h, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void show(struct health *h, const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_object_set_new(h->shown, name, json_string(text));
}

/* A field of the document; `value` is taken. */
static void set(struct health *h, const char *name, json_t *value)
{
    json_object_set_new(h->document, name, value);
}

static json_t *number(size_t value)
{
    return json_integer((json_int_t)value);
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
    show(h, "nodes", "%zu of %zu up", up, members);
    show(h, "candidates", "%zu", candidates);
    set(h, "nodes", json_pack("{s:o, s:o}", "members", number(members), "up", number(up)));
    set(h, "candidates", number(candidates));
}

static int by_number(const void *a, const void *b)
{
    long x = atol(a), y = atol(b);
    return (x > y) - (x < y);
}

/* Whether MetaRaft could lose one more voter. A cluster whose setting is one voter is not meant to. */
static void judge_voters(struct health *h, size_t count, size_t up)
{
    bool spare = up > count / 2 + 1, alone = call_integer(json_object_get(h->picture->view, "settings"), "voters") == 1 && count == 1;
    size_t members = 0;
    for (size_t i = 0; i < json_array_size(rows(h, "nodes")); i++)
        members += strcmp(call_text(json_array_get(rows(h, "nodes"), i), "state"), "candidate") != 0;
    if (spare || alone || members < 3) return;
    if (up < count)
        problem(h, "%zu of %zu voters are up: with one less MetaRaft stands still", up, count);
    else
        problem(h, "%zu of %zu members vote: with one voter less MetaRaft stands still; 'aikv script run membership' gives others the vote", count,
                members);
}

static void look_at_voters(struct health *h)
{
    const json_t *voters = rows(h, "voters");
    size_t count = json_array_size(voters), up = 0;
    char names[16][16], line[sizeof names + 16] = "";
    json_t *list = json_array();
    if (count > sizeof names / sizeof *names) count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++) {
        const json_t *node = picture_node(h->picture, json_string_value(json_array_get(voters, i)));
        picture_node_name(node, names[i]);
        up += is_true(node, "up");
    }
    qsort(names, count, sizeof *names, by_number);
    for (size_t i = 0, len = 0; i < count; i++) {
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s", i ? " " : "", names[i]);
        json_array_append_new(list, json_string(names[i]));
    }
    show(h, "voters", "%s", line);
    set(h, "voters", list);
    judge_voters(h, count, up);
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
    show(h, "shards", "%zu of %zu serve", serving, count);
    show(h, "unassigned", "%zu", unassigned);
    set(h, "shards", json_pack("{s:o, s:o}", "all", number(count), "serving", number(serving)));
    set(h, "unassigned", number(unassigned));
}

static void look_at_leader(struct health *h)
{
    char name[16];
    const char *id = call_text(h->picture->view, "leader");
    picture_node_name(picture_node(h->picture, id), name);
    show(h, "leader", "%s", name);
    set(h, "leader", json_string(name));
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
    show(h, error_field, "unknown: %s", e.text);
    warning(h, "%s: unknown: %s", error_field, e.text);
    return NULL;
}

/* What is running, as numbers and texts; null: nothing. */
static void set_run(struct health *h, const json_t *run)
{
    static const char *const fields[] = {"run", "script", "trigger", "paused", "round", "waiting_for"};
    bool runs = strcmp(call_text(run, "status"), "running") == 0;
    json_t *value = runs ? json_object() : json_null();
    for (size_t i = 0; runs && i < sizeof fields / sizeof *fields; i++)
        json_object_set(value, fields[i], json_object_get(run, fields[i]));
    set(h, "run", value);
}

static void look_at_run(const struct tool_call *call, struct health *h)
{
    json_t *run = ask(call, "STATUS", NULL, "run", h);
    if (json_is_object(run) && strcmp(call_text(run, "status"), "running") == 0)
        show(h, "run", "%" PRId64 " of %s %s%s%s", call_integer(run, "run"), call_text(run, "script"),
             is_true(run, "paused") ? "is paused" : "is running",
             *call_text(run, "waiting_for") ? ", waiting for: " : "", call_text(run, "waiting_for"));
    else if (run)
        show(h, "run", "none is running");
    set_run(h, run);
    json_decref(run);
}

static void look_at_triggers(const struct tool_call *call, struct health *h)
{
    json_t *list = ask(call, "TRIGGER", "LIST", "triggers", h);
    bool paused = is_true(h->picture->metaraft, "triggers_paused"), any_for_a_dead_node = false;
    if (!list) return;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *trigger = json_array_get(list, i);
        any_for_a_dead_node |= strcmp(call_text(trigger, "event"), "node_down") == 0;
        if (*call_text(trigger, "problem"))
            problem(h, "trigger %s: %s", call_text(trigger, "id"), call_text(trigger, "problem"));
    }
    if (paused) warning(h, "triggers are paused: nothing acts by itself until 'aikv script trigger resume'");
    if (!any_for_a_dead_node)
        warning(h, "no trigger on node_down: nothing replaces a voter that dies; 'aikv script trigger set membership "
                   "membership on node_down' makes the usual one");
    show(h, "triggers", "%zu%s", json_array_size(list), paused ? ", paused" : "");
    set(h, "triggers", json_pack("{s:o, s:b}", "set", number(json_array_size(list)), "paused", paused));
    json_decref(list);
}

/* Without a view: what the asked node knows by itself, and how old that is. */
static void look_at_metaraft(struct health *h)
{
    const json_t *status = h->picture->metaraft, *voters = json_object_get(status, "voters");
    const char *leader = call_text(status, "leader"), *last = call_text(status, "last_leader");
    char line[256] = "";
    for (size_t i = 0, len = 0; i < json_array_size(voters) && len < sizeof line - 1; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%.41s", len ? " " : "",
                                json_string_value(json_array_get(voters, i)));
    if (!*leader && *last)
        problem(h,
                "this node last heard a leader, node %s, %" PRId64
                " s ago: what it knows of the others (CLUSTER NODES, CLUSTER INFO) is as old",
                last, call_integer(status, "leader_silent_ms") / 1000);
    show(h, "leader", "%s", leader);
    show(h, "voters", "%s", line);
    show(h, "this_node", "%s", call_text(status, "state"));
    set(h, "leader", json_string(leader));
    set(h, "last_leader", json_string(last));
    set(h, "leader_silent_ms", json_integer(call_integer(status, "leader_silent_ms")));
    set(h, "voters", voters ? json_incref((json_t *)voters) : json_array());
    set(h, "this_node", json_string(call_text(status, "state")));
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

static void print_texts(const char *before, const json_t *texts)
{
    struct buffer line;
    buffer_init(&line, 64 << 10);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        buffer_append_text(&line, before);
        print_cell(&line, "", json_array_get(texts, i));
        buffer_append_text(&line, "\n");
        print_out(&line);
    }
    buffer_release(&line);
}

static void print_health(const struct health *h)
{
    printf(json_array_size(h->problems) ? "NOT HEALTHY\n" : "healthy\n");
    print_texts("  ", h->problems);
    print_texts("  warning: ", h->warnings);
    print_map(h->shown);
}

int tool_cluster_status(struct tool_call *call)
{
    struct picture p;
    int code = picture_take(call, &p);
    if (code) return code;
    struct health h = {.picture = &p,
                       .document = json_object(),
                       .problems = json_array(),
                       .warnings = json_array(),
                       .shown = json_object()};
    json_object_set_new(h.document, "healthy", json_false());
    json_object_set(h.document, "problems", h.problems);
    json_object_set(h.document, "warnings", h.warnings);
    look(call, &h);
    bool healthy = json_array_size(h.problems) == 0;
    json_object_set_new(h.document, "healthy", json_boolean(healthy));
    if (!call->json)
        print_health(&h);
    else if (call_print_json(h.document))
        healthy = false;
    json_decref(h.problems);
    json_decref(h.warnings);
    json_decref(h.shown);
    json_decref(h.document);
    picture_release(&p);
    return healthy ? TOOL_DONE : TOOL_FAILED;
}
