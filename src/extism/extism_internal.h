#ifndef UBIQ_EXTISM_EXTISM_INTERNAL_H
#define UBIQ_EXTISM_EXTISM_INTERNAL_H

#include "extism.h"
#include "extism/compiled_plugin.h"

/* What the files of the C API share. */

#define EXPORT __attribute__((visibility("default")))

struct ExtismFunction {
    host_function *function; /* NULL once a plug-in has taken it */
};

/* What extism_compiled_plugin_new does, with `options`, whose functions are taken from `functions`. */
compiled_plugin *extism_compile(const uint8_t *wasm, ExtismSize wasm_size,
                                const ExtismFunction **functions, ExtismSize n_functions,
                                compiled_options options, char **errmsg);

#endif
