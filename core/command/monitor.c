#include "command/monitor.h"

#include <stdlib.h>

#include "base/log.h"
#include "command/engine.h"

/* ---- who watches ---- */

static void add(struct command_monitors *m, struct net_client *client)
{
    if (m->count == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 4;
        m->list = realloc(m->list, m->cap * sizeof(struct net_client *));
        if (!m->list) abort();
    }
    m->list[m->count++] = client;
}

void command_monitors_remove(struct command_monitors *m, struct net_client *client)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->list[i] != client) continue;
        m->list[i] = m->list[--m->count];
        return;
    }
}

void command_monitors_release(struct command_monitors *m)
{
    free(m->list);
    *m = (struct command_monitors){0};
}

/* ---- a line ---- */

static void quote_byte(struct buffer *out, uint8_t byte)
{
    static const char plain[] = "\n\r\t\a\b\\\"", names[] = "nrtab\\\"", hex[] = "0123456789abcdef";
    const char *known = byte ? strchr(plain, byte) : NULL;
    if (known)
        buffer_append(out, (char[]){'\\', names[known - plain]}, 2);
    else
        buffer_append(out, (char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
}

static bool is_plain(uint8_t byte)
{
    return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

static void quote(struct buffer *out, struct bytes text)
{
    buffer_append_text(out, " \"");
    for (size_t i = 0; i < text.len && !out->failed;) {
        size_t run = i;
        while (run < text.len && run - i < 4096 && is_plain(text.data[run])) run++;
        buffer_append(out, text.data + i, run - i);
        if (run < text.len && !is_plain(text.data[run])) quote_byte(out, text.data[run++]);
        i = run;
    }
    buffer_append_text(out, "\"");
}

static void write_line(struct buffer *out, const struct command_call *c, int64_t at_us)
{
    buffer_printf(out, "+%lld.%06lld [%u %s]", (long long)(at_us / 1000000), (long long)(at_us % 1000000),
                  c->session->database, net_client_address(c->client));
    for (int i = 0; i < c->argc && !out->failed; i++) quote(out, command_shown(c->entry->row, c->argc, c->argv, i));
}

void command_monitors_feed(struct command_monitors *m, const struct command_call *c, int64_t at_us)
{
    if (c->entry->row->flags & (ADMIN | SKIP_MONITOR)) return;
    struct buffer line;
    buffer_init(&line, MONITOR_LINE_MAX);
    write_line(&line, c, at_us);
    const char *end = line.failed ? "...\r\n" : "\r\n";
    for (size_t i = m->count; i-- > 0;) {
        struct net_client *monitor = m->list[i];
        buffer_append(net_client_reply(monitor), line.data, line.len);
        buffer_append_text(net_client_reply(monitor), end);
        if (net_client_waiting(monitor) <= MONITOR_OUTPUT_MAX) continue;
        log_warn("closed a client", "client=%s why=%s", net_client_address(monitor), log_quote("it does not read what MONITOR shows it"));
        command_monitors_remove(m, monitor);
        net_client_close(monitor);
    }
    buffer_release(&line);
}

/* ---- the command ---- */

/* Who is a monitor already gets no reply, as in Redis. */
static void command_monitor_monitor(struct command_call *c)
{
    if (c->in_transaction) {
        resp_error(c->reply, ERROR_GENERIC, "MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    if (c->session->monitor) return;
    c->session->monitor = true;
    add(&c->engine->monitors, c->client);
    command_reply_ok(c);
}

const struct command_row command_monitor_rows[] = {
    {"MONITOR", 1, ADMIN | NOSCRIPT | LOADING | STALE, NO_KEYS, 0, command_monitor_monitor,
     "Shows this connection every command that any client runs, until it ends or RESET.",
     .since = "1.0.0", .complexity = "O(N) for every command, where N is the number of monitors"},
    {0},
};
