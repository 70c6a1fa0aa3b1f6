#include "server/faults.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
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
    log_error("the store is damaged: ending; LMDB was led astray by what lmdb/data.mdb holds: `aikv check` says more", "signal=%d", number);
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
    static const int signals[] = {SIGSEGV, SIGFPE}; /* a page size of 0 is divided by */
    static struct sigaction before[2];
    struct sigaction damage = {.sa_handler = on_wild_access};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (yes)
            sigaction(signals[i], &damage, &before[i]);
        else
            sigaction(signals[i], &before[i], NULL);
    }
}

/* ---- work that may end the process ---- */

struct contained {
    int code;
    bool ended;
    struct error error;
    unsigned char user[];
};

static _Noreturn void run_contained(struct contained *c, int (*work)(void *user, struct error *e))
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would tell of it as of an error in the program */
    signal(SIGFPE, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    c->code = work(c->user, &c->error);
    c->ended = true;
    fflush(stdout);
    _exit(EXIT_OK);
}

static int judge(const struct contained *c, int status, struct error *e)
{
    if (c->ended) {
        if (c->code) *e = c->error;
        return c->code;
    }
    if (WIFSIGNALED(status))
        return error_set(e, ERROR_FORMAT, "reading it ended with a signal (%s): its pages are damaged, or cannot be read", strsignal(WTERMSIG(status)));
    return error_set(e, ERROR_FORMAT, "reading it ended with exit code %d: the line before says why", WEXITSTATUS(status));
}

int faults_contain(int (*work)(void *user, struct error *e), void *user, size_t size, struct error *e)
{
    struct contained *c = mmap(NULL, sizeof *c + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED) return error_system(e, ERROR_IO, errno, "cannot share memory with another process");
    memcpy(c->user, user, size);
    fflush(stdout);
    int status, code;
    pid_t child = fork();
    if (child == 0) run_contained(c, work);
    if (child < 0 || waitpid(child, &status, 0) != child)
        code = error_system(e, ERROR_IO, errno, "cannot run another process");
    else
        code = judge(c, status, e);
    memcpy(user, c->user, size);
    munmap(c, sizeof *c + size);
    return code;
}
