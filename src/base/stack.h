#ifndef UBIQ_BASE_STACK_H
#define UBIQ_BASE_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* Whether at least `bytes` of the calling thread's stack are left. False where that cannot be told: on
 * a stack that is not the thread's own. */
bool stack_suffices(size_t bytes);

#endif
