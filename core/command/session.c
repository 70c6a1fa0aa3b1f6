#include "command/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "command/engine.h"

struct command_session *command_session_new(struct net_client *c)
{
    struct command_session *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->client = c;
    s->protocol = 2;
    return s;
}

/* What points to the session. */
static void leave(struct command_engine *e, struct command_session *s)
{
    pubsub_leave(e, s);
    transaction_end(e, s);
    command_blocked_forget(e, s);
}

void command_session_reset(struct command_engine *e, struct command_session *s)
{
    leave(e, s);
    free(s->name);
    s->name = NULL;
    s->database = 0;
    s->protocol = 2;
    s->readonly = s->monitor = s->replies_off = false;
    s->replies_skipped = 0;
}

void command_session_free(struct command_engine *e, struct command_session *s)
{
    leave(e, s);
    command_pause_forget(e, s);
    free(s->name);
    free(s->library);
    free(s->library_version);
    free(s);
}

void command_session_keep(struct command_session *s, size_t bytes)
{
    s->kept += bytes;
    net_client_set_kept(s->client, s->kept);
}

void command_session_let_go(struct command_session *s, size_t bytes)
{
    assert(bytes <= s->kept);
    s->kept -= bytes;
    net_client_set_kept(s->client, s->kept);
}

int command_session_set_name(char **name, struct bytes value, const char *what, struct error *e)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '!' || value.data[i] > '~') {
            return error_set(e, ERROR_SYNTAX, "%s cannot contain spaces, newlines or special characters.", what);
        }
    }
    if (value.len > COMMAND_SESSION_NAME_MAX) {
        return error_set(e, ERROR_LIMIT, "%s cannot be longer than %d bytes.", what, COMMAND_SESSION_NAME_MAX);
    }
    char *copy = NULL;
    if (value.len && !(copy = strndup((const char *)value.data, value.len))) abort();
    free(*name);
    *name = copy;
    return 0;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

/* Redis's letters, in its order. */
static const char *describe_flags(const struct command_session *s, char out[16])
{
    size_t n = 0;
    if (s->monitor) out[n++] = 'O';
    if (pubsub_is_subscriber(&s->subscriber)) out[n++] = 'P';
    if (s->transaction.open) out[n++] = 'x';
    if (s->waiting || s->ahead.waiting || s->paused) out[n++] = 'b';
    if (s->watcher.dirty) out[n++] = 'd';
    if (s->readonly) out[n++] = 'r';
    if (s->no_evict) out[n++] = 'e';
    if (s->no_touch) out[n++] = 'T';
    if (n == 0) out[n++] = 'N';
    out[n] = 0;
    return out;
}

/* Redis 7.0's fields in its order, then 7.2's lib-name and lib-ver. What AiKv does not have shows its resting value. */
void command_session_describe(const struct command_session *s, const struct net_client *c, struct buffer *out)
{
    uint64_t now = clock_monotonic_ms();
    size_t query = 0, output = 0;
    char flags[16];
    net_client_memory(c, &query, &output);
    buffer_printf(out, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%llu idle=%llu flags=%s db=%u ",
                  (unsigned long long)net_client_id(c), net_client_address(c), net_client_local_address(c),
                  net_client_fd(c), text_or(s->name, ""), (unsigned long long)((now - net_client_opened_ms(c)) / 1000),
                  (unsigned long long)((now - net_client_active_ms(c)) / 1000),
                  describe_flags(s, flags), s->database);
    buffer_printf(out,
                  "sub=%zu psub=%zu ssub=%zu multi=%ld qbuf=%zu qbuf-free=0 argv-mem=0 multi-mem=%zu rbs=0 rbp=0 obl=0 oll=0 "
                  "omem=%zu tot-mem=%zu events=r cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s\n",
                  pubsub_count(&s->subscriber, PUBSUB_CHANNEL), pubsub_count(&s->subscriber, PUBSUB_PATTERN),
                  pubsub_count(&s->subscriber, PUBSUB_SHARD), s->transaction.open ? (long)s->transaction.count : -1L, query - s->kept,
                  s->transaction.bytes, output, query + output, s->last ? s->last->name : "NULL", s->protocol, text_or(s->library, ""),
                  text_or(s->library_version, ""));
}
