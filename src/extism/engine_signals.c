#include "extism/engine_signals.h"

#include <stdbool.h>

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
