#ifndef UBIQ_EXTISM_SHARED_LINKER_H
#define UBIQ_EXTISM_SHARED_LINKER_H

#include "extism/compiled_plugin_internal.h"

/* The host's functions as the engine wants them, with which modules are linked. A platform's functions all
 * have the same ones, so they share what takes more memory than the rest of a small function does. */
typedef struct shared_linker shared_linker;

/* The one for the plug-in's engine and options: one that another plug-in has, or a new one. Sets
 * c->linker, a view that lasts as long as the reference in `*out`. */
int shared_linker_get(shared_linker **out, compiled_plugin *c, error *err) MUST_CHECK;

/* Takes a reference away. Takes NULL. Any thread. */
void shared_linker_unref(shared_linker *l);

#endif
