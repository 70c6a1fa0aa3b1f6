#include <unistd.h>

#include "base/codec.h"
#include "base/crc.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "store/disk.h"

static uint32_t checksum(struct bytes key, const uint8_t *value, size_t len)
{
    return crc32c(crc32c(0, key.data, key.len), value, len);
}

void disk_value_write(uint8_t *out, struct bytes key, struct bytes value)
{
    struct buffer tail = {.data = out + value.len, .cap = DISK_CHECKSUM, .max = DISK_CHECKSUM};
    if (value.len) memcpy(out, value.data, value.len);
    write_u32(&tail, checksum(key, out, value.len));
}

bool disk_value_read(MDB_val key, MDB_val stored, struct bytes *value)
{
    if (stored.mv_size < DISK_CHECKSUM) return false;
    *value = bytes_of(stored.mv_data, stored.mv_size - DISK_CHECKSUM);
    struct reader tail = reader_of(bytes_of(value->data + value->len, DISK_CHECKSUM));
    return read_u32(&tail) == checksum(bytes_of(key.mv_data, key.mv_size), value->data, value->len);
}

struct bytes disk_value(const struct disk *d, MDB_val key, MDB_val stored)
{
    struct bytes value;
    if (disk_value_read(key, stored, &value)) return value;
    log_error("a row of the checkpoint is damaged: ending; `aikv check` says more", "dir=%s", log_quote(d->dir));
    _exit(EXIT_FORMAT);
}
