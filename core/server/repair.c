/* aikv repair: makes a data directory that a start refuses one that it accepts, where that can be done and only with
 * the loss that was asked for. */
#include "store/repair.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "server/faults.h"
#include "server/identity.h"
#include "server/start_trial.h"
#include "server/subcommand.h"
#include "store/inspect.h"

enum { FLAG_CUT_LOG, FLAG_REBUILD };

struct repair {
    struct identity identity;
    struct store_checkpoint_report checkpoint;
    struct error checkpoint_damage; /* code 0: none */
    struct store_cut cut;
    bool cuts, rebuilds; /* what is to be done */
};

static unsigned long long number(uint64_t n)
{
    return n;
}

static int complain(const char *what, const struct error *e)
{
    fflush(stdout);
    fprintf(stderr, "aikv: %s%s\n", what, e->text);
    return exit_code_of(e);
}

static int inspect_checkpoint(void *user, struct error *e)
{
    struct repair *r = user;
    return store_inspect_checkpoint(r->identity.dir, keyspace_expiry, &r->checkpoint, e);
}

/* ---- what would help ---- */

/* The checkpoint is of no use: can the log do without? */
static int plan_rebuild(struct repair *r, struct error *e)
{
    struct store_position beginning = {0, 0};
    int code = store_find_cut(r->identity.dir, beginning, beginning, &r->cut, e);
    r->rebuilds = true;
    r->cuts = code == 0;
    return code == ERROR_NOT_FOUND ? 0 : code;
}

static int plan(struct repair *r, struct error *e)
{
    int code = r->checkpoint_damage.code;
    if (code) {
        *e = r->checkpoint_damage;
    } else {
        code = store_find_cut(r->identity.dir, r->checkpoint.at, r->checkpoint.next, &r->cut, e);
        r->cuts = code == 0;
        if (code == ERROR_NOT_FOUND)
            return error_set(e, ERROR_FORMAT, "neither the log nor the checkpoint is what is wrong: restore a backup");
    }
    if (code != ERROR_FORMAT) return code;
    printf("the checkpoint is of no use: %s\n", e->text);
    return plan_rebuild(r, e);
}

static void tell_of_cut(const struct store_cut *c)
{
    printf("--cut-log keeps everything up to batch %llu/%llu and loses what was written after it: ",
           number(c->kept.epoch), number(c->kept.sequence));
    if (c->lost_to.sequence && store_position_compare(c->lost_to, c->kept) <= 0)
        printf("nothing that can be told, since the checkpoint holds all batches that can be read there, ");
    else if (c->lost_to.sequence)
        printf("batches %llu/%llu to %llu/%llu at least, ", number(c->lost_to.epoch), number(c->kept.sequence + 1),
               number(c->lost_to.epoch), number(c->lost_to.sequence));
    else
        printf("how many batches cannot be told, ");
    printf("%llu bytes of the log\n", number(c->lost_bytes));
}

static void tell_of_rebuild(void)
{
    printf("--rebuild-checkpoint makes the checkpoint anew from the log, which reaches back to the beginning: nothing "
           "is lost by that\n");
}

/* ---- doing it ---- */

static int make_aside(const char *dir, char out[1100], struct error *e)
{
    char date[32];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm utc;
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    snprintf(out, 1100, "%s/repair-%s", dir, date);
    return mkdir(out, 0700) ? error_system(e, ERROR_IO, errno, "cannot make directory '%.300s'", out) : 0;
}

static int carry_out(struct repair *r, struct error *e)
{
    char aside[1100];
    struct store_report report;
    int code = make_aside(r->identity.dir, aside, e);
    if (!code && r->cuts) code = store_cut_log(r->identity.dir, &r->cut, aside, e);
    if (!code && r->rebuilds) code = store_rebuild_checkpoint(r->identity.dir, aside, keyspace_expiry, &report, e);
    if (!code) printf("done; what was taken away is in %s\n", aside);
    return code;
}

static int try_start(struct repair *r, struct start_trial *trial, struct error *e)
{
    *trial = (struct start_trial){.reads_rows = !r->checkpoint_damage.code};
    return start_trial_run(r->identity.dir, trial, e);
}

static int conclude(struct repair *r)
{
    struct start_trial trial;
    struct error e;
    if (r->rebuilds) r->checkpoint_damage.code = 0;
    int code = try_start(r, &trial, &e);
    if (!trial.accepted) return complain("a start still refuses it: ", &e);
    printf("a start accepts it now, up to batch %llu/%llu\n", number(trial.report.position.epoch),
           number(trial.report.position.sequence));
    return code ? complain("but not all is well: ", &e) : EXIT_OK;
}

/* ---- the command ---- */

static int mend(struct repair *r, const bool *given)
{
    struct error e;
    if (plan(r, &e)) return complain("this cannot be repaired: ", &e);
    if (r->cuts && r->rebuilds) printf("the log is damaged too: %s\n", r->cut.damage.text);
    if (r->cuts) tell_of_cut(&r->cut);
    if (r->rebuilds) tell_of_rebuild();
    if ((r->cuts && !given[FLAG_CUT_LOG]) || (r->rebuilds && !given[FLAG_REBUILD])) {
        printf("nothing was changed: give %s%s%s to do it\n", r->cuts ? "--cut-log" : "",
               r->cuts && r->rebuilds ? " and " : "", r->rebuilds ? "--rebuild-checkpoint" : "");
        return EXIT_FORMAT;
    }
    return carry_out(r, &e) ? complain("", &e) : conclude(r);
}

static int judge(struct repair *r, const bool *given)
{
    struct start_trial trial = {.accepted = true};
    struct error e = {0};
    int code = 0;
    if (r->identity.has_data) {
        if (faults_contain(inspect_checkpoint, r, sizeof *r, &e)) r->checkpoint_damage = e;
        code = try_start(r, &trial, &e);
    }
    if (!trial.accepted) {
        printf("a start refuses this directory: %s\n", e.text);
        /* What the disk or permissions are to blame for is not mended by taking data away. */
        return code == ERROR_FORMAT || code == ERROR_NOT_FOUND ? mend(r, given) : complain("this cannot be repaired: ", &e);
    }
    printf("a start accepts this directory: nothing was changed\n");
    if (r->checkpoint_damage.code) return complain("but not all is well: restore a backup: ", &r->checkpoint_damage);
    return code ? complain("but not all is well: restore a backup: ", &e) : EXIT_OK;
}

static int run(const struct subcommand_call *call)
{
    struct repair r = {0};
    struct error e;
    if (identity_look(&r.identity, call->operand, true, &e)) return complain("", &e);
    int exit_code = judge(&r, call->given);
    identity_close(&r.identity);
    return exit_code;
}

const struct subcommand repair_subcommand = {
    .name = "repair",
    .operand = "DIR",
    .doc = "Says how a data directory that a start refuses could be made good, and what would be lost; with the flags, "
           "does it.",
    .flags = {[FLAG_CUT_LOG] = {"cut-log", "Cuts the log at its first damage: what was written after it is lost."},
              [FLAG_REBUILD] = {"rebuild-checkpoint",
                                "Makes a damaged checkpoint anew, if the log reaches back to the beginning."}},
    .run = run,
};
