#include "bus_tests.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "net/mailbox.h"

#define SENDERS  4
#define MESSAGES 2000

struct note {
    struct mailbox_message message;
    unsigned sender, number;
};

struct desk {
    struct mailbox *box;
    unsigned delivered, expected[SENDERS];
    unsigned close_at; /* close the mailbox in the n-th delivery */
};

static void on_note(struct mailbox_message *m, void *user)
{
    struct desk *d = user;
    struct note *n = (struct note *)m;
    assert_int_equal(n->number, d->expected[n->sender]++);
    free(n);
    if (++d->delivered == d->close_at) mailbox_close(d->box);
}

static bool post(struct desk *d, unsigned sender, unsigned number)
{
    struct note *n = malloc(sizeof *n);
    *n = (struct note){{.deliver = on_note}, sender, number};
    bool taken = mailbox_post(d->box, &n->message);
    if (!taken) free(n);
    return taken;
}

static void set_up(uv_loop_t *loop, struct desk *d, size_t max)
{
    *d = (struct desk){0};
    uv_loop_init(loop);
    d->box = mailbox_new(loop, max, d);
    assert_non_null(d->box);
}

static void test_messages_arrive_in_order(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct desk d;
    set_up(&loop, &d, 10);
    for (unsigned i = 0; i < 10; i++) assert_true(post(&d, 0, i));
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(d.delivered, 10);
    mailbox_close(d.box);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_a_full_mailbox_takes_no_more_until_it_is_emptied(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct desk d;
    set_up(&loop, &d, 3);
    for (unsigned i = 0; i < 3; i++) assert_true(post(&d, 0, i));
    assert_false(post(&d, 0, 3));
    uv_run(&loop, UV_RUN_ONCE);
    assert_true(post(&d, 0, 3));
    mailbox_close(d.box);
    assert_int_equal(d.delivered, 4);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_closing_within_a_delivery_keeps_the_order_and_loses_nothing(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct desk d;
    set_up(&loop, &d, 10);
    d.close_at = 3;
    for (unsigned i = 0; i < 8; i++) assert_true(post(&d, 0, i));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.delivered, 8);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void post_from_within(struct mailbox_message *m, void *user)
{
    struct desk *d = user;
    free(m);
    assert_false(post(d, 0, 0));
}

static void test_a_closing_mailbox_refuses(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct desk d;
    set_up(&loop, &d, 10);
    struct mailbox_message *m = malloc(sizeof *m);
    m->deliver = post_from_within;
    assert_true(mailbox_post(d.box, m));
    mailbox_close(d.box);
    assert_false(post(&d, 0, 0));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.delivered, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

struct sender {
    struct desk *desk;
    unsigned number;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    for (unsigned i = 0; i < MESSAGES; i++)
        while (!post(s->desk, s->number, i)) sched_yield();
    return NULL;
}

static void test_many_threads_lose_nothing_and_keep_their_own_order(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct desk d;
    set_up(&loop, &d, 64);
    pthread_t threads[SENDERS];
    struct sender senders[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){&d, i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    while (d.delivered < SENDERS * MESSAGES) uv_run(&loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < SENDERS; i++) pthread_join(threads[i], NULL);
    mailbox_close(d.box);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.delivered, SENDERS * MESSAGES);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int mailbox_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_arrive_in_order),
        cmocka_unit_test(test_a_full_mailbox_takes_no_more_until_it_is_emptied),
        cmocka_unit_test(test_closing_within_a_delivery_keeps_the_order_and_loses_nothing),
        cmocka_unit_test(test_a_closing_mailbox_refuses),
        cmocka_unit_test(test_many_threads_lose_nothing_and_keep_their_own_order),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
