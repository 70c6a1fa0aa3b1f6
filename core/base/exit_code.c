#include "base/exit_code.h"

int exit_code_of(const struct error *e)
{
    switch (e->code) {
    case ERROR_CONFIG: return EXIT_USAGE;
    case ERROR_LOCKED: return EXIT_LOCKED;
    case ERROR_FORMAT:
    case ERROR_FOREIGN: return EXIT_FORMAT;
    case ERROR_PERMISSION: return EXIT_PERMISSION;
    case ERROR_DISK:
    case ERROR_MISCONF: return EXIT_DISK;
    default: return EXIT_INTERNAL;
    }
}
