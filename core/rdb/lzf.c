#include "rdb/lzf.h"

/* The packed bytes are runs. One begins with a byte below 32: so many bytes and one more follow as they are. Else its upper three bits are a length
 * less two (7: another byte is added to it), its lower five and a further byte how far back, less one, the run lies in what was unpacked. */
bool lzf_unpack(struct bytes packed, uint8_t *out, size_t len)
{
    const uint8_t *p = packed.data, *end = p + packed.len;
    size_t at = 0;
    while (p < end) {
        size_t control = *p++;
        if (control < 32) {
            size_t n = control + 1;
            if (n > (size_t)(end - p) || n > len - at) return false;
            memcpy(out + at, p, n);
            p += n;
            at += n;
            continue;
        }
        size_t n = (control >> 5) + 2, back = ((control & 31) << 8) + 1;
        if (n == 9) {
            if (p == end) return false;
            n += *p++;
        }
        if (p == end) return false;
        back += *p++;
        if (back > at || n > len - at) return false;
        for (; n; n--, at++) out[at] = out[at - back]; /* a run may reach into itself */
    }
    return at == len;
}
