/* The command line. */
#ifndef AIKV_SERVER_OPTIONS_H
#define AIKV_SERVER_OPTIONS_H

#include "server/config.h"

enum options_action { ACTION_SERVE, ACTION_CHECK_CONFIG, ACTION_PING, ACTION_HELP, ACTION_VERSION, ACTION_REFERENCE };

struct options {
    enum options_action action;
    const char *config_file; /* NULL: none */
    const char *ready_file;  /* NULL: none */
    const char *page;        /* of ACTION_REFERENCE: a name that reference_page knows */
};

/* Reads the command line, the file it names, and the environment into `config`. Errors: CONFIG. */
int options_read(int argc, char **argv, struct options *out, struct config *config, struct error *e);
void options_help(struct buffer *out);

#endif
