/* Rows of the keyspace as damage would leave them: names and values are refused, or read within their bounds; a value
 * that is read is written and read again as the same; and what `aikv check --dump` shows of it is printable.
 *
 * Input: the length of the name, the name, the value. */
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/entry.h"
#include "keyspace/inspect.h"
#include "keyspace/rowkey.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void check_name(struct bytes name)
{
    struct rowkey_parts at;
    if (!rowkey_parse(name, &at)) return;
    must(at.slot < ROWKEY_SLOTS, "a slot is one");
    must(at.key.data >= name.data && at.key.data + at.key.len == name.data + name.len, "a key ends its name");
}

static void check_value(struct bytes value)
{
    struct entry en, again;
    if (!entry_read(value, &en)) return;
    size_t size = entry_size(&en);
    must(size <= value.len, "what is read is not written in more bytes");
    uint8_t *written = malloc(size);
    entry_write(written, &en);
    must(entry_read(bytes_of(written, size), &again), "what is written is read");
    must(again.type == en.type && again.expires_ms == en.expires_ms && again.fields_ms == en.fields_ms && again.has_key == en.has_key &&
             bytes_equal(again.key, en.key),
         "and as the same");
    must(size != value.len || memcmp(written, value.data, size) == 0, "what is read is written alike");
    free(written);
}

static void check_description(struct bytes name, const struct bytes *value)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    keyspace_describe_row(name, value, 100, &out);
    must(!out.failed && out.len > 0, "a row is described");
    for (size_t i = 0; i < out.len; i++) must(out.data[i] >= 0x20 && out.data[i] != 0x7f, "on one line");
    buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t name_len = data[0] < size ? data[0] : size - 1, value_len = size - 1 - name_len;
    uint8_t *name = malloc(name_len ? name_len : 1),
            *value = malloc(value_len ? value_len : 1); /* of their exact sizes */
    memcpy(name, data + 1, name_len);
    memcpy(value, data + 1 + name_len, value_len);
    struct bytes row_value = bytes_of(value, value_len);
    check_name(bytes_of(name, name_len));
    check_value(row_value);
    check_description(bytes_of(name, name_len), NULL);
    check_description(bytes_of(name, name_len), &row_value);
    free(name);
    free(value);
    return 0;
}
