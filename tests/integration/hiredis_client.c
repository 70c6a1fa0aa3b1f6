/* What a client in C does, with hiredis: requests, binary ones too, pipelines, transactions, errors, messages. Ends with 0 if all is right.
 *
 * usage: hiredis_client PORT */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPELINE 10000

static void must(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "hiredis_client: %s\n", what);
    exit(1);
}

static redisReply *received(redisContext *c)
{
    void *reply = NULL;
    must(redisGetReply(c, &reply) == REDIS_OK && reply, "no reply");
    return reply;
}

static void is_status(redisReply *r, const char *text)
{
    must(r && r->type == REDIS_REPLY_STATUS && strcmp(r->str, text) == 0, text);
    freeReplyObject(r);
}

static void values(redisContext *c)
{
    is_status(redisCommand(c, "SET %b %b", "k\0ey", (size_t)4, "\0\r\n\xff", (size_t)4), "OK");
    redisReply *r = redisCommand(c, "GET %b", "k\0ey", (size_t)4);
    must(r && r->type == REDIS_REPLY_STRING && r->len == 4 && memcmp(r->str, "\0\r\n\xff", 4) == 0, "a binary value");
    freeReplyObject(r);
    r = redisCommand(c, "GET none");
    must(r && r->type == REDIS_REPLY_NIL, "null");
    freeReplyObject(r);
    r = redisCommand(c, "LPUSH %b x", "k\0ey", (size_t)4);
    must(r && r->type == REDIS_REPLY_ERROR && strncmp(r->str, "WRONGTYPE ", 10) == 0, "an error");
    freeReplyObject(r);
    r = redisCommand(c, "HSET h f 1 g 2");
    must(r && r->type == REDIS_REPLY_INTEGER && r->integer == 2, "an integer");
    freeReplyObject(r);
    r = redisCommand(c, "HGETALL h");
    must(r && r->type == REDIS_REPLY_ARRAY && r->elements == 4 && strcmp(r->element[3]->str, "2") == 0, "an array");
    freeReplyObject(r);
}

static void pipeline(redisContext *c)
{
    for (int i = 0; i < PIPELINE; i++) must(redisAppendCommand(c, "INCRBY n %d", i) == REDIS_OK, "appending");
    long long sum = 0;
    for (int i = 0; i < PIPELINE; i++) {
        redisReply *r = received(c);
        sum += i;
        must(r->type == REDIS_REPLY_INTEGER && r->integer == sum, "a pipeline's replies");
        freeReplyObject(r);
    }
}

static void transaction(redisContext *c)
{
    is_status(redisCommand(c, "MULTI"), "OK");
    is_status(redisCommand(c, "SET t 1"), "QUEUED");
    is_status(redisCommand(c, "INCR t"), "QUEUED");
    redisReply *r = redisCommand(c, "EXEC");
    must(r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 && r->element[1]->integer == 2, "a transaction");
    freeReplyObject(r);
}

static void messages(redisContext *c, redisContext *subscriber)
{
    freeReplyObject(redisCommand(subscriber, "SUBSCRIBE x"));
    redisReply *r = redisCommand(c, "PUBLISH x hello");
    must(r && r->integer == 1, "one subscriber");
    freeReplyObject(r);
    r = received(subscriber);
    must(r->elements == 3 && strcmp(r->element[2]->str, "hello") == 0, "a message");
    freeReplyObject(r);
}

int main(int argc, char **argv)
{
    must(argc == 2, "usage: hiredis_client PORT");
    redisContext *c = redisConnect("127.0.0.1", atoi(argv[1])), *subscriber = redisConnect("127.0.0.1", atoi(argv[1]));
    must(c && !c->err && subscriber && !subscriber->err, "no connection");
    values(c);
    pipeline(c);
    transaction(c);
    messages(c, subscriber);
    redisFree(c);
    redisFree(subscriber);
    return 0;
}
