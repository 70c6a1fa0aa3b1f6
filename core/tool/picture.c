#include "tool/picture.h"

#include <stdio.h>
#include <string.h>

#include "tool/connection.h"

static int ask(const struct tool_call *call, const char *group, const char *name, json_t **out, struct error *e)
{
    struct bytes reply, argv[] = {bytes_text("CLUSTER"), bytes_text(group), bytes_text(name ? name : "")};
    int code = connection_call(call->node, argv, name ? 3 : 2, &reply, e);
    if (code) return code;
    *out = connection_value(reply);
    return *out ? TOOL_DONE : (error_set(e, ERROR_UNREACHABLE, "the node's reply makes no sense"), TOOL_UNREACHABLE);
}

/* The addresses in the lines of CLUSTER NODES: "id host:port@bus,name flags …". */
static json_t *read_addresses(const char *lines)
{
    json_t *addresses = json_object();
    char id[64], address[300];
    for (; lines; lines = strchr(lines, '\n')) {
        lines += *lines == '\n';
        if (sscanf(lines, "%63s %299[^ @]", id, address) == 2) json_object_set_new(addresses, id, json_string(address));
    }
    return addresses;
}

static int ask_addresses(const struct tool_call *call, json_t **out, struct error *e)
{
    json_t *lines = NULL;
    int code = ask(call, "NODES", NULL, &lines, e);
    if (code) return code;
    *out = read_addresses(json_string_value(lines));
    json_decref(lines);
    return TOOL_DONE;
}

static int ask_view(const struct tool_call *call, struct picture *p)
{
    json_t *text = NULL;
    json_error_t problem;
    int code = ask(call, "SCRIPT", "VIEW", &text, &p->why);
    if (code) return code;
    p->view = json_string_value(text) ? json_loads(json_string_value(text), 0, &problem) : NULL;
    json_decref(text);
    if (json_is_object(p->view)) return TOOL_DONE;
    error_set(&p->why, ERROR_UNREACHABLE, "the node's view is no JSON object");
    return TOOL_UNREACHABLE;
}

/* The view comes first: a node waits some seconds for a leader before it says that there is none, and what it knows is
 * to be no older than that. */
int picture_take(const struct tool_call *call, struct picture *out)
{
    struct error e;
    *out = (struct picture){0};
    int code = ask_view(call, out);
    if (code && strncmp(out->why.text, "CLUSTERDOWN", 11) != 0) return call_complain(call, code, &out->why);
    code = ask(call, "METARAFT", "STATUS", &out->metaraft, &e);
    if (!code) code = ask_addresses(call, &out->addresses, &e);
    if (!code) return TOOL_DONE;
    picture_release(out);
    return call_complain(call, code, &e);
}

void picture_release(struct picture *p)
{
    json_decref(p->view);
    json_decref(p->metaraft);
    json_decref(p->addresses);
    p->view = p->metaraft = p->addresses = NULL;
}

const json_t *picture_node(const struct picture *p, const char *id)
{
    const json_t *nodes = json_object_get(p->view, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++)
        if (id && strcmp(call_text(json_array_get(nodes, i), "id"), id) == 0) return json_array_get(nodes, i);
    return NULL;
}

void picture_node_name(const json_t *node, char out[16])
{
    const char *alias = call_text(node, "alias");
    snprintf(out, 16, "%.*s", *alias ? 15 : 8, *alias ? alias : call_text(node, "id"));
}

const char *picture_address(const struct picture *p, const char *id)
{
    return call_text(p->addresses, id);
}
