#include "base/crc.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

static uint16_t table16[256];
static uint32_t table32[256];
static uint64_t table64[8][256]; /* [i]: of a byte with i zeros behind it */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (unsigned i = 0; i < 256; i++) {
        unsigned a = i << 8;
        uint32_t b = i;
        uint64_t c = i;
        for (int bit = 0; bit < 8; bit++) {
            a = a & 0x8000 ? a << 1 ^ 0x1021 : a << 1;
            b = b & 1 ? b >> 1 ^ 0x82f63b78u : b >> 1;
            c = c & 1 ? c >> 1 ^ 0x95ac9329ac4bc9b5u : c >> 1;
        }
        table16[i] = (uint16_t)a;
        table32[i] = b;
        table64[0][i] = c;
    }
    for (unsigned zeros = 1; zeros < 8; zeros++)
        for (unsigned i = 0; i < 256; i++) {
            uint64_t c = table64[zeros - 1][i];
            table64[zeros][i] = c >> 8 ^ table64[0][c & 255];
        }
}

uint16_t crc16(const void *data, size_t len)
{
    pthread_once(&once, make_tables);
    const uint8_t *p = data;
    uint16_t crc = 0;
    while (len--) crc = (uint16_t)(crc << 8 ^ table16[(crc >> 8 ^ *p++) & 255]);
    return crc;
}

uint32_t crc32c_software(uint32_t crc, const void *data, size_t len)
{
    pthread_once(&once, make_tables);
    const uint8_t *p = data;
    crc = ~crc;
    while (len--) crc = crc >> 8 ^ table32[(crc ^ *p++) & 255];
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t wide = ~crc;
    for (uint64_t word; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    while (len--) narrow = __builtin_ia32_crc32qi(narrow, *p++);
    return ~narrow;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(crc, data, len);
#endif
    return crc32c_software(crc, data, len);
}

/* Eight bytes at a time: what each adds does not depend on the others. */
uint64_t crc64(uint64_t crc, const void *data, size_t len)
{
    pthread_once(&once, make_tables);
    const uint8_t *p = data;
    for (uint64_t word; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        crc ^= le64toh(word);
        uint64_t next = 0;
        for (unsigned i = 0; i < 8; i++) next ^= table64[7 - i][crc >> 8 * i & 255];
        crc = next;
    }
    while (len--) crc = crc >> 8 ^ table64[0][(crc ^ *p++) & 255];
    return crc;
}
