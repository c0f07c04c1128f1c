#ifndef BENCH_LIBRARY_H
#define BENCH_LIBRARY_H

#include "extism.h"

#include <stddef.h>

/* The functions of the C ABI that the benchmark calls, without "extism_". */
#define LIBRARY_FUNCTIONS(X)                                                                       \
    X(compiled_plugin_free)                                                                        \
    X(compiled_plugin_new)                                                                         \
    X(function_free)                                                                               \
    X(function_new)                                                                                \
    X(plugin_call)                                                                                 \
    X(plugin_error)                                                                                \
    X(plugin_free)                                                                                 \
    X(plugin_new_error_free)                                                                       \
    X(plugin_new_from_compiled)                                                                    \
    X(plugin_output_data)                                                                          \
    X(plugin_output_length)

/* A library with Extism's C ABI, loaded so that several can stand in one process. */
typedef struct library {
    const char *name;
#define X(function) __typeof__(extism_##function) *function;
    LIBRARY_FUNCTIONS(X)
#undef X
} library;

/* Loads the library in the file `path`; `name` is borrowed. Ends the process when it cannot. */
void library_open(library *out, const char *name, const char *path);

/* Compiles a module, with the one host function that the tests' plug-ins import. Ends the process
 * when it cannot. The caller frees the result with compiled_plugin_free. */
ExtismCompiledPlugin *library_compile(const library *l, const uint8_t *wasm, size_t len, bool wasi);

/* Makes a plug-in of it. Ends the process when it cannot. */
ExtismPlugin *library_plugin(const library *l, const ExtismCompiledPlugin *code);

/* Calls a function. Ends the process when that fails. */
void library_call(const library *l, ExtismPlugin *p, const char *function, const uint8_t *input,
                  size_t len);

#endif
