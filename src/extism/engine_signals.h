#ifndef UBIQ_EXTISM_ENGINE_SIGNALS_H
#define UBIQ_EXTISM_ENGINE_SIGNALS_H

#include <signal.h>

/* The engine takes over signals by which it learns of traps, and calls the handlers that were there before
 * for what is not its own; but it does so on the alternate stack, where a handler that did not ask for
 * that may break: .NET, whose exceptions begin in its handlers, then ends the process. */

enum { ENGINE_SIGNALS = 3 };

typedef struct engine_signals {
    struct sigaction before[ENGINE_SIGNALS];
} engine_signals;

/* Notes the handlers there are, before the engine's come. */
void engine_signals_note(engine_signals *s);

/* Afterwards: a handler of the engine's that stands in front of one that runs on the thread's own stack
 * runs there too. */
void engine_signals_keep_stack(const engine_signals *s);

/* To be called in each thread before it enters the engine, which gives a thread an alternate stack of its
 * own and takes that away when the thread ends: the one that the thread had is put back then, so that
 * who made it finds it and frees it. Cheap but for the first time. */
void engine_signals_keep_alternate_stack(void);

#endif
