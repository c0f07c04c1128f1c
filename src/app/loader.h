#ifndef UBIQ_APP_LOADER_H
#define UBIQ_APP_LOADER_H

#include "app/app.h"

/* Loads the code of a project's functions in threads of its own: what somebody waits for at once,
 * in the order in which it was asked for, and all the rest one after the other behind that. */
typedef struct loader loader;

typedef struct loader_options {
    app *app; /* borrowed; outlives the loader */
    function_options code;
    /* Called in a loader's thread after the state of `f` has changed; `problem` is NULL when it is
     * ready. */
    void (*loaded)(function *f, const error *problem, void *arg);
    void *arg;
} loader_options;

/* Starts to load. E_NO_MEMORY when there are no threads. */
int loader_create(loader **out, const loader_options *options, error *err) MUST_CHECK;

/* Asks for `f` to be loaded before what nobody waits for. Any thread; as often as one likes. */
void loader_want(loader *l, const function *f);

/* Loads nothing more, and waits up to `ms` milliseconds for what is being loaded. False when that
 * was not enough: the loader and what it uses must live on then. */
bool loader_stop(loader *l, unsigned ms);

/* Frees one that has stopped. Takes NULL. */
void loader_destroy(loader *l);

#endif
