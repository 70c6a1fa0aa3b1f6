/* When a trigger's script is asked, and which text of it. Pure: the metadata, a little memory and what the leader sees
 * in, one verdict out.
 *
 * A trigger's condition is a level, not an edge: while it holds the script is asked again and again, and a run begins
 * whenever it answers with steps. What must survive a change of leader (the cool-down, which runs failed) is in the
 * metadata; the memory is this leader's. */
#ifndef AIKV_CONTROL_TRIGGER_DECISION_H
#define AIKV_CONTROL_TRIGGER_DECISION_H

#include "cluster/state.h"

#define TRIGGER_AGAIN_MS     2000 /* from an answer, or the end of a run, to the next question */
#define TRIGGER_PAUSE_MIN_MS 2000 /* after a failure; twice as long after each further one */
#define TRIGGER_PAUSE_MAX_MS 300000
#define TRIGGER_YIELD_MS     5000 /* triggers stay back so long for an operator whose run had to wait for theirs */

/* What a script's name stands for: the text that was loaded, else the built-in one. A loaded one that shadows a
 * built-in one and fails has that one asked in its place. */
enum trigger_text { TRIGGER_LOADED, TRIGGER_BUILTIN, TRIGGER_TEXTS };

/* What this leader remembers of a trigger. */
struct trigger_memory {
    char name[CLUSTER_NAME_MAX + 1];
    char version[TRIGGER_TEXTS][17]; /* of the texts there are; "": none */
    uint64_t asked_ms;               /* when it answered last, without an error; 0: not yet */
    uint64_t rests_until_ms;
    uint64_t ups_seen; /* trigger_facts.ups as of that answer */
    uint64_t stood_in; /* the failed run in whose place the built-in text has answered */
    uint64_t told;     /* the failed run of which the log says that the built-in text stands in for it */
    char why[161];     /* what it waits for, or why it had no steps, as of that answer; "": it said nothing */
    uint64_t running;  /* the trigger's run that was active when last looked at; 0: none */
    struct trigger_complaint {
        char version[17]; /* of the text that answered with an error; "": none did */
        uint32_t errors;  /* one after the other */
        uint64_t at_ms;
        char error[385];
    } complaint[TRIGGER_TEXTS];
};
/* The script answered: with an error; or well, with steps or without. An answer that only waits has done nothing yet.
 */
void trigger_memory_failed(struct trigger_memory *m, enum trigger_text text, const char *error, uint64_t now_ms);
void trigger_memory_answered(struct trigger_memory *m, const struct cluster_trigger *t, enum trigger_text text,
                             uint64_t ups, bool only_waits, uint64_t now_ms);
/* Notices that the trigger's run is active, or has ended. */
void trigger_memory_look(struct trigger_memory *m, const struct cluster_state *s, const struct cluster_trigger *t,
                         uint64_t now_ms);

/* What the leader sees. Times in ms: of its monotonic clock, and wall time for what is in the metadata. */
struct trigger_facts {
    uint64_t now_ms;
    int64_t wall_ms;
    uint64_t free_since_ms;     /* no run has been active since */
    bool refused;               /* an operator's run, because another was active, since an operator's last began */
    uint64_t ups;               /* 1, and one more for every member that came up in this reign */
    bool holds[CLUSTER_EVENTS]; /* NODE_DOWN, CANDIDATE, IMBALANCE */
};

enum trigger_verdict {
    TRIGGER_ASK,       /* ask `text` */
    TRIGGER_PAUSED,    /* all triggers are */
    TRIGGER_RUNNING,   /* a run is active */
    TRIGGER_YIELDS,    /* to an operator, for wait_ms */
    TRIGGER_NO_SCRIPT, /* there is none of this name */
    TRIGGER_COOLS,     /* for wait_ms */
    TRIGGER_IDLE,      /* its condition does not hold; of a schedule: for wait_ms */
    TRIGGER_FAILS,     /* asked again in wait_ms */
    TRIGGER_RESTS      /* asked again in wait_ms */
};

struct trigger_decision {
    enum trigger_verdict verdict;
    enum trigger_text text;
    uint64_t wait_ms;
};
void trigger_decide(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m,
                    const struct trigger_facts *f, struct trigger_decision *out);
/* The trigger to be asked now, of those that are due the one that fired longest ago; s->trigger_count: none is due.
 * `memory` has one of each trigger, in their order. */
uint32_t trigger_pick(const struct cluster_state *s, const struct trigger_memory *memory, const struct trigger_facts *f,
                      enum trigger_text *text);
/* What is wrong with the trigger's script, for people; "" when nothing is. */
void trigger_problem(const struct cluster_state *s, const struct cluster_trigger *t, const struct trigger_memory *m,
                     char *out, size_t size);

#endif
