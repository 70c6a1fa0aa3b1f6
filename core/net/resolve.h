/* Addresses as text. */
#ifndef AIKV_NET_RESOLVE_H
#define AIKV_NET_RESOLVE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "host:port" or "[v6]:port" into its parts. Errors: SYNTAX naming the text. */
int net_split_address(const char *text, char *host, size_t host_size, uint16_t *port, struct error *e);
/* Whether a numeric address is in a CIDR ("172.18.0.0/16", "::1/128"; a bare address is itself). False for bad text of either. */
bool net_in_cidr(const char *address, const char *cidr);
/* Whether text is a valid CIDR or address. */
bool net_cidr_valid(const char *cidr);
/* The machine's IPv4 default gateway ("" if none), from /proc/net/route. */
void net_default_gateway(char *out, size_t size);
/* Whether a host, resolved, is loopback only. */
bool net_host_is_loopback(const char *host);

#endif
