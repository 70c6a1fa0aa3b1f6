#include "bus_tests.h"

#include "net/handshake.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define X "1111111111111111111111111111111111111111"
#define Y "2222222222222222222222222222222222222222"

#define HELLO_SIZE 118
#define REPLY_SIZE 150

/* Two sides and what each has sent last. */
struct talk {
    struct handshake a, b; /* a begins */
    struct buffer from_a, from_b;
    struct error e;
};

static void set_up(struct talk *t, const char *secret_a, const char *secret_b, const char *node_b,
                   const char *cluster_a, const char *cluster_b)
{
    memset(t, 0, sizeof *t);
    struct handshake_identity a = {A, ""}, b = {"", ""};
    memcpy(a.cluster_id, cluster_a, strlen(cluster_a) + 1);
    memcpy(b.node_id, node_b, strlen(node_b) + 1);
    memcpy(b.cluster_id, cluster_b, strlen(cluster_b) + 1);
    handshake_init(&t->a, true, BUS_CONTROL, &a, bytes_text(secret_a),
                   (const uint8_t *)"nonce of A, thirty-two bytes long");
    handshake_init(&t->b, false, BUS_CONTROL, &b, bytes_text(secret_b),
                   (const uint8_t *)"nonce of B, thirty-two bytes long");
    buffer_init(&t->from_a, HANDSHAKE_INPUT_MAX);
    buffer_init(&t->from_b, HANDSHAKE_INPUT_MAX);
    size_t used;
    assert_int_equal(handshake_step(&t->a, (struct bytes){0}, &used, &t->from_a, &t->e), HANDSHAKE_MORE);
    assert_int_equal(t->from_a.len, HELLO_SIZE);
}

static void tear_down(struct talk *t)
{
    buffer_release(&t->from_a);
    buffer_release(&t->from_b);
}

/* Hands over all that the other side has sent; the message must be taken whole unless it is refused. */
static enum handshake_status a_hears(struct talk *t)
{
    size_t used;
    buffer_clear(&t->from_a);
    enum handshake_status s = handshake_step(&t->a, buffer_bytes(&t->from_b), &used, &t->from_a, &t->e);
    if (s != HANDSHAKE_FAILED) assert_int_equal(used, t->from_b.len);
    return s;
}

static enum handshake_status b_hears(struct talk *t)
{
    size_t used;
    buffer_clear(&t->from_b);
    enum handshake_status s = handshake_step(&t->b, buffer_bytes(&t->from_a), &used, &t->from_b, &t->e);
    if (s != HANDSHAKE_FAILED) assert_int_equal(used, t->from_a.len);
    return s;
}

static void test_two_with_the_same_secret_agree_on_keys(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", B, X, X);
    assert_int_equal(b_hears(&t), HANDSHAKE_MORE);
    assert_int_equal(t.from_b.len, REPLY_SIZE);
    assert_int_equal(a_hears(&t), HANDSHAKE_DONE);
    assert_int_equal(b_hears(&t), HANDSHAKE_DONE);
    assert_string_equal(t.a.peer.node_id, B);
    assert_string_equal(t.b.peer.node_id, A);
    assert_string_equal(t.b.peer.cluster_id, X);
    assert_memory_equal(t.a.send_key, t.b.receive_key, FRAME_KEY_SIZE);
    assert_memory_equal(t.b.send_key, t.a.receive_key, FRAME_KEY_SIZE);
    assert_memory_not_equal(t.a.send_key, t.a.receive_key, FRAME_KEY_SIZE);
    static const uint8_t zeros[FRAME_KEY_SIZE];
    assert_memory_equal(t.a.master, zeros, FRAME_KEY_SIZE); /* needed no more */
    tear_down(&t);
}

static void test_an_empty_secret_works_like_any_other(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "", "", B, "", "");
    b_hears(&t);
    assert_int_equal(a_hears(&t), HANDSHAKE_DONE);
    assert_int_equal(b_hears(&t), HANDSHAKE_DONE);
    tear_down(&t);
    set_up(&t, "", "secret", B, "", "");
    b_hears(&t);
    assert_int_equal(a_hears(&t), HANDSHAKE_FAILED);
    tear_down(&t);
}

static void test_the_initiator_refuses_a_wrong_secret_and_proves_nothing(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "guess", B, "", "");
    b_hears(&t);
    assert_int_equal(a_hears(&t), HANDSHAKE_FAILED);
    assert_non_null(strstr(t.e.text, "secret"));
    assert_int_equal(t.from_a.len, 0);
    tear_down(&t);
}

static void test_the_acceptor_refuses_a_wrong_proof(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", B, "", "");
    b_hears(&t);
    a_hears(&t);
    t.from_a.data[31] ^= 1;
    assert_int_equal(b_hears(&t), HANDSHAKE_FAILED);
    assert_non_null(strstr(t.e.text, "secret"));
    assert_int_equal(b_hears(&t), HANDSHAKE_FAILED); /* and goes on with nobody */
    tear_down(&t);
}

static void test_a_changed_bit_of_any_message_is_noticed(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < HELLO_SIZE + REPLY_SIZE; byte++) {
        struct talk t;
        set_up(&t, "secret", "secret", B, X, X);
        if (byte < HELLO_SIZE) t.from_a.data[byte] ^= 1;
        enum handshake_status b = b_hears(&t), a = HANDSHAKE_FAILED;
        if (b != HANDSHAKE_FAILED) {
            if (byte >= HELLO_SIZE) t.from_b.data[byte - HELLO_SIZE] ^= 1;
            a = a_hears(&t);
        }
        assert_int_equal(a, HANDSHAKE_FAILED);
        tear_down(&t);
    }
}

static void test_a_foreign_cluster_is_refused_and_told(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", B, X, Y);
    assert_int_equal(b_hears(&t), HANDSHAKE_FAILED);
    assert_int_equal(t.e.code, ERROR_FOREIGN);
    assert_int_equal(t.from_b.len, REPLY_SIZE); /* so that A's operator can read it too */
    assert_int_equal(a_hears(&t), HANDSHAKE_FAILED);
    assert_int_equal(t.e.code, ERROR_FOREIGN);
    assert_non_null(strstr(t.e.text, Y));
    tear_down(&t);
}

static void test_a_node_without_cluster_may_talk_to_one_with(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct talk t;
        set_up(&t, "secret", "secret", B, side ? X : "", side ? "" : X);
        b_hears(&t);
        assert_int_equal(a_hears(&t), HANDSHAKE_DONE);
        assert_int_equal(b_hears(&t), HANDSHAKE_DONE);
        assert_string_equal(t.a.peer.cluster_id, side ? "" : X);
        tear_down(&t);
    }
}

static void test_a_node_does_not_talk_to_itself(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", A, X, X);
    assert_int_equal(b_hears(&t), HANDSHAKE_FAILED);
    assert_int_equal(a_hears(&t), HANDSHAKE_FAILED);
    assert_non_null(strstr(t.e.text, "own id"));
    tear_down(&t);
}

static void test_its_own_messages_sent_back_convince_nobody(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", B, "", "");
    b_hears(&t);
    /* B's proof of being the acceptor is no proof of being the initiator. */
    size_t used;
    assert_int_equal(handshake_step(&t.b, bytes_of(t.from_b.data + HELLO_SIZE, 32), &used, &t.from_a, &t.e),
                     HANDSHAKE_FAILED);
    tear_down(&t);
}

static void test_a_recorded_handshake_cannot_be_replayed(void **state)
{
    (void)state;
    struct talk first, second;
    set_up(&first, "secret", "secret", B, "", "");
    uint8_t hello[HELLO_SIZE];
    memcpy(hello, first.from_a.data, sizeof hello);
    b_hears(&first);
    a_hears(&first); /* from_a holds the proof now */
    struct handshake_identity b = {B, ""};
    memset(&second, 0, sizeof second);
    handshake_init(&second.b, false, BUS_CONTROL, &b, bytes_text("secret"),
                   (const uint8_t *)"another nonce, of 32 bytes as well");
    buffer_init(&second.from_b, HANDSHAKE_INPUT_MAX);
    size_t used;
    assert_int_equal(handshake_step(&second.b, bytes_of(hello, sizeof hello), &used, &second.from_b, NULL),
                     HANDSHAKE_MORE);
    assert_int_equal(handshake_step(&second.b, buffer_bytes(&first.from_a), &used, &second.from_b, NULL),
                     HANDSHAKE_FAILED);
    tear_down(&first);
    tear_down(&second);
}

static void test_messages_may_arrive_byte_by_byte_and_with_frames_behind(void **state)
{
    (void)state;
    struct talk t;
    set_up(&t, "secret", "secret", B, "", "");
    size_t used;
    for (size_t len = 0; len < HELLO_SIZE; len++) {
        assert_int_equal(handshake_step(&t.b, bytes_of(t.from_a.data, len), &used, &t.from_b, &t.e), HANDSHAKE_MORE);
        assert_int_equal(used, 0);
    }
    b_hears(&t);
    assert_int_equal(a_hears(&t), HANDSHAKE_DONE);
    buffer_append_text(&t.from_a, "AiKV and so on");
    buffer_clear(&t.from_b);
    assert_int_equal(handshake_step(&t.b, buffer_bytes(&t.from_a), &used, &t.from_b, &t.e), HANDSHAKE_DONE);
    assert_int_equal(used, 32);
    tear_down(&t);
}

static void refuses_hello(size_t at, uint8_t value, size_t len, const char *why)
{
    struct talk t;
    set_up(&t, "secret", "secret", B, "", "");
    t.from_a.data[at] = value;
    t.from_a.len = len;
    assert_int_equal(b_hears(&t), HANDSHAKE_FAILED);
    if (!strstr(t.e.text, why)) fail_msg("'%s' does not say '%s'", t.e.text, why);
    assert_int_equal(t.from_b.len, 0);
    tear_down(&t);
}

static void test_rubbish_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    refuses_hello(0, 'G', 1, "does not speak");
    refuses_hello(3, 'V', 4, "does not speak");
    refuses_hello(4, 2, 5, "version 2");
    refuses_hello(5, 4, HELLO_SIZE, "purpose 4");
    refuses_hello(5, 0, HELLO_SIZE, "purpose 0");
    refuses_hello(38, 'G', HELLO_SIZE, "no proper node");
    refuses_hello(38, 0, HELLO_SIZE, "no proper node");
    refuses_hello(117, '1', HELLO_SIZE, "no proper node");
}

int handshake_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_with_the_same_secret_agree_on_keys),
        cmocka_unit_test(test_an_empty_secret_works_like_any_other),
        cmocka_unit_test(test_the_initiator_refuses_a_wrong_secret_and_proves_nothing),
        cmocka_unit_test(test_the_acceptor_refuses_a_wrong_proof),
        cmocka_unit_test(test_a_changed_bit_of_any_message_is_noticed),
        cmocka_unit_test(test_a_foreign_cluster_is_refused_and_told),
        cmocka_unit_test(test_a_node_without_cluster_may_talk_to_one_with),
        cmocka_unit_test(test_a_node_does_not_talk_to_itself),
        cmocka_unit_test(test_its_own_messages_sent_back_convince_nobody),
        cmocka_unit_test(test_a_recorded_handshake_cannot_be_replayed),
        cmocka_unit_test(test_messages_may_arrive_byte_by_byte_and_with_frames_behind),
        cmocka_unit_test(test_rubbish_is_refused_at_its_first_wrong_byte),
    };
    return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
