#ifndef UBIQ_EXTISM_ENGINE_H
#define UBIQ_EXTISM_ENGINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What concerns all WebAssembly of the process. Any thread. */

/* How many instances the pooled engine is to have room for; takes effect only before the first use of
 * that engine. Each takes 8 GiB of address space and next to no memory while it is idle. Returns how many
 * there will be: fewer when the system has a limit, and then `shortage`, which may be NULL, says which. */
size_t engine_set_instances(size_t instances, error *shortage);

/* Gives back instances that have been idle since before the last call, but for some: to be called about once
 * a second. False when there is nothing left that later calls would give back. */
bool engine_trim(void);

/* Advances the epoch of every engine: each running call notices at its next loop or function
 * start. Safe in any thread; not in a signal handler. */
void engine_tick(void);

#endif
