/* Checksums. */
#ifndef AIKV_BASE_CRC_H
#define AIKV_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-16/XMODEM, as Redis Cluster uses for slots. */
uint16_t crc16(const void *data, size_t len);
/* CRC-32C (Castagnoli), continued from `crc` (0 to begin). By the processor where it can. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same without the processor's help: what crc32c falls back on. */
uint32_t crc32c_software(uint32_t crc, const void *data, size_t len);
/* CRC-64 of Jones, as at the end of Redis's dumps, continued from `crc` (0 to begin). */
uint64_t crc64(uint64_t crc, const void *data, size_t len);

#endif
