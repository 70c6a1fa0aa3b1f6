/* A blocking connection to a node, in RESP3. */
#ifndef AIKV_TOOL_CONNECTION_H
#define AIKV_TOOL_CONNECTION_H

#include <jansson.h>

#include "base/buffer.h"
#include "tool/call.h"

#define CONNECTION_CALL_MS 30000 /* the longest wait for a connection or a reply; nodes give up before */

struct connection {
    int fd;               /* -1: closed */
    uint64_t deadline_ms; /* monotonic; of all calls together; UINT64_MAX: none */
    struct buffer in;
};

/* Connects, says hello and authenticates, as the call says. Returns TOOL_DONE, or TOOL_UNREACHABLE or TOOL_TIMEOUT with
 * `e`. */
int connection_open(struct connection *c, const struct tool_call *call, struct error *e);
void connection_close(struct connection *c);

/* Sends a command and waits for its reply, which stays in `c` until the next call. Returns TOOL_DONE; TOOL_FAILED with
 * the node's error; TOOL_UNREACHABLE or TOOL_TIMEOUT, which close it. */
int connection_call(struct connection *c, const struct bytes *argv, int argc, struct bytes *reply, struct error *e);

/* A whole reply as a value, which the caller owns; NULL if it is nested too deep. Bytes that are not UTF-8 become '?'.
 */
json_t *connection_value(struct bytes reply);

#endif
