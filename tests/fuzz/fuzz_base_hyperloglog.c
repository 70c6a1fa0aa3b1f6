/* Values that pass for HyperLogLogs: counted, merged and changed within their bounds; and a sound one stays sound.
 *
 * Input: the length of an element, the element, the value. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hyperloglog.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static bool is_sound(struct bytes value)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    return hll_merge(registers, value);
}

static void change(struct bytes value, struct bytes element)
{
    static struct hll h;
    uint8_t before[HLL_REGISTERS] = {0}, after[HLL_REGISTERS] = {0};
    bool sound = hll_merge(before, value);
    hll_load(&h, value);
    enum hll_outcome outcome = hll_add(&h, element);
    must(outcome != HLL_DAMAGED || !sound, "a sound one takes an element");
    must(hll_is(hll_bytes(&h), h.len), "it stays one");
    must(sound == hll_merge(after, hll_bytes(&h)) || !sound, "and sound");
    unsigned differ = 0;
    for (unsigned i = 0; i < HLL_REGISTERS; i++) differ += before[i] != after[i];
    if (sound) must(differ == (outcome == HLL_CHANGED), "an element changes one register, or none");
    must(hll_add(&h, element) != HLL_CHANGED, "and not twice");
}

static void look(struct bytes value)
{
    uint64_t cardinality;
    size_t at = HLL_HEAD;
    struct hll_run run;
    bool counted = hll_count(value, &cardinality);
    must(!counted || is_sound(value), "what can be counted is sound");
    must(!counted || cardinality < (uint64_t)1 << 63, "a cardinality fits a reply");
    while (hll_encoding_of(value) == HLL_SPARSE && hll_next_run(value, &at, &run)) must(at <= value.len && run.len > 0, "runs are within the value");
    static struct hll h;
    hll_load(&h, value);
    must(hll_make_dense(&h) == is_sound(value), "what is sound can be dense");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t element_len = data[0] < size ? data[0] : size - 1, len = size - 1 - element_len;
    struct bytes element = bytes_of(data + 1, element_len);
    if (len > HLL_SIZE_MAX || !hll_is(bytes_of(data + 1 + element_len, len < HLL_HEAD ? len : HLL_HEAD), len)) return 0;
    uint8_t *value = malloc(len); /* of its exact size */
    memcpy(value, data + 1 + element_len, len);
    look(bytes_of(value, len));
    change(bytes_of(value, len), element);
    free(value);
    return 0;
}
