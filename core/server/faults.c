#include "server/faults.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"

/* The handlers log, which is not safe in handlers at large: here the thread is in the midst of reading or writing data. */

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != BUS_ADRERR) { /* not a page that cannot be had, but an error in the program */
        signal(number, SIG_DFL);
        return;
    }
    log_error("cannot read or write a mapped file of the data directory: ending; it was cut short, or the disk is full or failing", "");
    _exit(EXIT_DISK);
}

static void on_wild_access(int number)
{
    log_error("the store is damaged: ending; restore the data directory from a backup", "signal=%d", number);
    _exit(EXIT_FORMAT);
}

void faults_init(void)
{
    struct sigaction bus = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &bus, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* the write says EFBIG */
}

void faults_opening(bool yes)
{
    static struct sigaction before;
    struct sigaction damage = {.sa_handler = on_wild_access};
    if (yes)
        sigaction(SIGSEGV, &damage, &before);
    else
        sigaction(SIGSEGV, &before, NULL);
}
