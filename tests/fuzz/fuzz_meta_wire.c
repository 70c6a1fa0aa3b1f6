/* meta/wire.h: any bytes are refused or decoded without harm, and what is decoded is encoded to the same bytes again.
 */
#include <stdlib.h>

#include "meta/wire.h"

static void compare(void *user, struct bytes message)
{
    const struct bytes *in = user;
    if (in->len <= META_WIRE_PART_MAX && !bytes_equal(*in, message)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct raft_message m;
    struct error e;
    if (meta_wire_read(in, 7, &m, &e)) return 0;
    struct buffer scratch;
    buffer_init(&scratch, META_WIRE_MESSAGE_MAX);
    if (!meta_wire_write(&m, &scratch, compare, &in)) abort();
    buffer_release(&scratch);
    meta_wire_release(&m);
    return 0;
}
