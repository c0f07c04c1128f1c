#ifndef UBIQ_EXTISM_IMPORTS_H
#define UBIQ_EXTISM_IMPORTS_H

#include "extism/compiled_plugin_internal.h"

/* The host's side of a plug-in's imports: the functions of extism:host/env that need more than the
 * kernel's memory (configuration, variables, HTTP, log), and the functions of the embedder. */

/* Defines all of them, and WASI where it is on, in c->linker. */
int imports_define(compiled_plugin *c, error *err) MUST_CHECK;

/* Defines one function of the embedder's in `linker`. */
int imports_define_function(wasmtime_linker_t *linker, host_function *f, error *err) MUST_CHECK;

/* Whether this import of WASI works without the engine's state of WASI. */
bool imports_is_stateless_wasi(const compiled_plugin *c, const struct module_import *import);

/* Whether the host provides this import of extism:host/env, besides the kernel's. */
bool imports_is_env_function(slice name);

#endif
