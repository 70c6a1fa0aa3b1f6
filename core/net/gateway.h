/* Lines of /proc/net/route. Private to core/net. */
#ifndef AIKV_NET_GATEWAY_H
#define AIKV_NET_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `line` is a default route through a gateway; if so, the gateway's address in `out`. */
bool gateway_parse_route(const char *line, char *out, size_t size);

#endif
