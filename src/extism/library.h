#ifndef UBIQ_EXTISM_LIBRARY_H
#define UBIQ_EXTISM_LIBRARY_H

#include "base/error.h"
#include "base/slice.h"

struct module;

/* A module that plug-ins import from by its name without having it in their manifest, as functions do
 * from the runtime of their language. Compiled once, when the first plug-in needs it, and shared with all
 * that comes of it by all plug-ins of the process. Any thread. */
typedef struct library library;

/* Makes one. `module`, in the binary format, is borrowed and must last as long as any reference. */
int library_create(library **out, const char *name, slice module, error *err) MUST_CHECK;

/* Its name; a view. */
const char *library_name(const library *l);

/* Its code, for the linker's LINK_IMPORTED, with a reference for the caller. E_INVALID when it cannot be
 * compiled. */
int library_module(library *l, struct module **out, error *err) MUST_CHECK;

/* Frees it; the code lives as long as there are plug-ins that use it. Takes NULL. */
void library_destroy(library *l);

#endif
