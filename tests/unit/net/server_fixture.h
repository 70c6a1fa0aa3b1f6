/* A server with a few commands of its own, and clients to try it with: all on one thread, the loop run in between.
 *
 *   PING                +PONG                     ECHO x       $x
 *   BIG n               a bulk of n bytes         AUTH         +OK, and the client is authenticated
 *   GATE n              :n, gated at n            LATE n       :n, gated at n when the turn ends
 *   WAIT                suspends                  RELEASE n    +OK, and releases n
 *   COLD                +COLD, but waits for fixture_warm before it runs
 *   FORGET              +OK, and the client is not authenticated any more
 *   QUIT                +OK, then closes          VANISH       +OK, and closes at once
 *   KILL id             +OK, and closes that one  PAUSE        +OK, and pauses the server
 *   SHUTDOWN            +OK, and closes the server
 * Anything else: -ERR unknown. */
#ifndef AIKV_TEST_SERVER_FIXTURE_H
#define AIKV_TEST_SERVER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/server.h"

struct fixture {
    uv_loop_t loop;
    struct net_server *server; /* NULL once a test has closed it */
    uint16_t port;
    size_t opened, closed, commands, turns, rejections;
    size_t commands_in_turn, commands_in_turn_max;
    uint64_t late_client, late_gate; /* LATE */
    uint64_t waiting_client;         /* WAIT, the last; and all since the test emptied it */
    uint64_t waiting_clients[64];
    size_t waiting_count;
    struct resp_request waiting;
    uint64_t cold_clients[64]; /* COLD: who waits */
    size_t cold_count, cold_in_turn, asked, announced; /* calls of `ahead`, and the requests it was told of */
    bool leave_unauthenticated;
};

/* Set-up and tear-down of a test: *state is the fixture. */
int fixture_open(void **state);
int fixture_close(void **state);

/* Lets the loop do what there is to do, several turns. */
void fixture_run(struct fixture *f);
struct net_statistics fixture_statistics(struct fixture *f);
void fixture_set_limits(struct fixture *f, void (*change)(struct net_limits *limits));
/* Answers the client that WAITs, and lets it go on. */
void fixture_answer(struct fixture *f, const char *reply);

/* Lets the client that has waited longest for its COLD go on, if it is still there. */
void fixture_warm(struct fixture *f);

/* A connection: a socket that does not block. */
int client_connect(struct fixture *f);
/* Sends all; the loop runs meanwhile. */
void client_send(struct fixture *f, int fd, const void *data, size_t len);
void client_say(struct fixture *f, int fd, const char *text);
/* The next bytes must be these. Fails after 5 s. */
void client_expect(struct fixture *f, int fd, const char *text);
void client_expect_bytes(struct fixture *f, int fd, const void *data, size_t len);
/* Nothing comes, though the loop runs. */
void client_expect_silence(struct fixture *f, int fd);
/* The server has closed the connection, and nothing more was sent. */
void client_expect_end(struct fixture *f, int fd);

int server_request_tests(void);
int server_gate_tests(void);
int server_wait_tests(void);
int server_limit_tests(void);
int server_life_tests(void);
int server_random_tests(void);

#endif
