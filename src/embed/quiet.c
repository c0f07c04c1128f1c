#include "embed/embed_internal.h"

#include <time.h>

/* Not those that tell of a thread's own faults, and not those by which runtimes (Go, .NET) and
 * profilers interrupt threads, which ours become when they call back. */
static const int blocked[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM,  SIGUSR1,
                              SIGUSR2, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SIGIO};

static bool pipe_is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void quiet_begin(quiet *q)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        sigaddset(&set, blocked[i]);
    q->had_pipe = pipe_is_pending();
    pthread_sigmask(SIG_BLOCK, &set, &q->before);
}

void quiet_end(const quiet *q)
{
    const struct timespec now = {0};
    sigset_t pipe;

    /* One of our own must not come once the program's mask is back. */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!q->had_pipe && pipe_is_pending())
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}
