#ifndef UBIQ_EXTISM_HOST_FUNCTION_H
#define UBIQ_EXTISM_HOST_FUNCTION_H

#include "base/error.h"
#include "base/slice.h"
#include "extism.h"

#include <stdatomic.h>
#include <stddef.h>

struct instance;

/* A call of a host function that has not finished, in the thread of the guest's call. */
typedef struct host_wait {
    struct instance *caller;
    ExtismVal *outputs; /* to fill in, as in ExtismFunctionType */
    size_t n_outputs;
    const char *failure;           /* when set, the guest's call fails with this text, copied */
    void (*cancel)(void *state);   /* run when the guest's call goes away first, and `wait` with it: to be set
                                      by whoever keeps `wait` */
    void *state;
} host_wait;

/* A host function that may take its time, for plug-ins on fibers (call.h): fills in wait->outputs and
 * returns true, or keeps `wait`, returns false, and in the same thread later fills it in and calls
 * host_wait_finish. `inputs` are gone when it returns. */
typedef bool (*host_function_start)(struct instance *caller, const ExtismVal *inputs, size_t n_inputs,
                                    host_wait *wait, void *user_data);

/* Lets the guest's call go on; `wait` is gone then. */
void host_wait_finish(host_wait *wait);

/* What a host function asks of its caller, in the thread of the call. */

/* The host_context of the call. */
void *host_function_context(struct instance *caller);

/* The bytes of the block at `handle`; 0 is the block of no bytes. False when there is no such block.
 * A view until something is allocated in the guest's memory or the guest runs. */
bool host_function_block(struct instance *caller, uint64_t handle, slice *out);

/* Copies bytes into a new block, which is the guest's; its handle, 0 for no bytes, in `*handle`. False
 * when the guest has not enough memory left. */
bool host_function_return(struct instance *caller, slice bytes, int64_t *handle);

/* A function of the host, shared by the plug-ins that import it. Immutable once it is in use. */
typedef struct host_function {
    atomic_int refs;
    char *name;
    char *name_space;
    ExtismValType *inputs;
    size_t n_inputs;
    ExtismValType *outputs;
    size_t n_outputs;
    ExtismFunctionType call;   /* one of these two */
    host_function_start start;
    void *user_data;
    void (*free_user_data)(void *);
} host_function;

/* Makes one in the namespace "extism:host/user", with one reference. E_INVALID for a name that is
 * not UTF-8 or a type that is not numeric; user_data is not freed then. */
int host_function_create(host_function **out, const char *name, const ExtismValType *inputs,
                         size_t n_inputs, const ExtismValType *outputs, size_t n_outputs,
                         error *err) MUST_CHECK;

/* Puts it into another namespace; bytes that are not UTF-8 become U+FFFD. */
int host_function_set_namespace(host_function *f, const char *name_space, error *err) MUST_CHECK;

/* Adds a reference; returns `f`. */
host_function *host_function_ref(host_function *f);

/* Takes one away; the last one frees `f` and its user data. Takes NULL. */
void host_function_unref(host_function *f);

#endif
