/* Commands on data, with any arguments: each gives one reply, whole and of its protocol, and what is held afterwards is as it must be. So it is too when
 * a row was damaged in between, unless the check tells.
 *
 * Input: requests as in tests/compat, a line each, words between blanks; the first byte chooses the protocol. A line of '!', the number of a row (1
 * byte), an offset (2, big endian) and bits (1) turns these bits there or, if there are none, cuts the row off. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command/engine.h"
#include "keyspace/check.h"
#include "keyspace/keyspace_state.h"
#include "resp/reply.h"

#define WORDS_MAX  64
#define LINES_MAX  32
#define REPLY_MAX  ((size_t)16 << 20)
#define NUMBER_MAX (1 << 20) /* that is not beyond all bounds: what it asks for is made at once */
#define NOW_MS     1000000000000

static struct store *store;
static struct command_engine *engine;
static struct command_session session;
static char folder[] = "/tmp/aikv-fuzz-XXXXXX";

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

/* The store's table holds its rows where a search for leaks between inputs does not find them. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void on_durable(void *user)
{
    (void)user;
}

static void end(void)
{
    struct keyspace *ks = engine->keyspace;
    command_engine_free(engine);
    keyspace_close(ks);
    store_close(store);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command)) perror(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    struct error e = {0};
    must(mkdtemp(folder), "there is a folder");
    struct store_options options = {.dir = folder, .on_durable = on_durable, .durability = STORE_NO, .expiry = keyspace_expiry};
    must(!store_open(&options, &store, NULL, &e), e.text);
    struct keyspace *ks;
    must(!keyspace_open(store, 2, &ks, &e), e.text);
    static const struct command_host host;
    engine = command_engine_new(&(struct command_options){.keyspace = ks, .databases = 2, .host = &host});
    atexit(end);
    return 0;
}

/* Whether a number asks for so much that it is only slow. */
static bool is_slow(struct bytes word)
{
    uint64_t number = 0;
    for (size_t i = 0; i < word.len; i++) {
        bool is_digit = word.data[i] >= '0' && word.data[i] <= '9';
        number = is_digit && number < UINT64_MAX / 10 ? 10 * number + word.data[i] - '0' : 0;
        if (number > NUMBER_MAX && number < (uint64_t)1 << 40) return true;
    }
    return false;
}

static void check_reply(struct bytes reply)
{
    struct resp_scan scan = {0};
    struct error e;
    must(resp_reply_scan(&scan, reply, REPLY_MAX, &e) == RESP_READY && scan.at == reply.len, "there is one reply, and it is whole");
}

static void run(int argc, const struct bytes *argv, int protocol)
{
    const struct command_entry *entry = command_table_resolve(&engine->table, argc, argv);
    if (!entry || !entry->row->run || !command_arity_fits(entry->row, argc)) return;
    const struct command_row *row = entry->row;
    if (!(row->flags & (READ | WRITE)) || row->suspends || row->is_debug) return;
    struct buffer out;
    buffer_init(&out, REPLY_MAX);
    struct resp_writer reply = {&out, protocol};
    buffer_clear(&engine->scratch);
    struct command_call c = {.argc = argc, .argv = argv, .reply = &reply, .keyspace = engine->keyspace, .now_ms = NOW_MS, .arena = &engine->arena,
                             .entry = entry, .in_transaction = true, .engine = engine, .session = &session};
    keyspace_begin(engine->keyspace, session.database, c.now_ms);
    row->run(&c);
    keyspace_end(engine->keyspace);
    if (!out.failed) check_reply(buffer_bytes(&out));
    buffer_release(&out);
    arena_reset(&engine->arena);
}

static void run_words(const uint8_t *line, size_t len, int protocol)
{
    struct bytes argv[WORDS_MAX];
    int argc = 0;
    for (size_t at = 0; at <= len && argc < WORDS_MAX;) {
        const uint8_t *blank = memchr(line + at, ' ', len - at);
        size_t end = blank ? (size_t)(blank - line) : len;
        argv[argc] = bytes_of(line + at, end - at);
        if (is_slow(argv[argc++])) return;
        at = end + 1;
    }
    run(argc, argv, protocol);
}

struct row {
    uint8_t name[STORE_KEY_MAX], *value;
    size_t name_len, value_len;
};

/* A copy of the `number`th row, counted round and round; false: there is none. */
static bool copy_row(unsigned number, struct row *out)
{
    struct bytes name;
    struct store_value value;
    unsigned count = 0;
    *out = (struct row){0};
    for (int round = 0; round < 2 && (round == 0 || count); round++) {
        struct store_iterator *it = store_iterate(store, bytes_of(NULL, 0), keyspace_rows_end());
        unsigned wanted = round ? number % count : UINT_MAX;
        for (count = 0; store_iterator_next(it, &name, &value); count++) {
            if (count != wanted) continue;
            memcpy(out->name, name.data, out->name_len = name.len);
            out->value = malloc(value.data.len);
            memcpy(out->value, value.data.data, out->value_len = value.data.len);
            break;
        }
        store_iterator_close(it);
    }
    return out->value;
}

/* False: the check tells of the damage. */
static bool damage(const uint8_t *what)
{
    struct row row;
    struct error e;
    if (!copy_row(what[0], &row)) return true;
    size_t at = (size_t)(what[1] << 8 | what[2]) % row.value_len;
    row.value[at] ^= what[3];
    store_begin(store);
    store_put(store, bytes_of(row.name, row.name_len), bytes_of(row.value, what[3] ? row.value_len : at));
    store_commit(store);
    free(row.value);
    return !keyspace_check(engine->keyspace, &e);
}

/* False: there is damage, no further. */
static bool run_line(const uint8_t *line, size_t len, int protocol)
{
    if (len == 5 && line[0] == '!') return damage(line + 1);
    run_words(line, len, protocol);
    return true;
}

static void clear(void)
{
    keyspace_begin(engine->keyspace, 0, NOW_MS);
    keyspace_flush_all(engine->keyspace);
    keyspace_end(engine->keyspace);
    while (keyspace_reclaim(engine->keyspace, 1000)) continue;
    store_flush(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint8_t *text = malloc(size); /* of its exact size */
    memcpy(text, data, size);
    int protocol = text[0] & 1 ? 3 : 2;
    bool good = true;
    for (size_t at = 1, lines = 0; good && at < size && lines < LINES_MAX; lines++) {
        const uint8_t *end = memchr(text + at, '\n', size - at);
        size_t len = end ? (size_t)(end - text) - at : size - at;
        good = run_line(text + at, len, protocol);
        at += len + 1;
    }
    struct error e;
    if (good && keyspace_check(engine->keyspace, &e)) must(false, e.text);
    clear();
    free(text);
    return 0;
}
