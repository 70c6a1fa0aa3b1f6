/* A node in one thread: engine, client server, keyspace and store, all real; and clients that talk to it over sockets.
 * The loop turns while a client waits for a reply. */
#ifndef AIKV_TEST_COMMAND_FIXTURE_H
#define AIKV_TEST_COMMAND_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command/command.h"
#include "files.h"

struct node {
    uv_loop_t loop;
    uv_async_t durable; /* wakes the loop when the store's durable position rose */
    struct command_engine *engine;
    struct net_server *server;
    struct store *store;
    struct keyspace *keyspace;
    uint16_t port;
    char dir[FILES_DIR_MAX];

    bool gates_held; /* set it: replies wait even when they are durable, until node_release */
    bool cold; /* rows on disk, as node_setup_cold says */
    char password[64];
    char settings[2][64]; /* "maxclients", "timeout"; "databases" cannot be set */
    bool protected_mode, shut_down;
    struct command_memory memory; /* as MEMORY is told */
    struct { /* what was passed to control */
        unsigned calls;
        uint64_t token;
        int argc, protocol;
        char line[256]; /* the arguments with blanks between */
        bool refuses;
    } control;
    struct { /* messages handed on to other nodes, in cluster mode */
        unsigned count;
        char last[64]; /* "channel: text" */
        bool refuses;
    } forwarded;
};

/* Alone, with 100 keys "k:0" = "0" to "k:99" = "99" on disk and none in memory, and no memory to keep more than what is written; reading each
 * always waits for the disk, and as long as node_hold_reads says. */
int node_setup_cold(void **state);
/* Reads of rows whose name ends so do not begin until the next call; "": all, NULL: none. */
void node_hold_reads(const char *suffix);
/* The node ends, with its clients, and begins anew on the same data as one of node_setup_cold(). */
void node_restart_cold(struct node *n);
/* From now on, rows that are read from disk are remembered; and how many of them the node has read by itself before its threads had, or only
 * the threads. */
void node_watch_reads(void);
size_t node_reads_alone(void);
size_t node_reads_in_vain(void);
/* Rows given to store_warm whose requests still wait. */
unsigned node_waiting_reads(struct node *n);

/* Alone, and in cluster mode without a routing table: cmocka set-up functions. */
int node_setup(void **state);
int node_setup_cluster(void **state);
int node_teardown(void **state);
/* Turns the loop a few times. */
void node_turn(struct node *n);
/* Turns until so many clients are connected. */
void node_await_clients(struct node *n, unsigned wanted);
void node_release(struct node *n);

/* A client's socket; connected, not blocking. */
int client_connect(struct node *n, const char *host);
void client_close(int client);
/* Sends the bytes as they are. */
void client_send(int client, const char *bytes);
/* The next whole reply as it came; lives until the 4th next call. "" if the connection is closed. */
const char *client_receive(struct node *n, int client);
/* Whether anything has come within some turns. */
bool client_is_silent(struct node *n, int client);
/* Sends one inline request and returns its reply. */
const char *ask(struct node *n, int client, const char *request);
/* The reply must be this one, without its final line break. */
#define says(n, client, request, reply) assert_string_equal(ask(n, client, request), reply)
/* The reply must hold this text. */
#define assert_contains(text, part) assert_non_null(strstr(text, part))

/* Six nodes: shards on nodes 1 to 3 with all slots, replicas on nodes 4 to 6; as seen by node `self`. */
struct cluster_routing *routing_of_six(unsigned self);
/* The same, with node `down` marked as not reachable, or only `shards` of the shards having slots. */
struct cluster_routing *routing_of(unsigned self, unsigned shards, unsigned down);
/* A node that is no member. */
struct cluster_routing *routing_of_candidate(void);

int run_table_tests(void);
int run_glob_tests(void);
int run_dispatch_tests(void);
int run_ahead_tests(void);
int run_cold_tests(void);
int run_need_tests(void);
int run_session_tests(void);
int run_config_tests(void);
int run_cluster_tests(void);
int run_control_tests(void);
int run_save_tests(void);
int run_slowlog_tests(void);
int run_latency_tests(void);
int run_monitor_tests(void);
int run_pause_tests(void);
int run_memory_tests(void);
int run_debug_tests(void);
int run_pubsub_tests(void);
int run_transaction_tests(void);
int run_blocked_tests(void);
int run_syntax_tests(void);

#endif
