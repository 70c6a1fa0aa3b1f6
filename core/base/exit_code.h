/* How the process ends: the exit codes that scripts and service managers may rely on. (design: interfaces.md) */
#ifndef AIKV_BASE_EXIT_CODE_H
#define AIKV_BASE_EXIT_CODE_H

#include "base/error.h"

enum exit_code {
    EXIT_OK,         /* ended as asked */
    EXIT_INTERNAL,
    EXIT_USAGE,      /* command line or configuration */
    EXIT_ADDRESS,    /* in use */
    EXIT_LOCKED,     /* another process uses the data directory */
    EXIT_FORMAT,     /* unknown format, damage, or of a foreign cluster */
    EXIT_PERMISSION,
    EXIT_DISK,       /* full or failing */
};

/* For an error that ends the process. ERROR_LOCKED is the data directory's; whoever meant an address knows. */
int exit_code_of(const struct error *e);

#endif
