/* libraft's messages as bytes: nothing is lost on the way, and nothing wrong comes in. */
#include "meta/wire.h"

#include <stdlib.h>

#include "base/random.h"
#include "group.h"
#include "tests.h"

struct parts {
    unsigned count;
    struct buffer bytes[16];
};

static void keep(void *user, struct bytes message)
{
    struct parts *p = user;
    assert_true(p->count < 16);
    buffer_init(&p->bytes[p->count], META_WIRE_MESSAGE_MAX);
    buffer_append(&p->bytes[p->count++], message.data, message.len);
}

static struct parts encode(const struct raft_message *m)
{
    struct parts p = {0};
    struct buffer scratch;
    buffer_init(&scratch, META_WIRE_MESSAGE_MAX);
    assert_true(meta_wire_write(m, &scratch, keep, &p));
    buffer_release(&scratch);
    return p;
}

static void release(struct parts *p)
{
    for (unsigned i = 0; i < p->count; i++) buffer_release(&p->bytes[i]);
}

static void refused(struct bytes in, const char *why)
{
    struct raft_message m;
    struct error e = {0};
    assert_int_equal(meta_wire_read(in, 7, &m, &e), ERROR_FORMAT);
    if (!strstr(e.text, why)) fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

/* ---- messages to start from ---- */

static uint8_t entry_data[3][16] = {"one", "two", "three"};
static struct raft_entry entries[3] = {
    {.term = 4, .type = RAFT_COMMAND, .buf = {entry_data[0], 8}},
    {.term = 4, .type = RAFT_BARRIER, .buf = {entry_data[1], 16}},
    {.term = 5, .type = RAFT_COMMAND, .buf = {entry_data[2], 8}},
};

static struct raft_message append_entries(void)
{
    return (struct raft_message){.type = RAFT_APPEND_ENTRIES,
                                 .append_entries = {.version = 1,
                                                    .term = 5,
                                                    .prev_log_index = 10,
                                                    .prev_log_term = 4,
                                                    .leader_commit = 9,
                                                    .entries = entries,
                                                    .n_entries = 3}};
}

static struct raft_message message_of(unsigned type)
{
    static struct raft_server servers[2] = {{1, NULL, RAFT_VOTER}, {300, NULL, RAFT_STANDBY}};
    static uint8_t state[] = "snapshot";
    struct raft_message m = {.type = type};
    switch (type) {
    case RAFT_APPEND_ENTRIES: return append_entries();
    case RAFT_APPEND_ENTRIES_RESULT:
        m.append_entries_result = (struct raft_append_entries_result){1, 5, 11, 10, 1, 8192};
        break;
    case RAFT_REQUEST_VOTE: m.request_vote = (struct raft_request_vote){2, 6, 7, 10, 5, false, true}; break;
    case RAFT_REQUEST_VOTE_RESULT:
        m.request_vote_result = (struct raft_request_vote_result){2, 6, true, true, 1, 8192};
        break;
    case RAFT_INSTALL_SNAPSHOT:
        m.install_snapshot = (struct raft_install_snapshot){.version = 1,
                                                            .term = 6,
                                                            .last_index = 90,
                                                            .last_term = 5,
                                                            .conf = {servers, 2},
                                                            .conf_index = 4,
                                                            .data = {state, sizeof state}};
        break;
    case RAFT_TIMEOUT_NOW: m.timeout_now = (struct raft_timeout_now){1, 6, 10, 5}; break;
    }
    return m;
}

static struct parts encoded(unsigned type)
{
    struct raft_message m = message_of(type);
    struct parts p = encode(&m);
    assert_int_equal(p.count, 1);
    return p;
}

/* ---- claims ---- */

static void test_every_type_comes_back_as_it_was(void **state)
{
    (void)state;
    for (unsigned type = RAFT_APPEND_ENTRIES; type <= RAFT_TIMEOUT_NOW; type++) {
        struct parts first = encoded(type);
        struct raft_message m;
        struct error e = {0};
        if (meta_wire_read(buffer_bytes(&first.bytes[0]), 7, &m, &e)) fail_msg("type %u: %s", type, e.text);
        assert_int_equal(m.type, type);
        assert_int_equal(m.server_id, 7);
        struct parts second = encode(&m);
        assert_true(bytes_equal(buffer_bytes(&first.bytes[0]), buffer_bytes(&second.bytes[0])));
        meta_wire_release(&m);
        release(&first);
        release(&second);
    }
}

static void test_decoded_entries_are_what_libraft_expects(void **state)
{
    (void)state;
    struct parts p = encoded(RAFT_APPEND_ENTRIES);
    struct raft_message m;
    assert_int_equal(meta_wire_read(buffer_bytes(&p.bytes[0]), 7, &m, NULL), 0);
    const struct raft_append_entries *a = &m.append_entries;
    assert_int_equal(a->n_entries, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(a->entries[i].batch, a->entries[0].buf.base); /* one piece of memory, freed as one */
        assert_int_equal(a->entries[i].buf.len, entries[i].buf.len);
        assert_memory_equal(a->entries[i].buf.base, entry_data[i], entries[i].buf.len);
    }
    meta_wire_release(&m);
    release(&p);
}

static void test_a_vote_is_asked_for_in_the_sender_s_own_name(void **state)
{
    (void)state;
    struct parts p = encoded(RAFT_REQUEST_VOTE);
    struct raft_message m;
    assert_int_equal(meta_wire_read(buffer_bytes(&p.bytes[0]), 3, &m, NULL), 0);
    assert_int_equal(m.request_vote.candidate_id, 3);
    release(&p);
}

static void test_a_configuration_begins_a_message(void **state)
{
    (void)state;
    struct raft_configuration conf;
    struct raft_buffer data;
    raft_configuration_init(&conf);
    raft_configuration_add(&conf, 1, "1", RAFT_VOTER);
    raft_configuration_add(&conf, 22, "22", RAFT_SPARE);
    assert_int_equal(raft_configuration_encode(&conf, &data), 0);
    struct raft_entry mixed[3] = {entries[0], {.term = 4, .type = RAFT_CHANGE, .buf = data}, entries[2]};
    struct raft_message m = append_entries(), back;
    m.append_entries.entries = mixed;
    struct parts p = encode(&m);
    assert_int_equal(p.count, 2);
    assert_int_equal(meta_wire_read(buffer_bytes(&p.bytes[1]), 7, &back, NULL), 0);
    assert_int_equal(back.append_entries.prev_log_index, 11);
    assert_int_equal(back.append_entries.prev_log_term, 4);
    assert_int_equal(back.append_entries.n_entries, 2);
    assert_int_equal(back.append_entries.entries[0].type, RAFT_CHANGE);
    meta_wire_release(&back);
    release(&p);
    raft_free(data.base);
    raft_configuration_close(&conf);
}

static void test_much_data_goes_in_several_messages_that_follow_each_other(void **state)
{
    (void)state;
    static uint8_t large[META_WIRE_PART_MAX / 2 + 8];
    struct raft_entry many[5];
    for (unsigned i = 0; i < 5; i++)
        many[i] = (struct raft_entry){.term = 5, .type = RAFT_COMMAND, .buf = {large, sizeof large}};
    struct raft_message m = append_entries(), back;
    m.append_entries.entries = many;
    m.append_entries.n_entries = 5;
    struct parts p = encode(&m);
    assert_int_equal(p.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(meta_wire_read(buffer_bytes(&p.bytes[i]), 7, &back, NULL), 0);
        assert_int_equal(back.append_entries.prev_log_index, 10 + i);
        assert_int_equal(back.append_entries.prev_log_term, i ? 5 : 4);
        meta_wire_release(&back);
    }
    release(&p);
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    for (unsigned type = RAFT_APPEND_ENTRIES; type <= RAFT_TIMEOUT_NOW; type++) {
        struct parts p = encoded(type);
        struct buffer *b = &p.bytes[0];
        for (size_t len = 0; len < b->len; len++) {
            uint8_t *copy = malloc(len ? len : 1); /* so that reading too far is seen */
            memcpy(copy, b->data, len);
            refused(bytes_of(copy, len), "raft message");
            free(copy);
        }
        buffer_append(b, "", 1);
        refused(buffer_bytes(b), "raft message");
        release(&p);
    }
}

static void set_u32(struct buffer *b, size_t at, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) b->data[at + i] = (uint8_t)(v >> 8 * i);
}

static void test_counts_and_sizes_are_checked_before_memory_is_asked_for(void **state)
{
    (void)state;
    struct parts p = encoded(RAFT_APPEND_ENTRIES);
    set_u32(&p.bytes[0], 36, 0xffffffff);
    refused(buffer_bytes(&p.bytes[0]), "4294967295 entries");
    set_u32(&p.bytes[0], 36, META_WIRE_ENTRIES_MAX);
    refused(buffer_bytes(&p.bytes[0]), "cut short");
    release(&p);
    p = encoded(RAFT_APPEND_ENTRIES);
    set_u32(&p.bytes[0], 49, 0xfffffff8);
    refused(buffer_bytes(&p.bytes[0]), "larger than");
    set_u32(&p.bytes[0], 49, 7);
    refused(buffer_bytes(&p.bytes[0]), "multiple of 8");
    set_u32(&p.bytes[0], 49, 0);
    refused(buffer_bytes(&p.bytes[0]), "multiple of 8");
    release(&p);
    p = encoded(RAFT_INSTALL_SNAPSHOT);
    set_u32(&p.bytes[0], 36, 0xffffffff);
    refused(buffer_bytes(&p.bytes[0]), "members");
    release(&p);
}

static void refused_append(struct raft_append_entries change, const char *why)
{
    struct raft_message m = {.type = RAFT_APPEND_ENTRIES, .append_entries = change};
    struct parts p = encode(&m);
    refused(buffer_bytes(&p.bytes[0]), why);
    release(&p);
}

static void test_terms_and_indexes_that_libraft_only_asserts_are_refused(void **state)
{
    (void)state;
    struct raft_entry late[1] = {{.term = 6, .type = RAFT_COMMAND, .buf = {entry_data[0], 8}}};
    struct raft_entry early[1] = {{.term = 3, .type = RAFT_COMMAND, .buf = {entry_data[0], 8}}};
    struct raft_append_entries a = append_entries().append_entries, b;
    b = a, b.term = UINT64_MAX, refused_append(b, "term 18446744073709551615");
    b = a, b.term = 0, refused_append(b, "term 0");
    b = a, b.prev_log_index = UINT64_MAX - 1, refused_append(b, "previous entry");
    b = a, b.prev_log_index = 0, refused_append(b, "previous entry");
    b = a, b.prev_log_term = 0, refused_append(b, "previous entry");
    b = a, b.prev_log_term = 6, refused_append(b, "previous entry");
    b = a, b.entries = late, b.n_entries = 1, refused_append(b, "out of order");
    b = a, b.entries = early, b.n_entries = 1, refused_append(b, "out of order");
    b = a, entries[1].type = 9, refused_append(b, "unknown type 9");
    entries[1].type = RAFT_BARRIER;
    struct raft_message m = message_of(RAFT_INSTALL_SNAPSHOT);
    m.install_snapshot.last_index = 0;
    struct parts p = encode(&m);
    refused(buffer_bytes(&p.bytes[0]), "snapshot at entry 0");
    release(&p);
}

static void test_configurations_that_libraft_would_misread_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        const char *why;
    } wrong[] = {
        {0, 2, "unknown format"}, {1, 0, "0 members"},        {1, 65, "65 members"},     {1, 3, "wrong member"},
        {9, 0, "wrong member"},   {9, 2, "wrong member"},     {17, 'x', "wrong member"}, {18, '1', "wrong member"},
        {19, 9, "wrong member"},  {19, RAFT_SPARE, "voters"}, {28, '1', "wrong member"},
    };
    struct raft_configuration conf;
    raft_configuration_init(&conf);
    raft_configuration_add(&conf, 1, "1", RAFT_VOTER);
    raft_configuration_add(&conf, 2, "2", RAFT_STANDBY);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct raft_buffer data;
        assert_int_equal(raft_configuration_encode(&conf, &data), 0);
        ((uint8_t *)data.base)[wrong[i].at] = wrong[i].byte;
        struct raft_entry change = {.term = 5, .type = RAFT_CHANGE, .buf = data};
        struct raft_append_entries a = append_entries().append_entries;
        a.entries = &change;
        a.n_entries = 1;
        refused_append(a, wrong[i].why);
        raft_free(data.base);
    }
    raft_configuration_close(&conf);
}

static void test_random_damage_never_hurts(void **state)
{
    (void)state;
    const char *text = getenv("AIKV_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20261124, taken = 0;
    print_message("AIKV_SEED=%llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 20000; i++) {
        struct parts p = encoded((unsigned)(RAFT_APPEND_ENTRIES + random_below(&seed, 6)));
        struct buffer *b = &p.bytes[0];
        for (uint64_t n = 1 + random_below(&seed, 3); n > 0; n--) {
            b->data[random_below(&seed, b->len)] = (uint8_t)random_next(&seed);
        }
        struct raft_message m;
        struct error e;
        if (meta_wire_read(buffer_bytes(b), 7, &m, &e) == 0) {
            taken++;
            meta_wire_release(&m);
        }
        release(&p);
    }
    assert_true(taken > 0 && taken < 20000);
}

int meta_wire_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_comes_back_as_it_was),
        cmocka_unit_test(test_decoded_entries_are_what_libraft_expects),
        cmocka_unit_test(test_a_vote_is_asked_for_in_the_sender_s_own_name),
        cmocka_unit_test(test_a_configuration_begins_a_message),
        cmocka_unit_test(test_much_data_goes_in_several_messages_that_follow_each_other),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_counts_and_sizes_are_checked_before_memory_is_asked_for),
        cmocka_unit_test(test_terms_and_indexes_that_libraft_only_asserts_are_refused),
        cmocka_unit_test(test_configurations_that_libraft_would_misread_are_refused),
        cmocka_unit_test(test_random_damage_never_hurts),
    };
    return cmocka_run_group_tests_name("meta: wire", tests, NULL, NULL);
}
