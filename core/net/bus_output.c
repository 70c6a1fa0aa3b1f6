/* What waits to be written to a link: one write a loop turn, two buffers that change places, and a bound. */
#include "net/bus_private.h"

#include "base/log.h"

#define KEEP_MAX 262144 /* a larger buffer is given back when it is empty */

void output_mark(struct bus_link *l)
{
    if (l->is_dirty) return;
    l->is_dirty = true;
    TAILQ_INSERT_TAIL(&l->bus->dirty, l, dirty);
}

void output_forget(struct bus_link *l)
{
    if (!l->is_dirty) return;
    l->is_dirty = false;
    TAILQ_REMOVE(&l->bus->dirty, l, dirty);
}

static void on_written(uv_write_t *request, int status)
{
    struct bus_link *l = request->data;
    l->write_busy = false;
    if (status == 0) l->bus->statistics.bytes_out += l->writing.len;
    buffer_clear(&l->writing);
    if (l->writing.cap > KEEP_MAX) buffer_release(&l->writing);
    if (l->state == LINK_CLOSED) return;
    if (status < 0) {
        struct error e;
        error_set(&e, ERROR_IO, "writing: %s", uv_strerror(status));
        link_fail(l, &e);
    } else if (l->output.len) {
        output_mark(l);
    }
}

void output_flush(struct bus_link *l)
{
    output_forget(l);
    if (l->write_busy || l->output.len == 0) return;
    struct buffer empty = l->writing;
    l->writing = l->output;
    l->output = empty;
    uv_buf_t data = {.base = (char *)l->writing.data, .len = l->writing.len};
    l->write.data = l;
    int failed = uv_write(&l->write, (uv_stream_t *)&l->tcp, &data, 1, on_written);
    if (!failed) {
        l->write_busy = true;
        return;
    }
    buffer_clear(&l->writing);
    struct error e;
    error_set(&e, ERROR_IO, "writing: %s", uv_strerror(failed));
    link_fail(l, &e);
}

size_t bus_link_waiting(const struct bus_link *l)
{
    return l->output.len + (l->write_busy ? uv_stream_get_write_queue_size((const uv_stream_t *)&l->tcp) : 0);
}

/* Whether `size` more bytes keep the bound. One frame larger than the bound itself (a snapshot) may be on its way and
 * does not count, or a node that needs one could never be sent anything. */
static bool has_room(struct bus_link *l, size_t size)
{
    size_t waiting = bus_link_waiting(l), max = l->bus->output_max;
    bool big_waits = l->queued_total - waiting < l->big_end;
    if (size > max) return !big_waits;
    size_t counted = !big_waits ? waiting : waiting > l->big_size ? waiting - l->big_size : 0;
    return counted <= max - size;
}

bool bus_link_send(struct bus_link *l, enum frame_type type, struct bytes payload)
{
    if (l->state != LINK_UP) return false;
    size_t size = FRAME_HEADER_SIZE + payload.len + FRAME_TRAILER_SIZE;
    struct error e;
    if (payload.len > frame_payload_max(type)) {
        /* Our own mistake, not the peer's: the link is in order. */
        log_error("frame too large to send", "type=%u size_bytes=%zu", (unsigned)type, payload.len);
        return false;
    }
    if (!has_room(l, size)) {
        error_set(&e, ERROR_LIMIT, "does not read: %zu bytes wait for it", bus_link_waiting(l));
        link_fail(l, &e);
        return false;
    }
    if (frame_write(&l->output, l->handshake.send_key, l->send_sequence, type, payload, &e) != 0) {
        link_fail(l, &e);
        return false;
    }
    l->send_sequence++;
    l->queued_total += size;
    if (size > l->bus->output_max) {
        l->big_end = l->queued_total;
        l->big_size = size;
    }
    output_mark(l);
    return true;
}
