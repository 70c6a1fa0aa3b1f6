#include "net/resolve.h"

#include <arpa/inet.h>
#include <net/route.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "net/gateway.h"

/* ---- host:port ---- */

static bool is_host_char(char c, bool numeric6)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return numeric6 ? strchr(":.%", c) != NULL : strchr("-._", c) != NULL;
}

int net_split_address(const char *text, char *host, size_t host_size, uint16_t *port, struct error *e)
{
    bool numeric6 = text[0] == '[';
    const char *start = text + numeric6, *end = numeric6 ? strchr(text, ']') : strchr(text, ':');
    const char *digits = end ? end + numeric6 : NULL;
    if (!digits || *digits != ':' || end == start)
        return error_set(e, ERROR_SYNTAX, "'%.100s' is no address: host:port or [v6]:port is expected", text);
    size_t len = (size_t)(end - start);
    bool good = len < host_size;
    for (size_t i = 0; i < len; i++) good = good && is_host_char(start[i], numeric6);
    if (!good) return error_set(e, ERROR_SYNTAX, "'%.100s' is no address: its host is too long or not a name", text);
    uint64_t value;
    struct bytes number = bytes_text(digits + 1);
    if (number.len > 5 || !number_parse_unsigned(number, &value) || value > UINT16_MAX)
        return error_set(e, ERROR_SYNTAX,
                         "'%.100s' is no address: its port is not a number up to 65535 (IPv6 goes in brackets)", text);
    memcpy(host, start, len);
    host[len] = 0;
    *port = (uint16_t)value;
    return 0;
}

/* ---- CIDR ---- */

struct network {
    int family;
    uint8_t address[16];
    unsigned bits; /* of the address that count */
};

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* A v4 address that came over a v6 socket ("::ffff:10.0.0.1") is the v4 address. */
static void unmap(struct network *n)
{
    if (n->family != AF_INET6 || n->bits < 96 || memcmp(n->address, mapped_prefix, sizeof mapped_prefix) != 0) return;
    memmove(n->address, n->address + 12, 4);
    n->family = AF_INET;
    n->bits -= 96;
}

static bool parse_network(const char *text, bool with_bits, struct network *out)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = with_bits ? strchr(text, '/') : NULL;
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof address) return false;
    memcpy(address, text, len);
    address[len] = 0;
    memset(out, 0, sizeof *out);
    out->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(out->family, address, out->address) != 1) return false;
    out->bits = out->family == AF_INET ? 32 : 128;
    if (slash) {
        int64_t bits;
        if (!number_parse_integer(bytes_text(slash + 1), &bits) || bits < 0 || bits > out->bits) return false;
        out->bits = (unsigned)bits;
    }
    unmap(out);
    return true;
}

bool net_in_cidr(const char *address, const char *cidr)
{
    struct network a, n;
    if (!parse_network(address, false, &a) || !parse_network(cidr, true, &n) || a.family != n.family) return false;
    unsigned whole = n.bits / 8, rest = n.bits % 8;
    if (memcmp(a.address, n.address, whole) != 0) return false;
    return rest == 0 || (a.address[whole] ^ n.address[whole]) >> (8 - rest) == 0;
}

bool net_cidr_valid(const char *cidr)
{
    struct network n;
    return parse_network(cidr, true, &n);
}

/* ---- what the machine says ---- */

bool gateway_parse_route(const char *line, char *out, size_t size)
{
    /* The kernel prints addresses as they lie in memory, so the numbers read here lie in memory in network order. */
    unsigned destination, gateway, flags, mask;
    if (sscanf(line, "%*s %8x %8x %4x %*s %*s %*s %8x", &destination, &gateway, &flags, &mask) != 4) return false;
    if (destination != 0 || mask != 0 || !(flags & RTF_GATEWAY) || !(flags & RTF_UP)) return false;
    struct in_addr address = {.s_addr = gateway};
    return inet_ntop(AF_INET, &address, out, (socklen_t)size) != NULL;
}

void net_default_gateway(char *out, size_t size)
{
    out[0] = 0;
    FILE *f = fopen("/proc/net/route", "re");
    if (!f) return; /* no such file system: no gateway is known */
    char line[256];
    while (fgets(line, sizeof line, f))
        if (gateway_parse_route(line, out, size)) break;
    fclose(f);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (address->sa_family != AF_INET6) return false;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

bool net_host_is_loopback(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    bool all = true;
    for (struct addrinfo *a = found; a; a = a->ai_next) all = all && is_loopback(a->ai_addr);
    freeaddrinfo(found);
    return all;
}
