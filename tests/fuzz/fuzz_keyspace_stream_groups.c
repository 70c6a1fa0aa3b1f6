/* Keys and values of the tree of a stream's groups as damage would leave them: what is read is written again as it was.
 *
 * Input: the length of the key, the key, the value. */
#include <stdio.h>
#include <stdlib.h>

#include "keyspace/stream_group_key.h"

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void check_key(struct bytes key)
{
    struct group_key again;
    struct bytes rest = key;
    struct stream_id id;
    uint64_t group, consumer;
    enum group_kind kind;
    bool has_id = group_key_read_id(key, &id);
    if (!group_key_take_kind(&rest, &group, &kind)) {
        must(!has_id, "an id is behind a kind");
        return;
    }
    must(group > 0 && kind < GROUP_KINDS, "a group has a number, a key a kind");
    if (!has_id || kind == GROUP_MARK || kind == GROUP_CONSUMER) return;
    group_key_begin(&again, group, kind);
    if (kind == GROUP_OWN) {
        must(stream_number_read(&rest, &consumer), "a consumer's number is before its id");
        group_key_add_number(&again, consumer);
    }
    group_key_add_id(&again, id);
    must(bytes_equal(again.bytes, key), "what is read has one key");
}

static void check_value(struct bytes value)
{
    uint8_t room[GROUP_VALUE_MAX];
    struct stream_group g;
    struct stream_consumer consumer;
    struct stream_pending p;
    if (group_read(value, &g)) must(bytes_equal(group_write(room, &g), value), "a group is written as it was read");
    if (group_read_consumer(value, &consumer)) must(bytes_equal(group_write_consumer(room, &consumer), value), "a consumer too");
    if (group_read_pending(value, &p)) must(bytes_equal(group_write_pending(room, &p), value), "and what is pending");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t key_len = data[0] < size ? data[0] : size - 1, value_len = size - 1 - key_len;
    uint8_t *key = malloc(key_len ? key_len : 1), *value = malloc(value_len ? value_len : 1); /* of their exact sizes */
    memcpy(key, data + 1, key_len);
    memcpy(value, data + 1 + key_len, value_len);
    check_key(bytes_of(key, key_len));
    check_value(bytes_of(value, value_len));
    free(key);
    free(value);
    return 0;
}
