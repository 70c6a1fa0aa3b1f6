/* A run while it runs: on a terminal its last steps, drawn anew; else a line for each change. */
#ifndef AIKV_TOOL_PROGRESS_H
#define AIKV_TOOL_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>

struct progress {
    bool silent; /* shows nothing */
    bool terminal;
    bool paused;  /* it was said that the run is */
    int drawn;    /* lines on the terminal that the next drawing replaces */
    json_t *seen; /* lines by step ("1.3") */
    json_t *last; /* status that was shown */
};

/* Looks whether standard output is a terminal. */
void progress_begin(struct progress *p, bool silent);
/* Shows what changed. `status` is what CLUSTER SCRIPT STATUS replies. */
void progress_show(struct progress *p, const json_t *status);
/* Shows how the run ended, or that it goes on. */
void progress_end(struct progress *p, const json_t *status);

#endif
