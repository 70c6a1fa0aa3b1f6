#include "command/notify.h"

#include <assert.h>
#include <stdio.h>

#include "command/engine.h"

#define CHANNEL_HEAD_MAX 32 /* bytes of "__keyevent@4294967295__:" */

/* In the order in which CONFIG GET shows them; `A` stands for those up to ALL. */
static const struct {
    char letter;
    unsigned class;
} letters[] = {
    {'g', NOTIFY_GENERIC}, {'$', NOTIFY_STRING},  {'l', NOTIFY_LIST},    {'s', NOTIFY_SET},      {'h', NOTIFY_HASH},
    {'z', NOTIFY_ZSET},    {'x', NOTIFY_EXPIRED}, {'e', NOTIFY_EVICTED}, {'t', NOTIFY_STREAM},   {'d', NOTIFY_MODULE},
    {'n', NOTIFY_NEW},     {'K', NOTIFY_KEYSPACE}, {'E', NOTIFY_KEYEVENT}, {'m', NOTIFY_KEY_MISS},
};
#define LETTERS (sizeof letters / sizeof *letters)

#define ALL                                                                                                                                  \
    (NOTIFY_GENERIC | NOTIFY_STRING | NOTIFY_LIST | NOTIFY_SET | NOTIFY_HASH | NOTIFY_ZSET | NOTIFY_EXPIRED | NOTIFY_EVICTED | NOTIFY_STREAM | \
     NOTIFY_MODULE)

/* ---- the setting ---- */

static bool class_of(char letter, unsigned *out)
{
    *out = letter == 'A' ? ALL : 0;
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].letter == letter) *out = letters[i].class;
    return *out != 0;
}

static bool parse(const char *text, unsigned *out)
{
    unsigned class;
    *out = 0;
    for (; *text; text++) {
        if (!class_of(*text, &class)) return false;
        *out |= class;
    }
    return true;
}

bool command_notify_canonical(const char *text, char out[COMMAND_NOTIFY_TEXT_MAX])
{
    unsigned classes;
    size_t len = 0;
    if (!parse(text, &classes)) return false;
    bool all = (classes & ALL) == ALL;
    if (all) out[len++] = 'A';
    for (size_t i = 0; i < LETTERS; i++) {
        bool shown = all && letters[i].class & ALL;
        if (classes & letters[i].class && !shown) out[len++] = letters[i].letter;
    }
    out[len] = 0;
    return true;
}

void command_engine_set_notify(struct command_engine *e, const char *classes)
{
    bool valid = parse(classes, &e->notify);
    assert(valid); /* command_notify_canonical has seen it */
    (void)valid;
}

/* ---- events ---- */

/* A text and bytes behind it, in the engine's buffer for that. */
static struct bytes channel_of(struct command_engine *e, const char *form, unsigned database, struct bytes of)
{
    char head[CHANNEL_HEAD_MAX];
    int len = snprintf(head, sizeof head, "__%s@%u__:", form, database);
    buffer_clear(&e->channel);
    buffer_append(&e->channel, head, (size_t)len);
    buffer_append(&e->channel, of.data, of.len);
    return buffer_bytes(&e->channel);
}

void command_notify_in(struct command_engine *e, unsigned database, unsigned class, const char *event, struct bytes key)
{
    if (!(e->notify & class)) return;
    struct bytes word = bytes_text(event);
    if (e->notify & NOTIFY_KEYSPACE) pubsub_publish(e, PUBSUB_CHANNEL, channel_of(e, "keyspace", database, key), word);
    if (e->notify & NOTIFY_KEYEVENT) pubsub_publish(e, PUBSUB_CHANNEL, channel_of(e, "keyevent", database, word), key);
}

void command_notify(struct command_call *c, unsigned class, const char *event, struct bytes key)
{
    command_notify_in(c->engine, c->session->database, class, event, key);
}

void command_notify_change(struct command_engine *e, unsigned database, struct bytes key, enum keyspace_change change)
{
    if (change == KEYSPACE_FIELDS_EXPIRED || change == KEYSPACE_LAST_FIELDS_EXPIRED) command_notify_in(e, database, NOTIFY_HASH, "hexpired", key);
    if (change == KEYSPACE_LAST_FIELDS_EXPIRED) command_notify_in(e, database, NOTIFY_GENERIC, "del", key);
    if (change == KEYSPACE_EXPIRED) command_notify_in(e, database, NOTIFY_EXPIRED, "expired", key);
    if (change == KEYSPACE_EVICTED) command_notify_in(e, database, NOTIFY_EVICTED, "evicted", key);
    if (change == KEYSPACE_CREATED) command_notify_in(e, database, NOTIFY_NEW, "new", key);
}
