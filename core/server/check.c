/* aikv check: reads all of a data directory and says what is there, what is damaged and what a start would make of it.
 * Changes nothing.
 *
 * LMDB is read in processes of their own (faults_contain), so that damage which ends one of them still leaves a report.
 */
#include <stdio.h>

#include "base/exit_code.h"
#include "keyspace/inspect.h"
#include "server/faults.h"
#include "server/identity.h"
#include "server/start_trial.h"
#include "server/subcommand.h"
#include "store/inspect.h"

#define SHOWN_BYTES 200 /* of a key or value; what is more is cut */

enum { FLAG_DUMP };

struct check {
    struct identity identity;
    bool dump;
    struct buffer line; /* of the dump */
    int exit_code;
};

static unsigned long long number(uint64_t n)
{
    return n;
}

/* What is wrong with a part. The first decides how the process ends. */
static void complain(struct check *c, const char *part, const struct error *e)
{
    printf("%s: DAMAGED: %s\n", part, e->text);
    if (!c->exit_code) c->exit_code = exit_code_of(e);
}

/* ---- the log ---- */

static const char *operation_name(enum store_operation_code code)
{
    switch (code) {
    case STORE_OPERATION_PUT: return "put";
    case STORE_OPERATION_DELETE: return "delete";
    case STORE_OPERATION_SPLICE: return "splice";
    case STORE_OPERATION_DROP_SLOTS:
    case STORE_OPERATION_DROP_DATABASE: break;
    }
    return "drop";
}

static void describe_range(const struct store_range *range, struct buffer *out)
{
    buffer_printf(out, "slots=%u-%u", range->first_slot, range->last_slot);
    if (range->one_database) buffer_printf(out, " database_id=%u", (unsigned)range->database);
}

static void describe_row(const struct store_operation *o, struct buffer *out)
{
    keyspace_describe_row(o->key, o->code == STORE_OPERATION_PUT ? &o->value : NULL, SHOWN_BYTES, out);
    if (o->code != STORE_OPERATION_SPLICE) return;
    buffer_printf(out, " offset=%zu removed=%zu inserted=", o->offset, o->removed);
    keyspace_describe_bytes(o->value, SHOWN_BYTES, out);
}

static int dump_operation(void *user, uint64_t epoch, const struct store_operation *o, struct error *e)
{
    struct check *c = user;
    (void)e;
    buffer_clear(&c->line);
    buffer_printf(&c->line, "%llu/%llu %s ", number(epoch), number(o->sequence), operation_name(o->code));
    if (o->key.len)
        describe_row(o, &c->line);
    else
        describe_range(&o->range, &c->line);
    printf("%.*s\n", (int)c->line.len, (const char *)c->line.data);
    return 0;
}

static void check_log(struct check *c)
{
    struct store_log_report r;
    struct error e;
    int code = store_inspect_log(c->identity.dir, c->dump ? dump_operation : NULL, c, &r, &e);
    printf("log: %llu segments, %llu records, %llu batches, %llu bytes", number(r.segments), number(r.records),
           number(r.batches), number(r.bytes));
    if (r.records)
        printf("; batches %llu/%llu to %llu/%llu", number(r.first.epoch), number(r.first.sequence),
               number(r.last.epoch), number(r.last.sequence));
    printf("\nlog changes: %llu put, %llu delete, %llu splice, %llu drop\n", number(r.puts), number(r.deletes),
           number(r.splices), number(r.drops));
    if (r.torn_bytes) printf("log end: %llu bytes that a crash left; a start drops them\n", number(r.torn_bytes));
    if (code) complain(c, "log", &e);
}

/* ---- the checkpoint ---- */

static int inspect_checkpoint(void *user, struct error *e)
{
    const struct check *c = user;
    struct store_checkpoint_report r;
    int code = store_inspect_checkpoint(c->identity.dir, keyspace_expiry, &r, e);
    if (code) return code;
    printf("checkpoint: of %llu/%llu, %llu rows, %llu expire, %llu bytes of keys, %llu of values, the longest %llu\n",
           number(r.at.epoch), number(r.at.sequence), number(r.rows), number(r.expiring), number(r.key_bytes), number(r.value_bytes),
           number(r.value_max_bytes));
    if (r.next.sequence > r.at.sequence)
        printf("checkpoint: one of %llu/%llu was interrupted; a start finishes it\n", number(r.next.epoch),
               number(r.next.sequence));
    printf("checkpoint pages: %llu of %llu bytes, %llu free; rows have depth %u, %llu branches, %llu leaves, %llu of "
           "long values\n",
           number(r.pages), number(r.page_bytes), number(r.free_pages), r.depth, number(r.branch_pages),
           number(r.leaf_pages), number(r.overflow_pages));
    return 0;
}

/* ---- both ---- */

static void tell_of_databases(void *user, struct keyspace *ks)
{
    (void)user;
    for (unsigned n = 0; n < keyspace_databases(ks); n++)
        if (keyspace_size(ks, n))
            printf("database %u: %llu keys, %llu expire\n", n, number(keyspace_size(ks, n)),
                   number(keyspace_expiring(ks, n)));
}

static void check_start(struct check *c, bool reads_rows)
{
    struct start_trial trial = {.reads_rows = reads_rows, .visit = tell_of_databases};
    struct error e;
    int code = start_trial_run(c->identity.dir, &trial, &e);
    if (!trial.accepted) {
        printf("start: would be refused: %s\n", e.text);
        if (!c->exit_code) c->exit_code = exit_code_of(&e);
        return;
    }
    printf("start: would replay %llu records, %llu bytes, which change %llu rows, up to %llu/%llu\n",
           number(trial.report.records), number(trial.report.bytes), number(trial.report.changed_rows),
           number(trial.report.position.epoch), number(trial.report.position.sequence));
    if (code) complain(c, "keys", &e);
}

/* ---- all ---- */

static void check_directory(struct check *c)
{
    const struct identity *i = &c->identity;
    printf("node.json: node %s, cluster %s, %llu starts\n", i->node_id, *i->cluster_id ? i->cluster_id : "none",
           number(i->incarnation));
    if (!i->has_data) {
        printf("store: not made yet, or not to the end: a start makes it\n");
        return;
    }
    struct error e;
    check_log(c);
    bool sound = !faults_contain(inspect_checkpoint, c, sizeof *c, &e);
    if (!sound) complain(c, "checkpoint", &e);
    check_start(c, sound);
}

static int run(const struct subcommand_call *call)
{
    struct check c = {.dump = call->given[FLAG_DUMP]};
    struct error e;
    int code = identity_look(&c.identity, call->operand, false, &e);
    if (code) {
        fprintf(stderr, "aikv: %s\n", e.text);
        return exit_code_of(&e);
    }
    buffer_init(&c.line, 1 << 20);
    check_directory(&c);
    printf("%s\n", c.exit_code ? "DAMAGED" : "clean");
    buffer_release(&c.line);
    identity_close(&c.identity);
    if (fflush(stdout) || ferror(stdout)) return EXIT_INTERNAL;
    return c.exit_code;
}

const struct subcommand check_subcommand = {
    .name = "check",
    .operand = "DIR",
    .doc = "Reads all of a data directory that no node uses: what is there, what is damaged. Changes nothing.",
    .flags = {[FLAG_DUMP] = {"dump", "First writes each change in the log, a line each."}},
    .run = run,
};
