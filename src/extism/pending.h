#ifndef UBIQ_EXTISM_PENDING_H
#define UBIQ_EXTISM_PENDING_H

#include "base/mailbox.h"
#include "extism/host_function.h"
#include "extism_ext.h"

/* Host functions of the C API in calls that run on fibers (driver.h). The embedder's code must not run
 * on a fiber, whose stack a managed runtime takes for none of its threads'. So the guest's call is
 * suspended first, and the function runs when the fiber has been left. */

/* Makes `*f`, for a plug-in on fibers, a function that suspends its caller, and takes over the
 * reference. */
int pending_defer(host_function **f, error *err) MUST_CHECK;

/* Runs the host function that the last poll of a call on this thread was suspended by, if there is
 * one. What finishes later comes through `box`, which is this thread's and lives for ever. */
void pending_run(mailbox *box);

/* Makes `f` asynchronous; `start` and the rest as in extism_function_new_async. E_NO_MEMORY: the user
 * data is not freed then. */
int pending_set_start(host_function *f, ExtismStartFunctionType start, void *user_data,
                      void (*free_user_data)(void *), error *err) MUST_CHECK;

/* What extism_pending_finish does; `p` is not NULL. */
void pending_finish(ExtismPending *p, ExtismFinishFunctionType finish, void *arg);

#endif
