#include "extism/engine_signals.h"

#include <stdbool.h>
#include <stddef.h>

/* Not SIGSEGV: a guest that has used up its stack has none for a handler. */
static const int numbers[ENGINE_SIGNALS] = {SIGFPE, SIGILL, SIGBUS};

static bool is_handler(const struct sigaction *a)
{
    return (a->sa_flags & SA_SIGINFO) || (a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN);
}

void engine_signals_note(engine_signals *s)
{
    for (int i = 0; i < ENGINE_SIGNALS; i++)
        sigaction(numbers[i], NULL, &s->before[i]);
}

void engine_signals_keep_stack(const engine_signals *s)
{
    for (int i = 0; i < ENGINE_SIGNALS; i++) {
        struct sigaction now;

        if (!is_handler(&s->before[i]) || (s->before[i].sa_flags & SA_ONSTACK) ||
            sigaction(numbers[i], NULL, &now) != 0 || !(now.sa_flags & SA_ONSTACK))
            continue;
        now.sa_flags &= ~SA_ONSTACK;
        sigaction(numbers[i], &now, NULL);
    }
}

static _Thread_local bool seen;
static _Thread_local stack_t alternate; /* what the thread had before it entered the engine */

/* Of the C library: what destructors of C++'s thread-local objects are registered with. They run in the
 * reverse order, and before those of pthread_key_create. */
extern int __cxa_thread_atexit_impl(void (*run)(void *), void *arg, void *dso);
extern void *__dso_handle;

static void put_back(void *unused)
{
    stack_t now;

    (void)unused;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE))
        sigaltstack(&alternate, NULL);
}

void engine_signals_keep_alternate_stack(void)
{
    if (seen)
        return;
    seen = true;
    if (sigaltstack(NULL, &alternate) == 0 && !(alternate.ss_flags & SS_DISABLE))
        __cxa_thread_atexit_impl(put_back, NULL, &__dso_handle);
}
