/* LZF: how Redis packs strings that are long. Only unpacking: what AiKv writes is not packed. Pure. */
#ifndef AIKV_RDB_LZF_H
#define AIKV_RDB_LZF_H

#include "base/bytes.h"

/* Unpacks to `len` bytes at `out`. False: `packed` is damaged, or is not of so many. */
bool lzf_unpack(struct bytes packed, uint8_t *out, size_t len);

#endif
