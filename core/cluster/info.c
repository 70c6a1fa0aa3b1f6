#include "info.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/number.h"
#include "text.h"

static int bad(struct error *e, const char *field, const char *problem)
{
    return error_set(e, ERROR_SYNTAX, "node info: %s %s", field, problem);
}

static bool is_cidr(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : 0;
    if (!slash || len >= sizeof address) return false;
    memcpy(address, text, len);
    address[len] = 0;
    int64_t bits;
    unsigned char raw[16];
    if (!number_parse_integer(bytes_text(slash + 1), &bits) || bits < 0) return false;
    if (inet_pton(AF_INET, address, raw) == 1) return bits <= 32;
    return inet_pton(AF_INET6, address, raw) == 1 && bits <= 128;
}

static int check_endpoints(const struct cluster_node_info *i, struct error *e)
{
    if (i->endpoint_count == 0 || i->endpoint_count > CLUSTER_ENDPOINTS_MAX)
        return error_set(e, ERROR_SYNTAX, "node info: %u endpoints; there must be 1 to %d", i->endpoint_count,
                         CLUSTER_ENDPOINTS_MAX);
    for (uint32_t k = 0; k < i->endpoint_count; k++) {
        const struct cluster_endpoint *p = &i->endpoints[k];
        if (strcmp(p->match, "any") != 0 && strcmp(p->match, "gateway") != 0 && !is_cidr(p->match))
            return bad(e, "endpoint match", "must be any, gateway or a CIDR");
        if (!cluster_text_is_host(p->host)) return bad(e, "endpoint host", "is no host name or address");
        if (p->port == 0) return bad(e, "endpoint port", "is 0");
    }
    if (strcmp(i->endpoints[i->endpoint_count - 1].match, "any") != 0) return bad(e, "last endpoint", "must match any");
    return 0;
}

int cluster_node_info_check(const struct cluster_node_info *i, struct error *e)
{
    if (!cluster_text_is_hex(i->id, CLUSTER_ID_LEN)) return bad(e, "id", "must be 40 lower-case hex digits");
    if (!cluster_text_is_word(i->name)) return bad(e, "name", "must be printable, without blanks, and not empty");
    if (!cluster_text_is_word(i->version)) return bad(e, "version", "must be printable, without blanks, and not empty");
    if (!cluster_text_is_host(i->bus_host)) return bad(e, "bus_host", "is no host name or address");
    if (i->bus_port == 0) return bad(e, "bus_port", "is 0");
    if (i->zone[0] && !cluster_text_is_word(i->zone)) return bad(e, "zone", "must be printable, without blanks");
    if (!cluster_text_is_line(i->labels)) return bad(e, "labels", "holds a control character");
    return check_endpoints(i, e);
}

void cluster_node_info_write(struct buffer *b, const struct cluster_node_info *i)
{
    write_text(b, i->id);
    write_u32(b, i->alias);
    write_text(b, i->name);
    write_text(b, i->version);
    write_text(b, i->bus_host);
    write_u16(b, i->bus_port);
    write_text(b, i->zone);
    write_text(b, i->labels);
    write_u64(b, i->incarnation);
    write_u32(b, i->endpoint_count);
    for (uint32_t k = 0; k < i->endpoint_count; k++) {
        write_text(b, i->endpoints[k].match);
        write_text(b, i->endpoints[k].host);
        write_u16(b, i->endpoints[k].port);
    }
}

int cluster_node_info_read(struct reader *in, struct cluster_node_info *out, struct error *e)
{
    *out = (struct cluster_node_info){0};
    read_text(in, out->id, sizeof out->id);
    out->alias = read_u32(in);
    read_text(in, out->name, sizeof out->name);
    read_text(in, out->version, sizeof out->version);
    read_text(in, out->bus_host, sizeof out->bus_host);
    out->bus_port = read_u16(in);
    read_text(in, out->zone, sizeof out->zone);
    read_text(in, out->labels, sizeof out->labels);
    out->incarnation = read_u64(in);
    out->endpoint_count = read_count(in, CLUSTER_ENDPOINTS_MAX, 4 + 4 + 2);
    for (uint32_t k = 0; k < out->endpoint_count; k++) {
        read_text(in, out->endpoints[k].match, sizeof out->endpoints[k].match);
        read_text(in, out->endpoints[k].host, sizeof out->endpoints[k].host);
        out->endpoints[k].port = read_u16(in);
    }
    if (in->failed) return bad(e, "record", "is cut short, or a text in it is too long");
    return cluster_node_info_check(out, e);
}

bool cluster_node_info_equal(const struct cluster_node_info *a, const struct cluster_node_info *b)
{
    if (strcmp(a->id, b->id) != 0 || a->alias != b->alias || strcmp(a->name, b->name) != 0 ||
        strcmp(a->version, b->version) != 0 || strcmp(a->bus_host, b->bus_host) != 0 || a->bus_port != b->bus_port ||
        strcmp(a->zone, b->zone) != 0 || strcmp(a->labels, b->labels) != 0 || a->incarnation != b->incarnation ||
        a->endpoint_count != b->endpoint_count)
        return false;
    for (uint32_t k = 0; k < a->endpoint_count; k++) {
        const struct cluster_endpoint *p = &a->endpoints[k], *q = &b->endpoints[k];
        if (strcmp(p->match, q->match) != 0 || strcmp(p->host, q->host) != 0 || p->port != q->port) return false;
    }
    return true;
}

struct cluster_label cluster_node_label(const struct cluster_node_info *i)
{
    struct cluster_label l;
    if (i->alias)
        snprintf(l.text, sizeof l.text, "node %u (%.8s)", i->alias, i->id);
    else
        snprintf(l.text, sizeof l.text, "node %.8s", i->id);
    return l;
}
